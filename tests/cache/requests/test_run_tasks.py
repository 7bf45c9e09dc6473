"""Requests join runs: none is lost or answered by a reading older than itself, and few runs are made."""

from dataclasses import dataclass, field

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kpi_pipeline.cache.keys import REQUESTS_KEY
from kpi_pipeline.cache.requests.fulfil import RunRequestSpec, RunUnderWay, fulfil, tasks_of
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS, Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, TaskState
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter

ACME = Filter.of({"client": "ACME"})


@dataclass
class Run:
    """A run of the pretended pipeline; moments are numbers of events."""

    under_way: RunUnderWay
    read_at: int | None = None
    worked_on: list[str] = field(default_factory=list)


class Pipeline:
    """A dispatcher, and runs that go on when the test says so."""

    def __init__(self, client: redis.Redis) -> None:
        client.flushdb()
        self.client = client
        self.requests, self.run_tasks = Requests(client), RunTasks(client)
        self.moment = 0
        self.held: list[Request] = []
        self.runs: dict[str, Run] = {}
        self.launched: list[RunRequestSpec] = []
        self.submitted: list[tuple[str, int]] = []
        self.answered: dict[str, int] = {}

    def submit(self, product: str, kind: RequestKind = RequestKind.REFRESH, **options: bool) -> str:
        self.moment += 1
        variant = ACME if kind is RequestKind.WARM else EVERYTHING
        task = self.requests.submit(kind, product, variant, **options)
        self.submitted.append((task.id, self.moment))
        return task.id

    def dispatch(self) -> None:
        self.held = fulfil(
            [*self.held, *self.requests.pending("test", 100)],
            self.requests,
            UsageCounters(self.client),
            run_tasks=self.run_tasks,
            under_way=lambda: [run.under_way for run in self.runs.values()],
            has_run=lambda request: False,
            launch=self.launch,
        )

    def launch(self, spec: RunRequestSpec) -> str:
        run_id = f"run-{len(self.launched)}"
        self.launched.append(spec)
        self.runs[run_id] = Run(RunUnderWay(run_id, spec.job, spec.tags))
        return run_id

    def read(self, run_id: str) -> None:
        self.moment += 1
        run = self.runs[run_id]
        requested = tasks_of(run.under_way.tags)
        self.run_tasks.begin_reading(run_id, requested)
        run.read_at = self.moment
        run.worked_on = [*requested, *self.run_tasks.joined(run_id)]

    def succeed(self, run_id: str) -> None:
        run = self.runs.pop(run_id)
        assert run.read_at is not None
        for task in [*tasks_of(run.under_way.tags), *self.run_tasks.end(run_id)]:
            assert task in run.worked_on
            if self.requests.finished(task, True):
                self.answered[task] = run.read_at

    def lose(self, run_id: str) -> None:
        """Cancel a run, or crash it."""
        run = self.runs.pop(run_id)
        for task in tasks_of(run.under_way.tags):
            if self.requests.finished(task, False, "canceled"):
                self.answered[task] = -1
        for task in self.run_tasks.end(run_id):
            self.run_tasks.hand_on(task)

    def go_on(self) -> None:
        """Dispatch and end runs until nothing is left to do."""
        for _ in range(100):
            self.dispatch()
            if not self.runs:
                break
            run_id = next(iter(self.runs))
            if self.runs[run_id].read_at is None:
                self.read(run_id)
            self.succeed(run_id)
        assert not self.held
        assert self.client.xlen(REQUESTS_KEY) == 0


class Interleavings(RuleBasedStateMachine):
    """Requests, the dispatcher and runs, in any order."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        self.pipeline = Pipeline(client)

    @rule(
        product=st.sampled_from([ALL_PRODUCTS, "kpis", "charts"]),
        ends_rollback=st.booleans(),
    )
    def refresh(self, product: str, ends_rollback: bool) -> None:
        self.pipeline.submit(product, ends_rollback=ends_rollback)

    @rule(product=st.sampled_from(["kpis", "charts"]), kind=st.sampled_from(RequestKind))
    def request(self, product: str, kind: RequestKind) -> None:
        self.pipeline.submit(product, kind)

    @rule()
    def dispatch(self) -> None:
        self.pipeline.dispatch()

    @precondition(lambda self: any(run.read_at is None for run in self.pipeline.runs.values()))
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        unread = [run_id for run_id, run in self.pipeline.runs.items() if run.read_at is None]
        self.pipeline.read(data.draw(st.sampled_from(unread)))

    @precondition(lambda self: any(run.read_at is not None for run in self.pipeline.runs.values()))
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        read = [run_id for run_id, run in self.pipeline.runs.items() if run.read_at is not None]
        self.pipeline.succeed(data.draw(st.sampled_from(read)))

    @precondition(lambda self: self.pipeline.runs)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.pipeline.lose(data.draw(st.sampled_from(sorted(self.pipeline.runs))))

    @invariant()
    def one_run_of_a_product_set_is_under_way(self) -> None:
        jobs = [run.under_way.job for run in self.pipeline.runs.values()]
        assert len(jobs) == len(set(jobs))

    def teardown(self) -> None:
        self.pipeline.go_on()
        for task, submitted_at in self.pipeline.submitted:
            answered_by = self.pipeline.answered[task]  # not lost
            assert answered_by == -1 or answered_by > submitted_at
            wanted = TaskState.FAILED if answered_by == -1 else TaskState.SUCCEEDED
            assert self.pipeline.requests.status(task).state is wanted


def test_no_request_is_lost_or_answered_by_an_older_reading(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Interleavings(client),
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_equal_requests_at_once_cause_at_most_two_runs(client: redis.Redis) -> None:
    pipeline = Pipeline(client)
    pipeline.submit("kpis")
    pipeline.dispatch()
    for _ in range(20):
        pipeline.submit("kpis")
        pipeline.dispatch()
    pipeline.read("run-0")
    for _ in range(20):
        pipeline.submit("kpis")
        pipeline.submit("kpis", RequestKind.WARM)
        pipeline.dispatch()
    assert [spec.job for spec in pipeline.launched] == ["refresh_kpis", "add_answers"]
    pipeline.go_on()
    assert [spec.job for spec in pipeline.launched] == ["refresh_kpis", "add_answers", "refresh_kpis"]


def test_a_product_joins_a_run_of_all(client: redis.Redis) -> None:
    pipeline = Pipeline(client)
    pipeline.submit(ALL_PRODUCTS)
    task = pipeline.submit("kpis")
    pipeline.dispatch()
    assert [spec.job for spec in pipeline.launched] == ["refresh_all"]
    status = pipeline.requests.status(task)
    assert (status.state, status.run_id) == (TaskState.QUEUED, "run-0")
    pipeline.read("run-0")
    pipeline.succeed("run-0")
    assert pipeline.requests.status(task).state is TaskState.SUCCEEDED


def test_a_run_that_does_less_is_not_joined(client: redis.Redis) -> None:
    pipeline = Pipeline(client)
    pipeline.submit("kpis")
    pipeline.dispatch()
    pipeline.submit(ALL_PRODUCTS)
    pipeline.submit("kpis", RequestKind.CLEAR)
    pipeline.dispatch()
    assert [spec.job for spec in pipeline.launched] == ["refresh_kpis", "refresh_all"]
    assert [request.kind for request in pipeline.held] == [RequestKind.CLEAR]


def test_a_lost_run_hands_its_joined_tasks_on(client: redis.Redis) -> None:
    pipeline = Pipeline(client)
    own = pipeline.submit(ALL_PRODUCTS)
    pipeline.dispatch()
    joined = pipeline.submit("kpis")
    pipeline.dispatch()
    pipeline.requests.started(joined, "run-0")
    pipeline.lose("run-0")
    assert pipeline.requests.status(own).state is TaskState.FAILED
    status = pipeline.requests.status(joined)
    assert (status.state, status.run_id, status.started_at) == (TaskState.QUEUED, None, None)
    pipeline.go_on()
    assert pipeline.requests.status(joined).state is TaskState.SUCCEEDED
    assert pipeline.launched[-1].job == "refresh_kpis"


def test_a_run_that_has_ended_is_not_joined(client: redis.Redis) -> None:
    run_tasks, requests = RunTasks(client), Requests(client)
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING).id
    assert run_tasks.end("run") == []
    assert not run_tasks.join("run", [task])
    assert run_tasks.joined("run") == []
    assert requests.status(task).run_id is None


def test_a_partial_run_is_not_joined() -> None:
    request = Request("1-0", "0" * 32, RequestKind.REFRESH, "kpis", EVERYTHING, "all", 1.0)
    spec = RunRequestSpec("refresh_kpis", (request,))
    assert spec.is_fulfilled_by(RunUnderWay("run", "reconcile", {}))
    assert not spec.is_fulfilled_by(RunUnderWay("run", "refresh_kpis", {"dagster/is_resume_retry": "true"}))
    assert not spec.is_fulfilled_by(RunUnderWay("run", "backfill_month_ends", {}))

"""Requests become the fewest runs, each of which names its tasks, and none is lost on the way."""

import time
from dataclasses import replace

import pytest

from kpi_pipeline.cache.requests import fulfil as fulfil_module
from kpi_pipeline.cache.requests.fulfil import (
    ADD_ANSWERS_JOB,
    ALWAYS,
    GIVE_UP_S,
    REBUILD_TAG,
    LaunchRefused,
    RunRequestSpec,
    RunUnderWay,
    fulfil,
    run_request_specs,
    tasks_of,
)
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, TaskState
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter


def request(number: int, product: str, kind: RequestKind = RequestKind.REFRESH) -> Request:
    return Request(f"{number}-0", f"{number:032}", kind, product, EVERYTHING, "all", float(number))


def test_without_requests_there_is_no_run() -> None:
    assert run_request_specs([]) == []


def test_one_run_a_product_names_every_task_and_its_place_in_the_stream() -> None:
    warm = replace(request(3, "charts", RequestKind.WARM), needs_refresh=True)
    kpis, charts = run_request_specs([request(1, "charts"), request(2, "kpis"), warm])
    assert (kpis.job, charts.job) == ("refresh_kpis", "refresh_charts")
    assert {tag: value for tag, value in charts.tags.items() if tag.startswith("kpi-task/")} == {
        f"kpi-task/{1:032}": "1-0",
        f"kpi-task/{3:032}": "3-0",
    }
    assert charts.tags["kpi/asked_by"] == '["refresh", "warm"]'


@pytest.mark.parametrize(
    ("kinds", "rebuilds"),
    [
        ([RequestKind.REFRESH, RequestKind.REFRESH], False),
        ([RequestKind.REFRESH, RequestKind.CLEAR], True),
    ],
)
def test_a_request_to_clear_rebuilds_everything(kinds: list[RequestKind], rebuilds: bool) -> None:
    (spec,) = run_request_specs(request(number, "kpis", kind) for number, kind in enumerate(kinds))
    assert (spec.tags.get("kpi/rebuild") == "always") is rebuilds


def test_one_run_adds_the_awaited_answers_of_all_products() -> None:
    added, refreshed = run_request_specs(
        [request(1, "kpis", RequestKind.WARM), request(2, "kpis"), request(3, "charts", RequestKind.WARM)]
    )
    assert (added.job, refreshed.job) == ("add_answers", "refresh_kpis")
    assert set(added.task_ids) == {f"{1:032}", f"{3:032}"}


ACME = Filter.of({"client": "ACME"})


class Server:
    """Where runs are started: it records them, delays or refuses them."""

    def __init__(self, client) -> None:
        self.run_tasks = RunTasks(client)
        self.requests = Requests(client)
        self.usage_counters = UsageCounters(client)
        self.launched: list[RunRequestSpec] = []
        self.records = True
        self.refuses = False
        self.has_run = False
        self.under_way: list[RunUnderWay] = []

    def fulfil(self, taken: list[Request]) -> list[Request]:
        return fulfil(
            taken,
            self.requests,
            self.usage_counters,
            run_tasks=self.run_tasks,
            under_way=lambda: self.under_way,
            has_run=lambda request: self.has_run,
            launch=self.launch,
        )

    def launch(self, spec: RunRequestSpec) -> str | None:
        if self.refuses:
            raise LaunchRefused("the code server is starting")
        self.launched.append(spec)
        return f"run of {spec.job}" if self.records else None

    def take(self) -> list[Request]:
        return self.requests.pending("test", 10)


@pytest.fixture
def server(client) -> Server:
    return Server(client)


def test_requests_whose_run_is_recorded_are_acknowledged(server: Server) -> None:
    for product in ("kpis", "charts"):
        server.requests.submit(RequestKind.REFRESH, product, EVERYTHING)
    assert server.fulfil(server.take()) == []
    assert [spec.job for spec in server.launched] == ["refresh_kpis", "refresh_charts"]
    assert server.requests.backlog()[:2] == (0, 0)


def test_requests_whose_run_is_not_recorded_yet_stay(server: Server) -> None:
    server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    server.records = False
    assert server.fulfil(server.take()) == []
    assert len(server.launched) == 1
    assert server.requests.backlog()[:2] == (0, 1)


@pytest.mark.parametrize(("again", "launched"), [(False, 1), (True, 0)])
def test_only_a_request_delivered_before_can_have_a_run(server: Server, again: bool, launched: int) -> None:
    server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    server.has_run = True
    server.fulfil([replace(request, again=again) for request in server.take()])
    assert len(server.launched) == launched
    assert server.requests.backlog()[:2] == (0, 0)


def test_requested_variants_are_counted_for_the_next_generation(server: Server) -> None:
    server.requests.submit(RequestKind.WARM, "kpis", ACME)
    server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    server.fulfil(server.take())
    assert server.usage_counters.most_requested_filters("kpis", 10) == [ACME]


def test_a_request_that_waits_is_counted_once(server: Server) -> None:
    request = server.requests.submit(RequestKind.WARM, "kpis", ACME)
    taken = server.take()
    server.under_way = [RunUnderWay("reading", ADD_ANSWERS_JOB, {})]
    server.run_tasks.begin_reading("reading", [])
    for _ in range(5):
        assert server.fulfil(taken) == taken
    server.under_way = []
    assert server.fulfil(taken) == []
    (counted,) = server.usage_counters.most_requested("kpis", 10)
    assert counted.weight == pytest.approx(1, rel=0.01)
    assert server.requests.status(request.id).run_id == "run of add_answers"


def test_a_run_names_some_of_many_tasks_and_the_others_join_it(server: Server, monkeypatch) -> None:
    monkeypatch.setattr(fulfil_module, "MOST_NAMED", 2)
    ids = [
        server.requests.submit(RequestKind.REFRESH, "kpis", Filter.of({"client": f"client {number}"})).id
        for number in range(4)
    ]
    ids.append(server.requests.submit(RequestKind.CLEAR, "kpis", EVERYTHING).id)
    assert server.fulfil(server.take()) == []
    (spec,) = server.launched
    assert tasks_of(spec.tags) == sorted(ids[:2])
    assert spec.tags[REBUILD_TAG] == ALWAYS, "the last one wants that"
    assert server.run_tasks.joined("run of refresh_kpis") == sorted(ids[2:])
    assert {server.requests.status(one).run_id for one in ids} == {"run of refresh_kpis"}
    assert server.requests.backlog()[:2] == (0, 0)


def test_others_wait_where_the_run_has_begun_to_read(server: Server, monkeypatch) -> None:
    monkeypatch.setattr(fulfil_module, "MOST_NAMED", 1)
    for number in range(3):
        server.requests.submit(RequestKind.REFRESH, "kpis", Filter.of({"client": f"client {number}"}))
    server.run_tasks.begin_reading("run of refresh_kpis", [])
    taken = server.take()
    assert server.fulfil(taken) == taken[1:]
    assert server.requests.backlog()[:2] == (0, 2)


def test_a_refused_run_leaves_requests_for_another_try_until_they_fail(server: Server, caplog) -> None:
    young = server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    old = server.requests.submit(RequestKind.REFRESH, "charts", EVERYTHING)
    server.refuses = True
    kpis, charts = server.take()
    assert server.fulfil([kpis, replace(charts, requested_at=time.time() - GIVE_UP_S - 1)]) == []
    assert server.requests.status(young.id).state is TaskState.QUEUED
    failed = server.requests.status(old.id)
    assert (failed.state, failed.reason) == (TaskState.FAILED, "the code server is starting")
    assert server.requests.backlog()[:2] == (0, 1)
    assert "the code server is starting" in caplog.text

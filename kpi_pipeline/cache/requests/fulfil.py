"""The path from requests to runs: one run per product, however many requests wait for it.

A request joins a run that will fulfil it anyway, as long as that has not begun to read the source. While a
run of the same products reads or publishes, requests wait for its end, and then share one run. Who waits for
one product does not wait for a run of all products: a run of that product alone goes on beside it.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import redis

from kpi_pipeline.cache.keys import publication
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS, Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, TaskStatus
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.tracing import TRACEPARENT

REFRESH_ALL_JOB: Final = "refresh_all"
"""Name of the job that refreshes every product on one reading of the source."""

ADD_ANSWERS_JOB: Final = "add_answers"
"""Name of the job that adds to what is live what readers wait for, without reading the source."""

_ADDED: Final = (RequestKind.WARM, RequestKind.BRIDGE)
"""What is requested to be added to what is live."""

RECONCILE_JOB: Final = "reconcile"
"""Name of the job that writes every product, unchanged ones included."""

RESTORE_JOB: Final = "restore_cache"
"""Name of the job that restores from the archive what Redis has lost."""

TASK_TAG: Final = "kpi-task/"
"""Begins the tag of a run for each task that it works on; the tag's value is the task's stream entry."""

REQUESTED_BY_TAG: Final = "kpi/asked_by"
"""Who or what requested the run."""

REBUILD_TAG: Final = "kpi/rebuild"
ALWAYS: Final = "always"
"""A run with this tag and value writes every generation, also an unchanged one."""

END_ROLLBACK_TAG: Final = "kpi/end_rollback"
YES: Final = "yes"
"""A run with this tag and value publishes also what an administrator has rolled back from."""

FROM_UI_TAG: Final = "dagster/from_ui"
"""Dagster's tag of a run started in its UI: such a run reads, computes and writes even what is unchanged."""

PARTIAL_TAGS: Final = ("dagster/is_resume_retry", "dagster/step_selection")
"""Dagster's tags of a run that leaves steps out: it may publish an earlier reading."""

TRACE_TAG: Final = f"kpi/{TRACEPARENT}"
"""The place in a trace that a run belongs to."""

PRIORITY_TAG: Final = "dagster-celery/run_priority"
"""Place in the worker's queue, from 0 for those who go first to 9."""

SOMEBODY_WAITS: Final = "0"
NOBODY_WAITS: Final = "6"

GIVE_UP_S: Final = 120.0
"""A request whose run is refused for so long has failed."""

MOST_NAMED: Final = 500
"""How many tasks the tags of a run name at most; more join it. Dagster stores each tag as a row."""

_LOG: Final = logging.getLogger(__name__)


class LaunchRefused(RuntimeError):
    """A run was not started; the message says why."""


@dataclass(frozen=True, slots=True)
class RunRequestSpec:
    """A run to be started.

    Attributes:
        job: Its job: one that refreshes products, or adds answers to them.
        requests: The requests that it fulfils; at least one.
    """

    job: str
    requests: tuple[Request, ...]

    @property
    def task_ids(self) -> list[str]:
        """The tasks of its requests."""
        return [request.id for request in self.requests]

    @property
    def tags(self) -> dict[str, str]:
        """Tags that say what the run does for all requests, and name its tasks."""
        sources = {request.by or request.kind.value for request in self.requests}
        return {
            REQUESTED_BY_TAG: json.dumps(sorted(sources)),
            PRIORITY_TAG: SOMEBODY_WAITS if self._somebody_waits else NOBODY_WAITS,
            **({REBUILD_TAG: ALWAYS} if self._rebuilds else {}),
            **({END_ROLLBACK_TAG: YES} if self._ends_rollback else {}),
            **dict(map(task_tag, self.named)),
        }

    @property
    def named(self) -> tuple[Request, ...]:
        """The requests whose tasks the tags name."""
        return self.requests[:MOST_NAMED]

    @property
    def unnamed(self) -> tuple[Request, ...]:
        """The others, which join the run."""
        return self.requests[MOST_NAMED:]

    @property
    def _somebody_waits(self) -> bool:
        return not all(map(_is_automatic, self.requests))

    @property
    def _rebuilds(self) -> bool:
        return any(request.kind is RequestKind.CLEAR for request in self.requests)

    @property
    def _ends_rollback(self) -> bool:
        return any(request.ends_rollback for request in self.requests)

    def is_fulfilled_by(self, run: "RunUnderWay") -> bool:
        """Whether a run that has not begun to read does all that these requests want."""
        from_ui = FROM_UI_TAG in run.tags
        return (
            self.has_products_of(run)
            and (not self._rebuilds or from_ui or run.tags.get(REBUILD_TAG) == ALWAYS)
            and (not self._ends_rollback or from_ui or run.tags.get(END_ROLLBACK_TAG) == YES)
        )

    def waits_for(self, run: "RunUnderWay") -> bool:
        """Whether these requests wait for the end of a run that has begun to read, to have one after it.

        Two runs side by side do no harm: the later reading stays live.
        """
        is_longer = len(refreshed_products(run.job)) > len(refreshed_products(self.job))
        return self.has_products_of(run) and not (is_longer and self._somebody_waits)

    def has_products_of(self, run: "RunUnderWay") -> bool:
        """Whether a run publishes the same products from a reading of the source, or adds answers too."""
        if any(tag in run.tags for tag in PARTIAL_TAGS):
            return False
        if self.job == ADD_ANSWERS_JOB:
            return run.job == self.job
        return set(refreshed_products(self.job)) <= set(refreshed_products(run.job))


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """A run that is queued or at work, and is not being canceled.

    Attributes:
        run_id: Its id.
        job: Its job.
        tags: Its tags.
    """

    run_id: str
    job: str
    tags: Mapping[str, str]


def _is_automatic(request: Request) -> bool:
    """Whether a sensor or schedule submitted a request, and no reader or command."""
    return bool(request.by) and not request.by.startswith("kpi ")


def refresh_job(product: str) -> str:
    """Name of the job that refreshes a product, or all of them for `ALL_PRODUCTS`."""
    return f"refresh_{product}"


def refreshed_products(job: str) -> tuple[str, ...]:
    """The products that a job publishes on one reading of the source; none of any other job."""
    if job in (REFRESH_ALL_JOB, RECONCILE_JOB):
        return PRODUCTS
    return tuple(product for product in PRODUCTS if job == refresh_job(product))


def is_joinable(job: str) -> bool:
    """Whether requests may join a run of a job until it begins to read."""
    return job == ADD_ANSWERS_JOB or bool(refreshed_products(job))


def task_tag(request: Request) -> tuple[str, str]:
    """Name and value of the tag of the run that fulfils a request."""
    return f"{TASK_TAG}{request.id}", request.entry


def tasks_of(tags: Mapping[str, str]) -> list[str]:
    """The ids of the tasks that a run with some tags works on, sorted."""
    return [tag.removeprefix(TASK_TAG) for tag in sorted(tags) if tag.startswith(TASK_TAG)]


def awaited_tasks(run_id: str, tags: Mapping[str, str], client: redis.Redis) -> list[TaskStatus]:
    """The requests that a run works on.

    Args:
        run_id: The run, which has begun to read.
        tags: Its tags.
        client: Where tasks are.
    """
    tasks = map(Requests(client).status, dict.fromkeys([*tasks_of(tags), *RunTasks(client).joined(run_id)]))
    return [task for task in tasks if task is not None]


def awaited_variants(run_id: str, tags: Mapping[str, str], client: redis.Redis) -> list[TaskStatus]:
    """Those for a variant, which readers wait for until it ends; of the arguments of `awaited_tasks`."""
    return [task for task in awaited_tasks(run_id, tags, client) if task.kind is RequestKind.WARM]


def run_request_specs(requests: Iterable[Request]) -> list[RunRequestSpec]:
    """The runs that fulfil requests: that which adds answers, that of all products, then by product."""
    jobs = (ADD_ANSWERS_JOB, *map(refresh_job, (ALL_PRODUCTS, *PRODUCTS)))
    by_job: dict[str, list[Request]] = {job: [] for job in jobs}
    for request in requests:
        adds = request.kind in _ADDED and not request.needs_refresh
        by_job[ADD_ANSWERS_JOB if adds else refresh_job(request.product)].append(request)
    return [RunRequestSpec(job, tuple(waiting)) for job, waiting in by_job.items() if waiting]


def fulfil(
    taken: Iterable[Request],
    requests: Requests,
    usage_counters: UsageCounters,
    *,
    run_tasks: RunTasks,
    under_way: Callable[[], Sequence[RunUnderWay]],
    has_run: Callable[[Request], bool],
    launch: Callable[[RunRequestSpec], str | None],
) -> list[Request]:
    """Join requests to runs that will fulfil them, or start runs; acknowledge each request that has a run.

    What is not acknowledged is delivered again, also after a crash. Errors of Redis and of what is passed
    propagate.

    Args:
        taken: Requests that the caller has taken from the stream.
        requests: The stream.
        usage_counters: Where requests for variants are counted: the next generation holds them.
        run_tasks: Where requests join runs.
        under_way: The runs that are queued or at work; called once, if there is a request.
        has_run: Whether a run for a request is recorded; called for one that was delivered before.
        launch: Starts a run. Returns its id, or None where it is recorded only later; raises `LaunchRefused`
            if it is not started: its requests wait for another try, and fail after `GIVE_UP_S`.

    Returns:
        The requests that wait for the end of a run that has begun to read.
    """
    waiting = []
    for request in taken:
        if request.again and has_run(request):
            requests.acknowledge(request.entry)
        else:
            waiting.append(request)
    runs = list(under_way()) if waiting else []
    held: list[Request] = []
    for spec in run_request_specs(waiting):
        if any(spec.is_fulfilled_by(run) and run_tasks.join(run.run_id, spec.task_ids) for run in runs):
            _count(spec.requests, usage_counters)
            _acknowledge(spec.requests, requests)
            continue
        if any(map(spec.waits_for, runs)):
            held += spec.requests
            continue
        try:
            run_id = launch(spec)
        except LaunchRefused as error:
            _LOG.warning("%s", error)
            _give_up_old(spec, requests, str(error))
            continue
        _count(spec.named, usage_counters)
        if run_id is None:
            continue
        run_tasks.assign(run_id, [request.id for request in spec.named])
        runs.append(RunUnderWay(run_id, spec.job, spec.tags))
        _acknowledge(spec.named, requests)
        if spec.unnamed and run_tasks.join(run_id, [request.id for request in spec.unnamed]):
            _count(spec.unnamed, usage_counters)
            _acknowledge(spec.unnamed, requests)
        else:
            held += spec.unnamed
    return held


def _count(fulfilled: Iterable[Request], usage_counters: UsageCounters) -> None:
    """Count variants that were requested, once each: one that waits is looked at again and again."""
    for request in fulfilled:
        if request.kind is RequestKind.WARM:
            usage_counters.add_request(publication(request.product, request.scope), request.filter)


def _acknowledge(fulfilled: Iterable[Request], requests: Requests) -> None:
    requests.acknowledge(*(request.entry for request in fulfilled))


def _give_up_old(spec: RunRequestSpec, requests: Requests, reason: str) -> None:
    for request in spec.requests:
        if time.time() - request.requested_at > GIVE_UP_S:
            requests.finished(request.id, False, reason)
            requests.acknowledge(request.entry)

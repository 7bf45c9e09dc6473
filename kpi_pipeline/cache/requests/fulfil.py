"""The path from requests to runs: one run per product, however many requests wait for it."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.cache.requests.requests import Request, RequestKind, Requests, TaskStatus
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.tracing import TRACEPARENT

REFRESH_ALL_JOB: Final = "refresh_all"
RECONCILE_JOB: Final = "reconcile"
"""Name of the job that refreshes every product on one reading of the source."""

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

TRACE_TAG: Final = f"kpi/{TRACEPARENT}"
"""The place in a trace that a run belongs to."""

PRIORITY_TAG: Final = "dagster-celery/run_priority"
"""Place in the worker's queue, from 0 for those who go first to 9."""

SOMEBODY_WAITS: Final = "0"
NOBODY_WAITS: Final = "6"

GIVE_UP_S: Final = 120.0
"""A request whose run is refused for so long has failed."""

_LOG: Final = logging.getLogger(__name__)


class LaunchRefused(RuntimeError):
    """A run was not started; the message says why."""


@dataclass(frozen=True, slots=True)
class RunRequestSpec:
    """A run to be started.

    Attributes:
        product: What it publishes.
        requests: The requests that it fulfils; at least one.
    """

    product: str
    requests: tuple[Request, ...]

    @property
    def job(self) -> str:
        """The job that refreshes the product."""
        return refresh_job(self.product)

    @property
    def tags(self) -> dict[str, str]:
        """Tags that name the run's tasks."""
        kinds = {request.kind for request in self.requests}
        return {
            REQUESTED_BY_TAG: json.dumps(sorted(kind.value for kind in kinds)),
            PRIORITY_TAG: SOMEBODY_WAITS,
            **({REBUILD_TAG: ALWAYS} if RequestKind.CLEAR in kinds else {}),
            **dict(map(task_tag, self.requests)),
        }


def refresh_job(product: str) -> str:
    """Name of the job that refreshes a product."""
    return f"refresh_{product}"


def refreshed_products(job: str) -> tuple[str, ...]:
    """The products that a refresh job publishes."""
    return tuple(
        product for product in PRODUCTS if job in (REFRESH_ALL_JOB, RECONCILE_JOB, refresh_job(product))
    )


def task_tag(request: Request) -> tuple[str, str]:
    """Name and value of the tag of the run that fulfils a request."""
    return f"{TASK_TAG}{request.id}", request.entry


def tasks_of(tags: Mapping[str, str]) -> list[str]:
    """The ids of the tasks that a run with some tags works on, sorted."""
    return [tag.removeprefix(TASK_TAG) for tag in sorted(tags) if tag.startswith(TASK_TAG)]


def awaited_variants(tags: Mapping[str, str], product: str, requests: Requests) -> list[TaskStatus]:
    """The requests for a variant of a product that readers wait for until a run ends.

    Args:
        tags: The run's.
        product: The product.
        requests: Where tasks are.
    """
    tasks = map(requests.status, tasks_of(tags))
    return [
        task
        for task in tasks
        if task is not None and task.kind is RequestKind.WARM and task.product == product
    ]


def run_request_specs(requests: Iterable[Request]) -> list[RunRequestSpec]:
    """The runs that fulfil requests, in the order of products."""
    by_product: dict[str, list[Request]] = {product: [] for product in PRODUCTS}
    for request in requests:
        by_product[request.product].append(request)
    return [RunRequestSpec(product, tuple(waiting)) for product, waiting in by_product.items() if waiting]


def fulfil(
    taken: Iterable[Request],
    requests: Requests,
    usage_counters: UsageCounters,
    *,
    has_run: Callable[[Request], bool],
    launch: Callable[[RunRequestSpec], bool],
) -> int:
    """Start the runs that fulfil requests, and acknowledge each request whose run is recorded.

    What is not acknowledged is delivered again, also after a crash. Errors of Redis and of what is passed
    propagate.

    Args:
        taken: Requests that the caller has taken from the stream.
        requests: The stream.
        usage_counters: Where requests for variants are counted: the next generation holds them.
        has_run: Whether a run for a request is recorded; called for one that was delivered before.
        launch: Starts a run. Returns whether it is recorded by now; raises `LaunchRefused` if it is not
            started: its requests wait for another try, and fail after `GIVE_UP_S`.

    Returns:
        How many runs are recorded.
    """
    waiting = []
    for request in taken:
        if request.again and has_run(request):
            requests.acknowledge(request.entry)
        else:
            waiting.append(request)
    recorded = 0
    for spec in run_request_specs(waiting):
        for request in spec.requests:
            if request.kind is RequestKind.WARM:
                usage_counters.add_request(request.product, request.filter)
        try:
            launched = launch(spec)
        except LaunchRefused as error:
            _LOG.warning("%s", error)
            _give_up_old(spec, requests, str(error))
            continue
        if launched:
            recorded += 1
            for request in spec.requests:
                requests.acknowledge(request.entry)
    return recorded


def _give_up_old(spec: RunRequestSpec, requests: Requests, reason: str) -> None:
    for request in spec.requests:
        if time.time() - request.requested_at > GIVE_UP_S:
            requests.finished(request.id, False, reason)
            requests.acknowledge(request.entry)

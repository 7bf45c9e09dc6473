"""Requests that the dispatcher did not take, or died over, become runs: one per product and tick."""

from collections.abc import Iterator
from typing import Final

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from kpi_pipeline.cache.requests.fulfil import RunRequestSpec, fulfil, task_tag
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import Request
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.jobs import ADD_ANSWERS, PRODUCT_JOBS, REFRESH_ALL
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.runs_in_progress import runs_under_way

TAKEN_AT_ONCE: Final = 500
PATIENCE_S: Final = 10.0
"""How long a new request is left to the dispatcher, which takes it at once if it is alive."""

_CONSUMER: Final = "sensor"


@sensor(
    jobs=[ADD_ANSWERS, *PRODUCT_JOBS.values(), REFRESH_ALL],
    minimum_interval_seconds=1,
    default_status=DefaultSensorStatus.RUNNING,
    description="Requests of readers that the dispatcher has not taken, or has taken and lost.",
)
def requested_refreshes(
    context: SensorEvaluationContext, cache: CacheResource
) -> Iterator[RunRequest | SkipReason]:
    """Request a run of each product that requests wait for.

    A request stays in the stream until its run is recorded: if this tick or the daemon is cut, it is
    delivered again, and one whose run exists by then is only acknowledged.
    """
    requests = Requests(cache.client)
    runs: list[RunRequest] = []

    def launch(spec: RunRequestSpec) -> None:
        runs.append(RunRequest(run_key=spec.requests[0].entry, job_name=spec.job, tags=spec.tags))
        # The daemon records it after this tick.

    fulfil(
        requests.pending(_CONSUMER, TAKEN_AT_ONCE, patience_s=PATIENCE_S),
        requests,
        UsageCounters(cache.client),
        run_tasks=RunTasks(cache.client),
        under_way=lambda: runs_under_way(context.instance),
        has_run=lambda request: _has_run(context.instance, request),
        launch=launch,
    )
    yield from runs
    if not runs:
        yield SkipReason("no request waits for a run")


def _has_run(instance: DagsterInstance, request: Request) -> bool:
    return bool(instance.get_runs(RunsFilter(tags=dict([task_tag(request)])), limit=1))

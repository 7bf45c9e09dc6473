"""Requests that the dispatcher did not take, or died over, become runs: one a product and tick."""

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

from kpi_pipeline.cache.requests.run_requests import TASK_TAG, run_request_specs
from kpi_pipeline.cache.requests.tasks import Request, RequestKind
from kpi_pipeline.jobs import PRODUCT_JOBS
from kpi_pipeline.resources.cache import CacheResource

TAKEN_AT_ONCE: Final = 500
PATIENCE_S: Final = 10.0
"""How long a new request is left to the dispatcher, which takes it at once if it is alive."""

_CONSUMER: Final = "sensor"


@sensor(
    jobs=list(PRODUCT_JOBS.values()),
    minimum_interval_seconds=1,
    default_status=DefaultSensorStatus.RUNNING,
    description="What readers asked for and the dispatcher has not taken, or has taken and lost.",
)
def requested_refreshes(
    context: SensorEvaluationContext, cache: CacheResource
) -> Iterator[RunRequest | SkipReason]:
    """Ask for a run of each product that requests wait for.

    A request stays in the stream until its run is recorded: if this tick or the daemon is cut, it is
    delivered again, and one whose run exists by then is only acknowledged.
    """
    requests = cache.requests()
    waiting = []
    for request in requests.pending(_CONSUMER, TAKEN_AT_ONCE, patience_s=PATIENCE_S):
        if _has_run(context.instance, request):
            requests.acknowledge(request.entry)
            continue
        if request.kind is RequestKind.WARM:
            cache.usage_counters().add_request(request.product, request.filter)
        waiting.append(request)
    if not waiting:
        yield SkipReason("nobody waits for the dispatcher")
    for spec in run_request_specs(waiting):
        yield RunRequest(run_key=spec.requests[0].entry, job_name=spec.job, tags=spec.tags)


def _has_run(instance: DagsterInstance, request: Request) -> bool:
    tag = {f"{TASK_TAG}{request.id}": request.entry}
    return bool(instance.get_runs(RunsFilter(tags=tag), limit=1))

"""Requests from serving become runs: one a product and tick, however many asked."""

import json
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

from kpi_pipeline.cache.requests import Request, RequestKind
from kpi_pipeline.jobs import PRODUCT_JOBS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource

TASK_TAG: Final = "kpi-task/"
"""Begins the tag of a run for each task that it works on; the tag's value is the task's stream entry."""

TAKEN_AT_ONCE: Final = 500
_CONSUMER: Final = "sensor"


@sensor(
    jobs=list(PRODUCT_JOBS.values()),
    minimum_interval_seconds=1,
    default_status=DefaultSensorStatus.RUNNING,
    description="What readers asked for: a refresh, or a variant that is not precomputed.",
)
def requested_refreshes(
    context: SensorEvaluationContext, cache: CacheResource
) -> Iterator[RunRequest | SkipReason]:
    """Ask for a run of each product that requests wait for.

    A request stays in the stream until its run is recorded: if this tick or the daemon is cut, it is
    delivered again, and one whose run exists by then is only acknowledged.
    """
    requests = cache.requests()
    by_product: dict[str, list[Request]] = {product: [] for product in PRODUCTS}
    for request in requests.pending(_CONSUMER, TAKEN_AT_ONCE):
        if _has_run(context.instance, request):
            requests.acknowledge(request.entry)
            continue
        if request.kind is RequestKind.WARM:
            cache.ledger().want(request.product, request.filter)
        by_product[request.product].append(request)
    waiting = {product: asked for product, asked in by_product.items() if asked}
    if not waiting:
        yield SkipReason("nobody asks for anything")
    for product, asked in waiting.items():
        yield RunRequest(
            run_key=asked[0].entry,
            job_name=PRODUCT_JOBS[product].name,
            tags={
                "kpi/asked_by": json.dumps(sorted({request.kind.value for request in asked})),
                **{f"{TASK_TAG}{request.id}": request.entry for request in asked},
            },
        )


def _has_run(instance: DagsterInstance, request: Request) -> bool:
    tag = {f"{TASK_TAG}{request.id}": request.entry}
    return bool(instance.get_runs(RunsFilter(tags=tag), limit=1))

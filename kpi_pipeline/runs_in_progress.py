"""Whether runs are under way that make another run superfluous."""

from collections.abc import Iterable
from typing import Final

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from kpi_pipeline.cache.requests.fulfil import RunUnderWay
from kpi_pipeline.jobs import PRODUCT_JOBS, RECONCILE, REFRESH_ALL

_UNFINISHED: Final = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def runs_under_way(instance: DagsterInstance) -> list[RunUnderWay]:
    """The runs that are queued or at work, without those that are being canceled."""
    return [
        RunUnderWay(run.run_id, run.job_name, run.tags)
        for run in instance.get_runs(RunsFilter(statuses=_UNFINISHED))
        if run.status is not DagsterRunStatus.CANCELING
    ]


def under_way(instance: DagsterInstance, jobs: Iterable[str]) -> bool:
    """Whether a run of one of the jobs is queued or has started and not ended.

    Args:
        instance: Where runs are recorded.
        jobs: Names of jobs.
    """
    names = set(jobs)
    return any(run.job_name in names for run in instance.get_runs(RunsFilter(statuses=_UNFINISHED)))


def rebuild_under_way(instance: DagsterInstance, product: str) -> bool:
    """Whether a run is queued or at work that will publish a product.

    Args:
        instance: Where runs are recorded.
        product: One of `model.dimensions.PRODUCTS`.
    """
    return under_way(instance, (PRODUCT_JOBS[product].name, REFRESH_ALL.name, RECONCILE.name))

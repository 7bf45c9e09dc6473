"""Upkeep of Dagster's run history: runs past their retention are deleted with their events and logs."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dagster import (
    AssetExecutionContext,
    DagsterInstance,
    DagsterRunStatus,
    MaterializeResult,
    RunRecord,
    RunsFilter,
    asset,
)

from kpi_pipeline.assets.freshness_policies import TRY_AGAIN
from kpi_pipeline.settings import Settings, current_settings

FAILED: Final = (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
"""Statuses of runs that an engineer may still want to look into."""

PARTITION_TAGS: Final = ("dagster/partition", "dagster/asset_partition_range")
"""Begin the names of the tags of runs of partitions."""

MONTH_DAYS: Final = 31
PAGE_RUNS: Final = 500
"""How many runs are read at once."""


@dataclass(frozen=True, slots=True)
class RunRetention:
    """How long runs are kept once they have ended. The latest run of each job stays.

    Attributes:
        succeeded_days: Runs that succeeded.
        failed_days: Runs that failed or were canceled.
        partition_days: Runs of partitions, by which Dagster shows what of the past is there.
        most: How many runs are kept at most, of whatever age: the latest.
    """

    succeeded_days: int
    failed_days: int
    partition_days: int
    most: int

    @classmethod
    def of(cls, settings: Settings) -> "RunRetention":
        """That of the settings; month ends are kept as long as their figures."""
        days = max(settings.history_months * MONTH_DAYS, settings.failed_run_retention_days)
        return cls(settings.run_retention_days, settings.failed_run_retention_days, days, settings.max_runs)

    def days_of(self, record: RunRecord) -> int:
        """How many days a run is kept after its end."""
        if any(tag.startswith(PARTITION_TAGS) for tag in record.dagster_run.tags):
            return self.partition_days
        return self.failed_days if record.dagster_run.status in FAILED else self.succeeded_days


@asset(
    group_name="upkeep",
    owners=["team:data-engineering"],
    kinds={"dagster"},
    retry_policy=TRY_AGAIN,
    description="Dagster's run history without what is too old: runs, their events and their logs.",
)
def run_history(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Delete runs that are past their retention."""
    settings = current_settings()
    started = time.perf_counter()
    deleted = prune(context.instance, RunRetention.of(settings), time.time())
    seconds = time.perf_counter() - started
    return MaterializeResult(
        metadata={
            "runs_deleted": deleted,
            "runs_kept": context.instance.get_runs_count(),
            "bytes": _bytes(settings.dagster_home),
            "seconds": round(seconds, 3),
        }
    )


def prune(instance: DagsterInstance, retention: RunRetention, now: float) -> int:
    """Delete the runs that are past their retention.

    Args:
        instance: Whose runs.
        retention: How long they are kept.
        now: Seconds since the epoch.

    Returns:
        How many were deleted.
    """
    expired = list(expired_runs(instance, retention, now))
    for run_id in expired:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return len(expired)


def expired_runs(instance: DagsterInstance, retention: RunRetention, now: float) -> list[str]:
    """The ids of the runs that are past their retention, the earliest first; of those that have ended."""
    records = list(_ended(instance))
    latest = {record.dagster_run.job_name: record.dagster_run.run_id for record in records}
    surplus = instance.get_runs_count() - retention.most
    expired: list[str] = []
    for record in records:
        run, ended = record.dagster_run, record.end_time or record.create_timestamp.timestamp()
        is_old = ended < now - retention.days_of(record) * 86_400
        if run.run_id != latest[run.job_name] and (is_old or len(expired) < surplus):
            expired.append(run.run_id)
    return expired


def _ended(instance: DagsterInstance) -> Iterator[RunRecord]:
    """The runs that have ended, the earliest first."""
    cursor = None
    while records := instance.get_run_records(
        RunsFilter(statuses=[DagsterRunStatus.SUCCESS, *FAILED]),
        limit=PAGE_RUNS,
        ascending=True,
        cursor=cursor,
    ):
        yield from records
        cursor = records[-1].dagster_run.run_id


def _bytes(folder: Path) -> int:
    """Size of the files under a folder; a file that goes meanwhile counts nothing."""
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size

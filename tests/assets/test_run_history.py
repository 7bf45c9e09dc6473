"""Old runs go with their events, logs and files; what is young, under way or the latest of its job stays."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus, job, op

from kpi_pipeline.assets.run_history import RunRetention, expired_runs, prune
from kpi_pipeline.settings import Settings
from tests.pooled_instance import configure, pooled_instance

pytestmark = pytest.mark.slow

DAY = 86_400
KEEP = RunRetention(succeeded_days=3, failed_days=30, partition_days=400, most=100)


@op
def work(context) -> None:
    context.log.info("at work")
    if context.run.tags.get("fails"):
        raise ValueError("as told")


@job
def first() -> None:
    work()


@job
def second() -> None:
    work()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return configure(tmp_path)


@pytest.fixture
def instance(folder: Path) -> Iterator[DagsterInstance]:
    with pooled_instance(folder) as made:
        yield made


def run(instance: DagsterInstance, chosen=first, **tags: str) -> str:
    return chosen.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id


def left(instance: DagsterInstance) -> set[str]:
    return {one.run_id for one in instance.get_runs()}


def test_each_kind_of_run_is_kept_for_its_time(instance: DagsterInstance) -> None:
    succeeded, failed = run(instance), run(instance, fails="yes")
    partition = run(instance, **{"dagster/asset_partition_range_start": "2024-01-01"})
    under_way = instance.create_run_for_job(first, status=DagsterRunStatus.STARTED).run_id
    latest, of_second = run(instance), run(instance, second)
    now, everything = time.time(), left(instance)
    assert prune(instance, KEEP, now + 2.9 * DAY) == 0
    assert prune(instance, KEEP, now + 4 * DAY) == 1
    assert left(instance) == everything - {succeeded}
    assert prune(instance, KEEP, now + 31 * DAY) == 1
    assert left(instance) == everything - {succeeded, failed}
    assert prune(instance, KEEP, now + 401 * DAY) == 1
    assert left(instance) == everything - {succeeded, failed, partition} == {under_way, latest, of_second}


def test_nothing_of_a_deleted_run_is_left(instance: DagsterInstance, folder: Path) -> None:
    gone, stays = run(instance), run(instance)
    assert [path for path in folder.rglob("*") if gone in path.name]
    prune(instance, KEEP, time.time() + 4 * DAY)
    assert not [path for path in folder.rglob("*") if gone in path.name]
    assert list(instance.all_logs(gone)) == []
    assert instance.get_run_by_id(gone) is None
    assert instance.get_run_stats(stays).steps_succeeded == 1
    # Reading the events of what is gone leaves no file behind that grows the history again.
    assert len(list((folder / "history" / "runs").glob("*.db"))) < 6


def test_of_too_many_the_earliest_go_whatever_their_age(instance: DagsterInstance) -> None:
    made = [run(instance) for _ in range(6)]
    few = RunRetention(3, 30, 400, most=4)
    assert expired_runs(instance, few, time.time()) == made[:2]
    assert prune(instance, few, time.time()) == 2
    assert left(instance) == set(made[2:])
    assert prune(instance, few, time.time()) == 0


def test_month_ends_are_kept_as_long_as_their_figures() -> None:
    kept = RunRetention.of(Settings(KPI_HISTORY_MONTHS=24))
    assert kept == RunRetention(3, 30, 24 * 31, 5_000)

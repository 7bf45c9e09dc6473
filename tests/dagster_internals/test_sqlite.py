"""Runs and schedules with open connections: the same files and the same answers as Dagster's own."""

import inspect
import os
import threading
from importlib.metadata import version
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter, job
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage

from kpi_pipeline.dagster_internals.sqlite import PooledSqliteRunStorage, PooledSqliteScheduleStorage

pytestmark = pytest.mark.slow

CHANGED = f"dagster {version('dagster')} differs from what dagster_internals/sqlite.py relies on: "
REPLACED = {
    "connect": ["self"],
    "from_config_value": ["inst_data", "config_value"],
    "from_local": ["base_dir", "inst_data"],
}
CONFIGURATION = """
telemetry:
  enabled: false
run_storage:
  module: kpi_pipeline.dagster_internals.sqlite
  class: PooledSqliteRunStorage
  config:
    base_dir: "{folder}/history"
schedule_storage:
  module: kpi_pipeline.dagster_internals.sqlite
  class: PooledSqliteScheduleStorage
  config:
    base_dir: "{folder}/schedules"
"""


@pytest.mark.parametrize("storage", [SqliteRunStorage, SqliteScheduleStorage])
@pytest.mark.parametrize("method", REPLACED)
def test_dagsters_storages_have_the_methods_that_are_replaced(storage: type, method: str) -> None:
    found = getattr(storage, method, None)
    parameters = None if found is None else list(inspect.signature(found).parameters)
    assert parameters == REPLACED[method], f"{CHANGED}{storage.__name__}.{method}"


@job
def nothing() -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text(CONFIGURATION.format(folder=tmp_path))
    return tmp_path


def test_it_reads_what_dagsters_own_storage_wrote_and_the_other_way_round(folder: Path) -> None:
    with DagsterInstance.from_config(str(folder)) as instance:
        assert type(instance.run_storage) is PooledSqliteRunStorage
        assert type(instance.schedule_storage) is PooledSqliteScheduleStorage
        first = nothing.execute_in_process(instance=instance).run_id
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with DagsterInstance.from_config(str(folder)) as plain:
        assert type(plain.run_storage) is SqliteRunStorage
        record = plain.get_run_record_by_id(first)
        assert record is not None
        assert record.dagster_run.status is DagsterRunStatus.SUCCESS
        assert None not in (record.start_time, record.end_time)
        second = nothing.execute_in_process(instance=plain).run_id
    (folder / "dagster.yaml").write_text(CONFIGURATION.format(folder=folder))
    with DagsterInstance.from_config(str(folder)) as again:
        succeeded = RunsFilter(statuses=[DagsterRunStatus.SUCCESS])
        assert [run.run_id for run in again.get_runs(succeeded)] == [second, first]
        assert again.all_instigator_state() == []


def test_threads_and_a_forked_process_write_beside_each_other(folder: Path) -> None:
    with DagsterInstance.from_config(str(folder)) as instance:
        instance.create_run_for_job(nothing)

        def write() -> None:
            with DagsterInstance.from_config(str(folder)) as mine:
                for _ in range(5):
                    mine.create_run_for_job(nothing)

        child = os.fork()
        if not child:
            write()
            os._exit(0)
        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert os.waitpid(child, 0)[1] == 0
        assert instance.get_runs_count() == 21

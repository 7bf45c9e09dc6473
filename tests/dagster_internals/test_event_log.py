"""The event log with open connections: the same files and the same answers as Dagster's own."""

import inspect
import os
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import pytest
from dagster import DagsterEventType, DagsterInstance, Out, Output, job, op
from dagster._core.storage.event_log import SqliteEventLogStorage

from kpi_pipeline.dagster_internals.event_log import MAX_OPEN_DATABASES, PooledSqliteEventLogStorage
from tests.pooled_instance import configure, pooled_instance

pytestmark = pytest.mark.slow


CHANGED = f"dagster {version('dagster')} differs from what dagster_internals/event_log.py relies on: "
REPLACED = {
    "_connect": ["self", "shard"],
    "_initdb": ["self", "engine", "for_index_shard"],
    "path_for_shard": ["self", "run_id"],
    "conn_string_for_shard": ["self", "shard_name"],
    "store_event": ["self", "event"],
    "delete_events": ["self", "run_id"],
    "delete_events_for_run": ["self", "conn", "run_id"],
    "free_concurrency_slots_for_run": ["self", "run_id"],
    "has_table": ["self", "table_name"],
    "_has_asset_key_index_cols_on_connection": ["self", "conn"],
    "wipe": ["self"],
    "dispose": ["self"],
    "from_config_value": ["inst_data", "config_value"],
}


@pytest.mark.parametrize("method", REPLACED)
def test_dagsters_storage_has_the_methods_that_are_replaced_or_called(method: str) -> None:
    found = getattr(SqliteEventLogStorage, method, None)
    parameters = None if found is None else list(inspect.signature(found).parameters)
    assert parameters == REPLACED[method], f"{CHANGED}SqliteEventLogStorage.{method}"


def test_dagsters_storage_connects_through_the_method_that_is_replaced(tmp_path: Path) -> None:
    storage = SqliteEventLogStorage(str(tmp_path))
    shards: list[str] = []
    with patch.object(storage, "_connect", shards.append):
        storage.run_connection("a run")
        storage.index_connection()
    assert shards == ["a run", "index"], f"{CHANGED}SqliteEventLogStorage._connect"
    assert storage._db_lock.acquire(blocking=False), f"{CHANGED}SqliteEventLogStorage._db_lock"


@op(out=Out(int))
def count():
    yield Output(1, metadata={"rows": 3})


@job
def counting() -> None:
    count()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return configure(tmp_path)


@pytest.fixture
def instance(folder: Path) -> Iterator[DagsterInstance]:
    with pooled_instance(folder) as made:
        yield made


def logged(storage: SqliteEventLogStorage, run_id: str) -> list[tuple[str, str]]:
    return [(entry.timestamp, entry.message) for entry in storage.get_logs_for_run(run_id)]


def test_an_instance_uses_it_and_records_events(instance: DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, PooledSqliteEventLogStorage)
    run = counting.execute_in_process(instance=instance)
    kinds = [one.dagster_event.event_type for one in instance.all_logs(run.run_id) if one.dagster_event]
    assert kinds[0] is DagsterEventType.RUN_START
    assert DagsterEventType.STEP_OUTPUT in kinds
    assert kinds[-1] is DagsterEventType.RUN_SUCCESS
    assert instance.get_run_stats(run.run_id).steps_succeeded == 1


def test_it_reads_what_dagsters_own_storage_wrote_and_the_other_way_round(folder: Path) -> None:
    base = str(folder / "history" / "runs")
    with DagsterInstance.from_config(str(folder)) as instance:
        first = counting.execute_in_process(instance=instance).run_id
        here = logged(instance.event_log_storage, first)
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with DagsterInstance.from_config(str(folder)) as plain:
        assert type(plain.event_log_storage) is SqliteEventLogStorage
        assert logged(plain.event_log_storage, first) == here
        second = counting.execute_in_process(instance=plain).run_id
        there = logged(plain.event_log_storage, second)
    again = PooledSqliteEventLogStorage(base)
    assert logged(again, second) == there
    assert logged(again, first) == here
    again.dispose()


def test_two_processes_see_what_each_other_writes(folder: Path, instance: DagsterInstance) -> None:
    with DagsterInstance.from_config(str(folder)) as other:
        run = other.create_run_for_job(counting)
        other.report_engine_event("from the other", run)
        instance.report_engine_event("from here", run)
        other.report_engine_event("from the other again", run)
        messages = [one.message for one in instance.all_logs(run.run_id)]
        assert messages == [one.message for one in other.all_logs(run.run_id)]
        assert len(messages) == 3


def test_no_more_than_a_few_databases_are_open(instance: DagsterInstance) -> None:
    runs = [instance.create_run_for_job(counting) for _ in range(3 * MAX_OPEN_DATABASES)]
    for run in runs:
        instance.report_engine_event("recorded", run)
    opened = {os.path.realpath(descriptor) for descriptor in Path("/proc/self/fd").iterdir()}
    held = {path for path in opened if path.endswith(".db") and "/history/runs/" in path}
    assert 0 < len(held) <= MAX_OPEN_DATABASES
    assert all(len(instance.all_logs(run.run_id)) == 1 for run in runs)


def test_a_watcher_of_a_run_receives_each_event(instance: DagsterInstance) -> None:
    run = instance.create_run_for_job(counting)
    instance.report_engine_event("before", run)
    received: list[str] = []
    all_received = threading.Event()

    def receive(entry, cursor) -> None:
        received.append(entry.message)
        if "after" in received:
            all_received.set()

    instance.watch_event_logs(run.run_id, None, receive)
    try:
        instance.report_engine_event("after", run)
        assert all_received.wait(30)
    finally:
        instance.end_watch_event_logs(run.run_id, receive)
    assert received == ["before", "after"]


def test_wiping_removes_everything_and_leaves_it_usable(instance: DagsterInstance) -> None:
    run = counting.execute_in_process(instance=instance)
    instance.event_log_storage.wipe()
    assert instance.all_logs(run.run_id) == []
    assert counting.execute_in_process(instance=instance).success


def test_threads_share_it(instance: DagsterInstance) -> None:
    runs = [instance.create_run_for_job(counting) for _ in range(4)]

    def write(run) -> None:
        for number in range(25):
            instance.report_engine_event(str(number), run)

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [str(number) for number in range(25)]
    assert all([one.message for one in instance.all_logs(run.run_id)] == expected for run in runs)

"""Dagster's event log with connections held open: the same files, the same answers, watched alike."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterInstance, Out, Output, job, op
from dagster._core.storage.event_log import SqliteEventLogStorage

from kpi_pipeline.stack import event_log
from kpi_pipeline.stack.event_log import HeldSqliteEventLogStorage

pytestmark = pytest.mark.slow

CONFIGURATION = """
telemetry:
  enabled: false
event_log_storage:
  module: kpi_pipeline.stack.event_log
  class: HeldSqliteEventLogStorage
  config:
    base_dir: "{folder}/history/runs"
"""


@op(out=Out(int))
def count():
    yield Output(1, metadata={"rows": 3})


@job
def counting() -> None:
    count()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text(CONFIGURATION.format(folder=tmp_path))
    return tmp_path


@pytest.fixture
def instance(folder: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.from_config(str(folder)) as made:
        yield made


def told(storage: SqliteEventLogStorage, run_id: str) -> list[tuple[str, str]]:
    return [(one.timestamp, one.message) for one in storage.get_logs_for_run(run_id)]


def test_an_instance_takes_it_and_tells_what_happened(instance: DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, HeldSqliteEventLogStorage)
    run = counting.execute_in_process(instance=instance)
    kinds = [one.dagster_event.event_type for one in instance.all_logs(run.run_id) if one.dagster_event]
    assert kinds[0] is DagsterEventType.RUN_START
    assert DagsterEventType.STEP_OUTPUT in kinds
    assert kinds[-1] is DagsterEventType.RUN_SUCCESS
    assert instance.get_run_stats(run.run_id).steps_succeeded == 1


def test_dagsters_own_storage_takes_the_files_over_and_gives_them_back(folder: Path) -> None:
    base = str(folder / "history" / "runs")
    with DagsterInstance.from_config(str(folder)) as instance:
        first = counting.execute_in_process(instance=instance).run_id
        here = told(instance.event_log_storage, first)
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with DagsterInstance.from_config(str(folder)) as plain:
        assert type(plain.event_log_storage) is SqliteEventLogStorage
        assert told(plain.event_log_storage, first) == here
        second = counting.execute_in_process(instance=plain).run_id
        there = told(plain.event_log_storage, second)
    again = HeldSqliteEventLogStorage(base)
    assert told(again, second) == there
    assert told(again, first) == here
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
    runs = [instance.create_run_for_job(counting) for _ in range(3 * event_log._HELD)]
    for run in runs:
        instance.report_engine_event("noted", run)
    opened = {os.path.realpath(descriptor) for descriptor in Path("/proc/self/fd").iterdir()}
    held = {path for path in opened if path.endswith(".db") and "/history/runs/" in path}
    assert 0 < len(held) <= event_log._HELD
    assert all(len(instance.all_logs(run.run_id)) == 1 for run in runs)


def test_whoever_watches_a_run_is_told_of_each_event(instance: DagsterInstance) -> None:
    run = instance.create_run_for_job(counting)
    instance.report_engine_event("before", run)
    heard: list[str] = []
    all_heard = threading.Event()

    def hear(entry, cursor) -> None:
        heard.append(entry.message)
        if "after" in heard:
            all_heard.set()

    instance.watch_event_logs(run.run_id, None, hear)
    try:
        instance.report_engine_event("after", run)
        assert all_heard.wait(30)
    finally:
        instance.end_watch_event_logs(run.run_id, hear)
    assert heard == ["before", "after"]


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

"""What assets hand on: a run reads its own files, a part of a run the newest, and old ones go."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from dagster import DagsterInstance, Definitions, Failure, asset

from kpi_pipeline.atomic_files import modified_at
from kpi_pipeline.resources.snapshots import KEPT_FILES
from kpi_pipeline.resources.stored_tables import TableIOManager


@asset(io_manager_key="tables")
def numbers() -> pa.Table:
    """A table that carries metadata in its schema."""
    return pa.table({"number": [1, 2]}).replace_schema_metadata({b"origin": b"here"})


@asset(io_manager_key="tables")
def doubled(numbers: pa.Table) -> pa.Table:
    """What was read, and its metadata."""
    assert numbers.schema.metadata[b"origin"] == b"here"
    return pa.table({"number": [number * 2 for number in numbers["number"].to_pylist()]})


DEFS = Definitions([numbers, doubled], resources={"tables": TableIOManager()})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KPI_HOME", str(tmp_path))

    def execute(*assets):
        with DagsterInstance.ephemeral() as instance:
            return DEFS.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance, asset_selection=[one.key for one in assets], raise_on_error=False
            )

    return execute


def test_a_run_hands_its_own_table_on_with_its_metadata(run, tmp_path: Path) -> None:
    result = run(numbers, doubled)
    assert result.success
    assert result.output_for_node("doubled")["number"].to_pylist() == [2, 4]
    files = {path.name for path in (tmp_path / "storage" / "numbers").iterdir()}
    assert files == {f"{result.run_id}.json", f"{result.run_id}.arrow", "latest"}


def test_a_part_of_a_run_reads_the_newest(run) -> None:
    assert run(numbers).success
    assert run(doubled).success


def test_without_a_snapshot_the_message_says_what_to_run(run) -> None:
    result = run(doubled)
    assert not result.success
    failed = next(event for event in result.all_events if event.is_step_failure)
    failure = failed.step_failure_data.user_failure_data
    assert "materialize it first, or run the job refresh_all" in failure.description
    assert failed.step_failure_data.error.cls_name in {Failure.__name__, "DagsterExecutionLoadInputError"}


def test_only_the_newest_files_are_kept(run, tmp_path: Path) -> None:
    folder = tmp_path / "storage" / "numbers"
    for before in range(KEPT_FILES + 3, 0, -1):
        assert run(numbers).success
        # As if each had run an hour after the one before it.
        for path in folder.iterdir():
            if modified_at(path) > time.time() - 60:
                at = time.time() - before * 3600
                os.utime(path, (at, at))
    assert run(numbers).success
    assert len(list(folder.glob("*.json"))) == KEPT_FILES
    assert len(list(folder.glob("*.arrow"))) == KEPT_FILES
    assert run(doubled).success

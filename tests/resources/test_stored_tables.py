"""Tables by run: a run that finds one unchanged names it, and it stays as long as something names it."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from dagster import AssetKey, build_output_context

from kpi_pipeline.resources.snapshots import KEPT_FILES
from kpi_pipeline.resources.stored_tables import (
    UNNAMED_S,
    StoredTable,
    TableIOManager,
    WrittenTables,
    read_encoded,
    read_table,
    write_table,
)
from kpi_pipeline.sources.provenance import Provenance

READ = Provenance(3, 1000.0, "sqlite:///a.db", "edp", "w", content="c0ffee")
TABLE = READ.attach(pa.table({"number": [1, 2]}))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    return tmp_path / "storage" / "numbers"


@pytest.fixture
def store(folder):
    """Store a table, or name one, as a run does; each a second after the one before."""
    at = 1_700_000_000

    def write(run_id: str, value: pa.Table | StoredTable = TABLE) -> StoredTable:
        nonlocal at
        TableIOManager().handle_output(
            build_output_context(run_id=run_id, asset_key=AssetKey("numbers"), step_key="s", name="result"),
            value,
        )
        at += 1
        for path in folder.glob(f"{run_id}.*"):
            os.utime(path, (at, at))
        stored = StoredTable.newest("numbers")
        assert stored is not None
        return stored

    return write


def tables(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.arrow")}


def test_a_table_is_read_with_its_provenance(store) -> None:
    stored = store("first")
    assert stored.origin == READ
    assert stored.table() == TABLE
    assert Provenance.of(stored.table()) == READ


def test_a_run_names_the_table_of_another_with_its_own_provenance(store, folder) -> None:
    later = Provenance(4, 2000.0, "sqlite:///a.db", "edp", "w", content="c0ffee")
    stored = store("second", store("first").confirmed(later))
    assert stored.origin == later
    assert Provenance.of(stored.table()) == later
    assert stored.table()["number"].to_pylist() == [1, 2]
    assert tables(folder) == {"first"}
    first = StoredTable.of_run("numbers", "first")
    assert first is not None
    assert first.origin == READ


def test_a_table_stays_as_long_as_a_run_names_it(store, folder) -> None:
    stored = store("first")
    for number in range(KEPT_FILES + 2):
        store(f"named-{number}", stored)
    assert tables(folder) == {"first"}
    assert len(list(folder.glob("*.json"))) == KEPT_FILES
    for number in range(KEPT_FILES):
        store(f"own-{number}")
    assert tables(folder) == {f"own-{number}" for number in range(KEPT_FILES)}


def test_a_table_that_is_not_named_yet_stays(store, folder) -> None:
    store("first")
    (folder / "under-way.arrow").write_bytes(b"")
    store("second")
    assert tables(folder) == {"first", "second", "under-way"}


@pytest.mark.parametrize(("age_s", "stays"), [(60, True), (UNNAMED_S + 60, False)])
def test_of_two_runs_side_by_side_the_first_to_name_its_table_leaves_that_of_the_other(
    age_s: float, stays: bool, store, folder
) -> None:
    folder.mkdir(parents=True)
    other = folder / "other-0.arrow"
    other.write_bytes(b"")
    at = time.time() - age_s
    os.utime(other, (at, at))
    store("first")
    assert other.exists() is stays


@pytest.mark.parametrize("text", [b"", b"{}", b"PAR1", b'{"table": "first.arrow", "provenance": {"x": 1}}'])
def test_what_is_malformed_is_not_there(text, store, folder) -> None:
    store("first")
    (folder / "first.json").write_bytes(text)
    assert StoredTable.newest("numbers") is None
    assert StoredTable.of_run("numbers", "first") is None


def test_a_table_that_is_gone_is_not_there(store, folder) -> None:
    store("first").paths[0].unlink()
    assert StoredTable.newest("numbers") is None
    assert StoredTable.of_run("numbers", "another") is None


def test_without_a_provenance_there_is_no_origin(store) -> None:
    stored = store("first", pa.table({"number": [1]}))
    assert stored.table()["number"].to_pylist() == [1]
    with pytest.raises(ValueError, match="materialize certificates and rollup again"):
        _ = stored.origin


def test_a_table_reads_the_same_from_memory_and_from_its_file(tmp_path: Path) -> None:
    table = pa.table({"name": ["a", None, "a"], "number": [1, 2, 3]}).replace_schema_metadata(
        {b"of": b"here"}
    )
    path = tmp_path / "table.arrow"
    for read in (read_encoded, read_table):
        write_table(table, path)
        from_memory, from_file = read(path), read(path)
        assert from_memory.equals(from_file, check_metadata=True)
    assert from_file.equals(table, check_metadata=True)


def test_what_was_written_is_taken_once_and_bounded(tmp_path: Path) -> None:
    table = pa.table({"number": list(range(1000))})
    written = WrittenTables(2 * table.nbytes)
    one, two, three = (tmp_path / name for name in ("1", "2", "3"))
    for path in (one, two, three):
        written.put(path, table)
    assert [written.take(path) is table for path in (one, two, three, three)] == [False, True, True, False]
    written.put(one, pa.table({"number": list(range(3000))}))
    assert written.take(one) is None
    written.put(two, table)
    written.clear()
    assert written.take(two) is None


def test_columns_that_share_their_memory_are_counted_once(tmp_path: Path) -> None:
    column = pa.array(range(1000))
    written = WrittenTables(column.nbytes)
    shared = pa.table({"one": column, "other": column})
    written.put(tmp_path, shared)
    assert written.take(tmp_path) is shared

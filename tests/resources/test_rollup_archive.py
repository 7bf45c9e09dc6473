"""The archive of roll-ups: one of each reading, whole or not there, until no product can go back to it."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES, Rollup
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.stored_tables import TableIOManager

READING = "0a1b"
MADE_BY = "program and settings"


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    return tmp_path / "storage"


@pytest.fixture
def archive(storage: Path) -> RollupArchive:
    return RollupArchive.of_settings()


@pytest.fixture
def folder(storage: Path) -> Path:
    return storage / "archive" / "rollups"


@pytest.fixture
def run(storage: Path):
    """Roll up, as a run does."""

    def write(run_id: str, number: int = 1) -> None:
        for name in ROLLUP_TABLES:
            (storage / name).mkdir(parents=True, exist_ok=True)
            table = pa.table({"number": [number]}).replace_schema_metadata({b"kpi_forecast_bases": b"{}"})
            path = storage / name / f"{run_id}.{TableIOManager.suffix}"
            TableIOManager().write(path, table)

    return write


def numbers(rollup: Rollup | None) -> list[int]:
    assert rollup is not None
    return [table["number"][0].as_py() for table in rollup.tables()]


def test_the_roll_up_of_a_reading_outlives_its_run(archive, run, storage) -> None:
    run("first", 7)
    assert archive.store(READING, "first", MADE_BY)
    for path in storage.glob("*/first.arrow"):
        path.unlink()
    assert numbers(archive.rollup(READING)) == [7] * len(ROLLUP_TABLES)
    assert archive.rollup("another") is None


def test_the_rows_of_a_reading_are_kept_with_what_made_figures_of_them(archive, run, storage) -> None:
    run("first")
    for number, name in enumerate(("certificates", "costs")):
        (storage / name).mkdir(parents=True)
        TableIOManager().write(storage / name / "first.json", pa.table({"number": [number], "text": ["a"]}))
    assert archive.store(READING, "first", MADE_BY)
    for path in storage.glob("*/first.arrow"):
        path.unlink()
    rows = archive.rows(READING)
    assert rows is not None
    assert rows.certificates.to_pylist() == [{"number": 0, "text": "a"}]
    assert rows.costs.to_pylist() == [{"number": 1, "text": "a"}]
    assert rows.made_by == MADE_BY


def test_a_reading_whose_rows_are_gone_has_none(archive, run) -> None:
    run("first")
    assert archive.store(READING, "first", MADE_BY)
    assert archive.rows(READING) is None
    assert archive.rows("another") is None


def test_it_is_written_once(archive, run, folder) -> None:
    run("first", 7)
    run("second", 8)
    assert archive.store(READING, "first", MADE_BY)
    assert not archive.store(READING, "second", MADE_BY)
    assert numbers(archive.rollup(READING)) == [7] * len(ROLLUP_TABLES)
    assert [path.name for path in folder.iterdir()] == [READING]


@pytest.mark.parametrize("table", ROLLUP_TABLES)
def test_what_is_not_whole_is_not_kept(archive, run, storage, folder, table: str) -> None:
    run("first")
    (storage / table / "first.arrow").unlink()
    assert not archive.store(READING, "first", MADE_BY)
    assert not folder.exists()


def test_it_is_kept_on_another_disk(archive, run, monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(*_: object) -> None:
        raise OSError("invalid cross-device link")

    run("first", 7)
    monkeypatch.setattr("os.link", apart)
    assert archive.store(READING, "first", MADE_BY)
    assert numbers(archive.rollup(READING)) == [7] * len(ROLLUP_TABLES)


@pytest.mark.parametrize("table", ROLLUP_TABLES)
@pytest.mark.parametrize("kept", [None, 0, 10, -10])
def test_what_was_lost_or_cut_is_none(archive, run, folder, table: str, kept: int | None) -> None:
    run("first")
    archive.store(READING, "first", MADE_BY)
    path = folder / READING / table / "first.arrow"
    if kept is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:kept])
    assert archive.rollup(READING) is None


def test_a_disk_that_takes_nothing_leaves_nothing(
    archive, run, folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    run("first")
    monkeypatch.setattr("os.link", full)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="no space"):
        archive.store(READING, "first", MADE_BY)
    assert list(folder.iterdir()) == []


def test_only_readings_that_products_can_show_are_kept(archive, run, folder) -> None:
    run("first")
    for reading in ("live", "before", "older"):
        archive.store(reading, "first", MADE_BY)
    for age_s in (0, 7200):
        part = folder / f"older.{age_s}.part"
        part.mkdir()
        os.utime(part, (time.time() - age_s,) * 2)

    def kept() -> set[str]:
        archive.store("stored just now", "first", MADE_BY)
        return {"live", "before", "elsewhere"}

    assert archive.prune(kept) == 2
    left = {path.name for path in folder.iterdir()}
    assert left == {"live", "before", "stored just now", "older.0.part"}

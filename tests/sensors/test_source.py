"""A source that changes is read again, once."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import DagsterInstance, Failure, RunRequest, SensorResult, SkipReason, build_sensor_context

from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sensors.source import source_changes

Tick = Callable[[], SensorResult | SkipReason]


@pytest.fixture
def source(demo_home: Path, small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = demo_home.parent / "own.db"
    shutil.copy(small_demo, path)
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def tick(instance: DagsterInstance) -> Tick:
    """A tick of the sensor, which keeps its cursor as the daemon does."""
    cursor: list[str | None] = [None]

    def evaluate() -> SensorResult | SkipReason:
        with build_sensor_context(
            instance=instance, cursor=cursor[0], resources={"source": SourceResource()}
        ) as context:
            result = source_changes(context)
        assert isinstance(result, SensorResult | SkipReason)
        if isinstance(result, SensorResult):
            cursor[0] = result.cursor
        return result

    return evaluate


def requested(result: SensorResult | SkipReason) -> list[RunRequest]:
    return list(result.run_requests or []) if isinstance(result, SensorResult) else []


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as file:
        file.execute(statement)


def test_a_source_that_stays_as_it_is_asks_for_nothing(source: Path, tick: Tick) -> None:
    assert requested(tick()) == requested(tick()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM edp WHERE rowid = 3",
        "UPDATE edp SET updated_at = '2024-07-01 10:00:00' WHERE rowid = 3",
        "UPDATE edp SET n_edp = 99999 WHERE rowid = 3",
        "DELETE FROM edp_log WHERE rowid = 3",
    ],
)
def test_a_change_asks_for_one_run(source: Path, tick: Tick, statement: str) -> None:
    tick()
    change(source, statement)
    assert len(requested(tick())) == 1
    assert requested(tick()) == []


def test_a_change_back_is_a_change(source: Path, tick: Tick, small_demo: Path) -> None:
    tick()
    change(source, "DELETE FROM edp WHERE rowid = 3")
    (first,) = requested(tick())
    shutil.copy(small_demo, source)
    (second,) = requested(tick())
    change(source, "DELETE FROM edp WHERE rowid = 3")
    (third,) = requested(tick())
    assert len({first.run_key, second.run_key, third.run_key}) == 3


def test_a_tick_that_is_repeated_asks_for_the_same_run(source: Path, instance, tick: Tick) -> None:
    cursor = tick().cursor
    change(source, "DELETE FROM edp WHERE rowid = 3")
    keys = set()
    for _ in range(2):
        with build_sensor_context(
            instance=instance, cursor=cursor, resources={"source": SourceResource()}
        ) as context:
            keys |= {one.run_key for one in requested(source_changes(context))}
    assert len(keys) == 1


def test_another_source_is_a_change(source: Path, tick: Tick, small_demo: Path, monkeypatch) -> None:
    tick()
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{small_demo}")
    assert len(requested(tick())) == 1


def test_a_source_out_of_reach_is_told_and_seen_when_it_is_back(source: Path, tick: Tick) -> None:
    tick()
    aside = source.with_suffix(".aside")
    source.rename(aside)
    with pytest.raises(Failure, match="there is no file"):
        tick()
    change(aside, "DELETE FROM edp WHERE rowid = 3")
    aside.rename(source)
    assert len(requested(tick())) == 1


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("KPI_SOURCE_MAPPING", "/nowhere/mapping.toml", "mapping"),
        ("KPI_SOURCE_URL", "nonsense", "neither the path"),
        ("KPI_SOURCE_URL", "postgresql://user:s3cret@127.0.0.1:1/db", "cannot connect"),
    ],
)
def test_a_source_that_cannot_be_probed_fails_the_tick_with_the_reason(
    source: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Failure, match=reason) as failed:
        tick()
    assert failed.value.__suppress_context__
    assert "s3cret" not in str(failed.value)


def test_without_a_source_there_is_nothing_to_look_at(
    tmp_path: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.delenv("KPI_SOURCE_URL", raising=False)
    skipped = tick()
    assert isinstance(skipped, SkipReason)
    assert "kpi load" in str(skipped.skip_message)

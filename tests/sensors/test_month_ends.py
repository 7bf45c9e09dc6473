"""Month ends that should be kept and are not are published by themselves, and those of another source go."""

import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from dagster import DagsterInstance, RunRequest, SensorResult, SkipReason

from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors import month_ends as module
from kpi_pipeline.sensors.month_ends import missing_month_ends
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.selection import choose_source
from tests.conftest import DEMO_DAY

from .conftest import Tick, TicksOf

pytestmark = pytest.mark.slow


@pytest.fixture
def tick(ticks_of: TicksOf) -> Tick:
    return ticks_of(missing_month_ends)


def months(result: SensorResult | SkipReason) -> list[str | None]:
    requests: list[RunRequest] = list(result.run_requests or []) if isinstance(result, SensorResult) else []
    return [request.partition_key for request in requests]


def reason(result: SensorResult | SkipReason) -> str:
    skipped = result.skip_reason if isinstance(result, SensorResult) else result
    assert skipped is not None
    return str(skipped.skip_message)


def publish(instance: DagsterInstance, month: str) -> None:
    job = defs.resolve_job_def("backfill_month_ends")
    assert job.execute_in_process(instance=instance, partition_key=month).success


def kept() -> set[tuple[str, date]]:
    return {(entry.product, entry.as_of) for entry in History(CacheResource().client).entries()}


def test_nothing_is_published_before_something_is_live(demo_home: Path, tick: Tick) -> None:
    assert reason(tick()) == "every month end is kept"


def test_the_latest_is_published_first_and_no_other_meanwhile(
    published: Path, instance: DagsterInstance, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_BACKFILL_MONTHS", "2")
    assert months(tick()) == ["2024-05"]
    run = defs.resolve_job_def("backfill_month_ends")
    waiting = instance.create_run_for_job(run, tags={"dagster/partition": "2024-05"})
    assert "a run is under way" in reason(tick())
    instance.delete_run(waiting.run_id)

    publish(instance, "2024-05")
    assert kept() == {(product, date(2024, 5, 31)) for product in PRODUCTS}
    assert months(tick()) == ["2024-04"]
    assert reason(tick()) == "tried within the hour: 2024-04"
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    assert months(tick()) == ["2024-04"]

    # Another source, whose months are missing once it is live: the other's are no past of it.
    other = published.parent / "other.db"
    shutil.copy(Settings().source_url.get_secret_value().removeprefix("sqlite:///"), other)
    choose_source(Settings(), f"sqlite:///{other}", "edp", DEMO_DAY)
    assert defs.resolve_job_def("refresh_kpis").execute_in_process(instance=instance).success
    assert kept() == {(product, date(2024, 5, 31)) for product in PRODUCTS if product != "kpis"}
    assert CacheResource().month_end_archive.entries("kpis") == ([], [])
    assert months(tick()) == ["2024-05"]


def test_a_month_end_that_would_be_dropped_again_is_not_published(
    published: Path, instance: DagsterInstance, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(CacheResource().client)
    monkeypatch.setenv("KPI_BACKFILL_MONTHS", "0")
    assert months(tick()) == []
    monkeypatch.setenv("KPI_BACKFILL_MONTHS", "3")
    publish(instance, "2024-05")
    size = sum(entry.bytes for entry in history.entries())
    monkeypatch.setenv("KPI_HISTORY_BYTES", str(2 * size - 1))
    assert months(tick()) == []
    monkeypatch.setenv("KPI_HISTORY_BYTES", str(2 * size))
    assert months(tick()) == ["2024-04"]


def test_on_its_last_day_a_month_has_not_ended(
    published: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "today", lambda settings: date(2024, 6, 30))
    monkeypatch.setattr(Settings, "calendar_day", lambda settings: date(2024, 6, 30))
    assert months(tick()) == ["2024-05"]
    monkeypatch.setattr(Settings, "calendar_day", lambda settings: date(2024, 7, 1))
    assert months(tick()) == ["2024-06"]


def test_months_without_any_certificate_are_not_published(
    published: Path, tick: Tick, small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_BACKFILL_MONTHS", "240")
    monkeypatch.setenv("KPI_HISTORY_MONTHS", "240")
    with closing(sqlite3.connect(small_demo)) as database:
        (first,) = database.execute("SELECT min(substr(fecha_emision, 1, 7)) FROM edp").fetchone()
    requested = []
    while found := months(tick()):
        requested += found
    assert (requested[0], requested[-1]) == ("2024-05", first)
    assert requested == sorted(requested, reverse=True)

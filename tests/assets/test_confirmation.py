"""A source that is unchanged is not read again, nor anything computed: what is live is confirmed."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, ExecuteInProcessResult

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import payload_key, variant_key
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from tests.conftest import DEMO_DAY, LONG_AGO

pytestmark = pytest.mark.slow

SOURCE = ("certificates", "quarantine", "costs", "cost_quarantine")


@pytest.fixture
def source(demo_home: Path, tmp_path: Path, small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database that was last written to long ago."""
    copy = tmp_path / "source.db"
    shutil.copy(small_demo, copy)
    os.utime(copy, (LONG_AGO, LONG_AGO))
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{copy}")
    return copy


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever the source is read."""
    read: list[str] = []
    extract = SourceResource.extract

    def counting(self: SourceResource, mapping: Any) -> Any:
        read.append(mapping.name)
        return extract(self, mapping)

    monkeypatch.setattr(SourceResource, "extract", counting)
    return read


def outcomes(result: ExecuteInProcessResult, *assets: str) -> list[Any]:
    """What a run says of the outcome of assets."""
    assert result.success
    made = {
        event.step_materialization_data.materialization.asset_key: event
        for event in result.all_events
        if event.is_step_materialization
    }
    held = [made[AssetKey(name)].step_materialization_data.materialization.metadata for name in assets]
    return [found["outcome"].value if "outcome" in found else "computed" for found in held]


def test_an_unchanged_source_is_neither_read_nor_rolled_up(published, run, read, readings) -> None:
    before = read().manifest()
    result = run()
    assert outcomes(result, "certificates", "quarantine", "rollup", "work_lists") == ["unchanged"] * 4
    assert outcomes(result, "kpis", "charts") == ["unchanged"] * 2
    assert not readings
    assert all(check.passed for check in result.get_asset_check_evaluations())
    for product, entry in read().manifest().items():
        was = before[product]
        assert entry.generation == was.generation
        assert entry.computed_at == was.computed_at
        assert entry.fence > was.fence
        assert entry.verified_at > was.verified_at
        assert entry.fresh_until > was.fresh_until
        assert entry.reading == was.reading


@pytest.mark.parametrize(("ahead_s", "outcome"), [(30, "unchanged"), (86_400, "written")])
def test_the_times_of_a_clock_that_was_ahead_are_not_gone_on_with(
    ahead_s: float, outcome: str, published, run, read
) -> None:
    publisher = Publisher(CacheResource().client)
    live = publisher.live("kpis")
    assert live is not None
    times = ("computed_at", "verified_at", "fresh_until", "stale_until")
    moved = {name: getattr(live, name) + ahead_s for name in times}
    publisher.flip(replace(live, fence=publisher.next_fence(), **moved))
    assert outcomes(run("refresh_kpis"), "kpis") == [outcome]
    entry = read().manifest()["kpis"]
    assert (entry.generation == live.generation) is (outcome == "unchanged")
    assert entry.verified_at <= time.time() + ahead_s % 86_400


def test_another_product_of_the_same_source_is_computed_without_reading_it(source, run, readings) -> None:
    assert run("refresh_kpis").success
    result = run("refresh_charts")
    assert outcomes(result, "certificates", "rollup", "charts") == ["unchanged", "unchanged", "written"]
    assert len(readings) == 1


@pytest.mark.parametrize(
    ("setting", "value", "number"),
    [
        ("KPI_TIMEZONE", "Asia/Tokyo", 2),
        # What is known of the source is measured against another day or limit.
        ("KPI_AS_OF", DEMO_DAY.replace(day=27).isoformat(), 1),
        ("KPI_MAX_REJECTED_SHARE", "0.5", 1),
        ("KPI_MAX_FALL_SHARE", "0.5", 1),
    ],
)
def test_a_setting_by_which_rows_are_read_leads_to_another_reading(
    setting, value, number, source, run, readings, monkeypatch
) -> None:
    assert run("refresh_kpis", *SOURCE).success
    assert outcomes(run("refresh_kpis", *SOURCE), *SOURCE) == ["unchanged"] * 4
    monkeypatch.setenv(setting, value)
    assert outcomes(run("refresh_kpis", *SOURCE), *SOURCE) == ["computed"] * 4
    assert len(readings) == number


@pytest.mark.parametrize(("setting", "value"), [("KPI_CRITICAL_DAYS", "90"), ("KPI_WINDOW_MONTHS", "6")])
def test_a_setting_of_definitions_leads_to_another_roll_up(
    setting, value, published, run, readings, monkeypatch
) -> None:
    monkeypatch.setenv(setting, value)
    result = run("refresh_kpis", *SOURCE, *ROLLUP_TABLES)
    assert outcomes(result, "certificates", "rollup") == ["unchanged", "computed"]
    assert not readings


def test_a_changed_row_is_read_though_its_time_of_change_stays(source, run, read, readings) -> None:
    assert run("refresh_kpis").success
    before = read().manifest()["kpis"]
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE edp SET monto_propuesto = monto_propuesto + 1 WHERE rowid = 7")
        connection.commit()
    assert outcomes(run("refresh_kpis"), "certificates", "kpis") == ["computed", "written"]
    assert read().manifest()["kpis"].reading != before.reading
    # It was modified a moment ago, and SQLite counts its changes.
    assert outcomes(run("refresh_kpis"), "certificates", "kpis") == ["unchanged", "unchanged"]
    assert len(readings) == 2


def test_a_run_that_is_to_rebuild_reads_all(published, run, readings) -> None:
    assert outcomes(
        run("refresh_kpis", tags={"kpi/rebuild": "always"}), "certificates", "rollup", "kpis"
    ) == [
        "computed",
        "computed",
        "written",
    ]
    assert outcomes(run("refresh_kpis", tags={"dagster/from_ui": "true"}), "kpis") == ["written"]
    assert len(readings) == 2


def test_a_damaged_answer_is_written_again_without_reading_the_source(published, run, read, readings) -> None:
    live = read().manifest()["kpis"]
    key = payload_key(live.generation, variant_key("kpis", EVERYTHING))
    connect(os.environ["REDIS_URL"]).setrange(key, 40, b"\0\0\0\0")
    assert outcomes(run("refresh_kpis"), "certificates", "kpis") == ["unchanged", "written"]
    assert read().answer("kpis", EVERYTHING).payload.data()["kpis"]
    assert not readings


def test_what_readers_begin_to_request_is_computed_without_reading_the_source(
    published, run, read, readings
) -> None:
    live, client = read().manifest()["kpis"], connect(os.environ["REDIS_URL"])
    (clients,) = (one for one in read().catalogue("kpis")["dimensions"] if one["name"] == "client")
    wanted = Filter.of({"client": [held["value"] for held in clients["values"][:2]]})
    assert not Publisher(client).holds_all(live, [wanted])
    usage = UsageCounters(client)
    usage.add_requests("kpis", {EVERYTHING: 9})
    assert outcomes(run("refresh_kpis"), "kpis") == ["unchanged"]
    usage.add_requests("kpis", {wanted: 9})
    assert outcomes(run("refresh_kpis"), "certificates", "kpis") == ["unchanged", "written"]
    assert Publisher(client).holds_all(read().manifest()["kpis"], [wanted])
    assert outcomes(run("refresh_kpis"), "kpis") == ["unchanged"]
    assert not readings


def test_a_filter_that_cannot_be_answered_is_weighed_once(published, run, read) -> None:
    client = connect(os.environ["REDIS_URL"])
    UsageCounters(client).add_requests("kpis", {Filter.of({"client": ["nobody of this name"]}): 9})
    assert run("refresh_kpis").success
    demand = read().manifest()["kpis"].demand
    assert outcomes(run("refresh_kpis"), "kpis") == ["unchanged"]
    assert read().manifest()["kpis"].demand == demand

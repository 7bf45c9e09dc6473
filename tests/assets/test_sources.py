"""Certificates and costs are read, validated and kept; what is refused goes to quarantine."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import redis
from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterEventType,
    EventRecordsFilter,
    ExecuteInProcessResult,
)

from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.resources.stored_tables import StoredTable, read_table
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.readings_file import ReadingsFile
from tests.conftest import LONG_AGO
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def stored(asset: str, run_id: str) -> StoredTable:
    table = StoredTable.of_run(asset, run_id)
    assert table is not None
    return table


READ = ("certificates", "quarantine", "costs", "cost_quarantine")


@pytest.fixture
def dirty_costs(tmp_path: Path, small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Changes a copy of the small demo, which becomes the source."""
    copy = tmp_path / "dirty.db"
    shutil.copy(small_demo, copy)
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{copy}")

    def change(statement: str) -> None:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(statement)
            connection.commit()

    return change


def test_every_row_becomes_a_certificate_or_is_quarantined(demo_home: Path, run, instance) -> None:
    result = run("refresh_all", *READ)
    assert result.success
    accepted = stored("certificates", result.run_id).table()
    refused = read_table(demo_home / "storage" / "quarantine" / f"{result.run_id}.arrow")
    assert accepted.num_rows + refused.num_rows == 600
    assert refused.num_rows == 2
    told = instance.get_latest_materialization_event(AssetKey("certificates")).asset_materialization.metadata
    assert told["rows"].value == accepted.num_rows
    assert told["rows_refused"].value == 2
    assert sum(told["reasons"].value.values()) == 2


def test_every_header_is_a_cost_by_category_or_is_quarantined(
    demo_home: Path, run, instance, dirty_costs
) -> None:
    dirty_costs("UPDATE cost_header SET tipo_costo = 'raro' WHERE cost_id = 7")
    dirty_costs("UPDATE cost_header SET importe_neto = importe_neto + 1 WHERE cost_id = 8")
    result = run("refresh_all", *READ)
    assert result.success
    costs = read_table(demo_home / "storage" / "costs" / f"{result.run_id}.arrow")
    refused = read_table(demo_home / "storage" / "cost_quarantine" / f"{result.run_id}.arrow")
    assert costs.select(COST_SCHEMA.names).schema.remove_metadata().equals(COST_SCHEMA)
    assert Provenance.of(costs).mapping == "edp"
    assert set(costs["cost_id"].to_pylist()) == {str(number) for number in range(1, 73)} - {"7"}
    assert refused.select(["cost_id", "reasons"]).to_pylist() == [
        {"cost_id": "7", "reasons": ["unknown_kind:kind"]}
    ]
    told = instance.get_latest_materialization_event(AssetKey("costs")).asset_materialization.metadata
    names = ("rows", "costs", "costs_refused", "costs_without_detail")
    assert [told[name].value for name in names] == [costs.num_rows, 71, 1, 1]


def test_too_many_refused_costs_fail_the_run_and_keep_the_quarantine(
    demo_home: Path, run, failure, dirty_costs
) -> None:
    dirty_costs("UPDATE cost_header SET tipo_costo = 'raro' WHERE cost_id <= 7")
    result = run("refresh_all", *READ)
    assert "the live figures stay: 7 of 72 costs are refused (9.7%, limit 5.0%)." in failure(result)
    assert "[costs.kinds]" in failure(result)
    assert (demo_home / "storage" / "cost_quarantine" / f"{result.run_id}.arrow").exists()
    assert not (demo_home / "storage" / "costs" / f"{result.run_id}.arrow").exists()


def test_a_small_share_of_rows_with_a_large_share_of_money_fails_the_run(
    demo_home: Path, run, read, failure, dirty_costs
) -> None:
    dirty_costs("UPDATE edp SET estado = 'raro', monto_propuesto = 1000000000000 WHERE rowid = 7")
    message = failure(run("refresh_all", *READ))
    assert "3 of 600 rows are refused (0.5%, limit 5.0%). They hold 9" in message
    assert "% of the amount in CLP" in message
    held = read().readings().held
    assert held.report.certificates.refused_amount_shares["CLP"] > 0.9
    assert held.falls == ()


def test_one_refused_row_of_a_currency_of_few_rows_stops_nothing(
    demo_home: Path, run, read, failure, dirty_costs
) -> None:
    dirty_costs("UPDATE cost_header SET moneda = 'EUR' WHERE cost_id IN (7, 8, 9)")
    dirty_costs("UPDATE cost_header SET tipo_costo = 'raro' WHERE cost_id = 7")
    assert run("refresh_all", *READ).success
    readings = read().readings()
    assert readings.held is None
    assert readings.accepted.costs.refused_amount_shares["EUR"] > 0.05

    dirty_costs("UPDATE cost_header SET tipo_costo = 'raro' WHERE cost_id = 8")
    assert "% of the amount in EUR" in failure(run("refresh_all", *READ)), "two are more than one"


def test_a_source_that_collapses_is_held_until_it_is_accepted_or_normal_again(
    demo_home: Path, run, read, failure, instance, dirty_costs, small_demo: Path, tmp_path: Path
) -> None:
    dirty_costs("SELECT 1")
    assert run("refresh_all", *READ).success
    before = read().readings().accepted
    assert before.certificates.accepted == 598

    dirty_costs("DELETE FROM edp WHERE rowid > 300")
    message = failure(run("refresh_all", *READ))
    assert "the number of certificates fell by" in message
    readings = read().readings()
    assert readings.accepted == before, "what is live was read then"
    assert f"kpi accept-reading {readings.held.report.digest}" in message
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [AssetCheckKey(AssetKey("certificates"), "nothing_collapsed")]
    )
    assert [record.status.value for record in checks.values()] == ["FAILED"]

    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()
    assert "the number of certificates fell by" in failure(run("refresh_all", *READ)), "Redis may forget"

    half = (tmp_path / "dirty.db").read_bytes()
    shutil.copy(small_demo, tmp_path / "dirty.db")
    assert run("refresh_all", *READ).success
    assert read().readings().held is None

    (tmp_path / "dirty.db").write_bytes(half)
    assert not run("refresh_all", *READ).success
    held = read().readings().held
    ReadingsFile(Settings()).accept(held.report)
    assert run("refresh_all", *READ).success
    assert read().readings().accepted.digest == held.report.digest


def test_too_many_refused_rows_fail_the_run_and_keep_the_quarantine_and_what_is_live(
    published: Path, run, read, failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = read().manifest()
    monkeypatch.setenv("KPI_MAX_REJECTED_SHARE", "0")
    result = run()
    assert "2 of 600 rows are refused (0.3%, limit 0.0%)." in failure(result)
    assert "mapping file" in failure(result)
    assert (published / "storage" / "quarantine" / f"{result.run_id}.arrow").exists()
    assert StoredTable.of_run("certificates", result.run_id) is None
    assert read().manifest() == live


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("KPI_SOURCE_URL", "sqlite:////nowhere/at-all.db", "at-all.db"),
        ("KPI_SOURCE_URL", "postgresql://u:s3cret@127.0.0.1:1/db", "127.0.0.1"),
        ("KPI_SOURCE_MAPPING", "/nowhere/mapping.toml", "no such mapping file"),
    ],
)
def test_a_source_that_cannot_be_read_fails_the_run_and_leaves_what_is_live(
    published: Path, run, read, failure, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    live = read().manifest()
    monkeypatch.setenv(variable, value)
    message = failure(run())
    assert told in message
    assert "s3cret" not in message
    assert read().manifest() == live


def test_a_source_that_comes_back_is_read_at_the_next_try(
    demo_home: Path, run, read, instance, small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = demo_home / "away.db"
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{away}")
    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(run, "refresh_kpis")
        retried = EventRecordsFilter(DagsterEventType.STEP_UP_FOR_RETRY)
        wait_until(lambda: instance.get_event_records(retried, limit=1))
        shutil.copy(small_demo, away)
        assert running.result().success
    assert "kpis" in read().manifest()


def test_without_a_chosen_source_the_run_says_how_to_choose_one(demo_home: Path, run, failure) -> None:
    (demo_home / "source.toml").unlink()
    assert "kpi load" in failure(run())


def settle() -> None:
    """Make the source's file an old one, of which the time tells that it is unchanged."""
    path = os.environ["KPI_SOURCE_URL"].removeprefix("sqlite:///")
    os.utime(path, (LONG_AGO, LONG_AGO))


def test_a_row_that_changed_unseen_is_found_by_reconcile(dirty_costs, demo_home: Path, run, caplog) -> None:
    assert run("refresh_all", *READ).success
    dirty_costs("UPDATE edp SET monto_aprobado = monto_aprobado + 1 WHERE rowid = 9")
    dirty_costs("UPDATE edp SET monto_aprobado = 5, updated_at = '2031-01-01' WHERE rowid = 10")
    settle()
    changed = run("refresh_all", *READ)
    assert rows_read(changed) == "1 changed"
    assert rows_read(run("reconcile", *READ)) == "all"
    assert "amount_approved is" in caplog.text
    assert "and was known as" in caplog.text
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert client.hgetall("kpi:metrics:alarms") == {b"local_store_differed": b"1"}


def test_a_change_that_nobody_has_looked_for_yet_is_no_alarm(
    dirty_costs, demo_home: Path, run, caplog
) -> None:
    assert run("refresh_all", *READ).success
    dirty_costs("UPDATE edp SET monto_aprobado = monto_aprobado + 1 WHERE rowid = 9")
    settle()
    assert rows_read(run("reconcile", *READ)) == "all"
    assert "and was known as" not in caplog.text


def rows_read(result: ExecuteInProcessResult) -> object:
    (event,) = [
        event.step_materialization_data.materialization
        for event in result.all_events
        if event.is_step_materialization
        and event.step_materialization_data.materialization.asset_key == AssetKey("certificates")
    ]
    return event.metadata["rows_read"].value

"""Certificates are read, validated and kept; what is refused goes to quarantine."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dagster import AssetKey, DagsterEventType, EventRecordsFilter


def test_every_row_becomes_a_certificate_or_is_quarantined(demo_home: Path, run, instance) -> None:
    result = run("refresh_all", "certificates", "quarantine")
    assert result.success
    accepted = pq.read_table(demo_home / "storage" / "certificates" / f"{result.run_id}.parquet")
    refused = pq.read_table(demo_home / "storage" / "quarantine" / f"{result.run_id}.parquet")
    assert accepted.num_rows + refused.num_rows == 600
    assert refused.num_rows == 2
    told = instance.get_latest_materialization_event(AssetKey("certificates")).asset_materialization.metadata
    assert told["rows"].value == accepted.num_rows
    assert told["rows_refused"].value == 2
    assert sum(told["reasons"].value.values()) == 2


def test_too_many_refused_rows_fail_the_run_and_keep_the_quarantine_and_what_is_live(
    demo_home: Path, run, read, failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run().success
    live = read().manifest()
    monkeypatch.setenv("KPI_MAX_REJECTED_SHARE", "0")
    result = run()
    assert "2 of 600 rows are refused (0.3%, limit 0.0%); the live figures stay" in failure(result)
    assert "mapping file" in failure(result)
    assert (demo_home / "storage" / "quarantine" / f"{result.run_id}.parquet").exists()
    assert not (demo_home / "storage" / "certificates" / f"{result.run_id}.parquet").exists()
    assert read().manifest() == live


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("KPI_SOURCE_URL", "sqlite:////nowhere/at-all.db", "at-all.db"),
        ("KPI_SOURCE_URL", "postgresql://u:s3cret@127.0.0.1:1/db", "127.0.0.1"),
        ("KPI_SOURCE_MAPPING", "/nowhere/mapping.toml", "no such mapping file"),
    ],
)
def test_a_source_that_cannot_be_read_fails_the_run_and_leaves_what_is_live(
    demo_home: Path, run, read, failure, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    assert run().success
    live = read().manifest()
    monkeypatch.setenv(variable, value)
    message = failure(run())
    assert told in message
    assert "s3cret" not in message
    assert read().manifest() == live


@pytest.mark.slow
def test_a_source_that_comes_back_is_read_at_the_next_try(
    demo_home: Path, run, read, instance, small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = demo_home / "away.db"
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{away}")
    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(run, "refresh_kpis")
        deadline = time.monotonic() + 30
        retried = EventRecordsFilter(DagsterEventType.STEP_UP_FOR_RETRY)
        while not instance.get_event_records(retried, limit=1):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        shutil.copy(small_demo, away)
        assert running.result().success
    assert "kpis" in read().manifest()


def test_without_a_chosen_source_the_run_says_how_to_choose_one(demo_home: Path, run, failure) -> None:
    (demo_home / "source.toml").unlink()
    assert "kpi load" in failure(run())

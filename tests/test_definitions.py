"""The assets, run by a real Dagster instance on the demo source and a real server."""

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dagster import AssetKey, DagsterInstance

from kpi_pipeline.definitions import defs
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.demo import write_demo
from kpi_pipeline.sources.selection import choose_source

TODAY = date(2024, 6, 28)


@pytest.fixture
def home(tmp_path: Path, cache_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REDIS_URL", cache_url)
    demo = tmp_path / "demo.db"
    write_demo(demo, rows=600, seed=1, today=TODAY, progress=None)
    choose_source(Settings(), f"sqlite:///{demo}", "edp", TODAY)
    return tmp_path / "home"


def run_all(instance: DagsterInstance):
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False)


def test_certificates_become_a_roll_up_that_reconciles(home: Path) -> None:
    with DagsterInstance.ephemeral() as instance:
        result = run_all(instance)
        assert result.success
        checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
        assert checks == {
            "rejected_share_within_limit": True,
            "totals_reconcile_with_certificates": True,
        }
        accepted = pq.read_table(home / "storage" / "certificates" / f"{result.run_id}.parquet").num_rows
        refused = pq.read_table(home / "storage" / "quarantine" / f"{result.run_id}.parquet").num_rows
        cells = pq.read_table(home / "storage" / "rollup" / f"{result.run_id}.parquet")
        assert accepted + refused == 600
        assert sum(cells["proposed_count"].to_pylist()) == accepted
        assert instance.get_latest_materialization_event(AssetKey("rollup")) is not None


def test_too_many_refused_rows_fail_the_run_and_keep_the_quarantine(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_MAX_REJECTED_SHARE", "0")
    with DagsterInstance.ephemeral() as instance:
        result = run_all(instance)
        assert not result.success
        assert (home / "storage" / "quarantine" / f"{result.run_id}.parquet").exists()
        assert not (home / "storage" / "certificates").exists()
        assert not (home / "storage" / "rollup").exists()

"""The roll-up asset sums certificates as of the business date and proves that nothing is lost."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kpi_pipeline.model.provenance import Provenance


def test_the_roll_up_reconciles_and_tells_where_it_comes_from(demo_home: Path, run) -> None:
    result = run("refresh_all", "certificates", "quarantine", "rollup")
    assert result.success
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"rejected_share_within_limit": True, "totals_reconcile_with_certificates": True}
    cells = pq.read_table(demo_home / "storage" / "rollup" / f"{result.run_id}.parquet")
    assert sum(cells["proposed_count"].to_pylist()) == 598
    provenance = Provenance.of(cells)
    assert provenance.as_of == "2024-06-28"
    assert provenance.mapping == "edp"
    assert provenance.read_at > 0


def test_an_earlier_business_date_rolls_up_fewer_certificates(
    demo_home: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AS_OF", "2023-06-28")
    result = run("refresh_all", "certificates", "quarantine", "rollup")
    cells = pq.read_table(demo_home / "storage" / "rollup" / f"{result.run_id}.parquet")
    assert 0 < sum(cells["proposed_count"].to_pylist()) < 598
    assert max(cells["month"].to_pylist()) == "2023-06"


def test_without_certificates_the_roll_up_says_what_to_run(demo_home: Path, run, failure) -> None:
    assert "materialize it first" in failure(run("refresh_all", "rollup"))

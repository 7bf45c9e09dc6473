"""The roll-up asset sums certificates and costs as of the business date and proves that nothing is lost."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from dagster import ExecuteInProcessResult

from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT, DAYS
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.selection import choose_source
from tests.conftest import DEMO_DAY

pytestmark = pytest.mark.slow

SOURCE = ("certificates", "quarantine", "costs", "cost_quarantine")


@pytest.fixture
def tables(demo_home: Path, run) -> Callable[[], tuple[ExecuteInProcessResult, dict[str, pa.Table]]]:
    """What a run of the roll-up stores, and the run."""

    def rolled() -> tuple[ExecuteInProcessResult, dict[str, pa.Table]]:
        result = run("refresh_all", *SOURCE, *ROLLUP_TABLES)
        assert result.success
        stored = {name: StoredTable.of_run(name, result.run_id) for name in ROLLUP_TABLES}
        return result, {name: table.table() for name, table in stored.items() if table is not None}

    return rolled


def at(table: pa.Table, place: int) -> pa.Table:
    """The rows of an evaluation day, or of the cohorts."""
    return table.filter(pc.equal(table["place"], place))


def test_the_roll_up_reconciles_and_tells_where_it_comes_from(tables) -> None:
    result, found = tables()
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks["totals_reconcile_with_certificates"]
    assert set(found["rollup"]["place"].to_pylist()) == {COHORT, *range(DAYS)}
    cohorts, today = at(found["rollup"], COHORT), at(found["rollup"], AS_OF)
    issued = pc.sum(cohorts["proposed_count"]).as_py()
    assert issued + pc.sum(cohorts["cancelled_count"]).as_py() == 598
    assert 0 < pc.sum(today["proposed_count"]).as_py() < issued
    assert 0 < pc.sum(today["cost_count"]).as_py() < pc.sum(cohorts["cost_count"]).as_py()
    proposed = pc.sum(found["monthly_flows"]["proposed_amount"]).as_py()
    assert proposed == pc.sum(cohorts["proposed_amount"]).as_py() > 0
    listed = Counter(at(found["work_lists"], AS_OF)["work_list"].to_pylist())
    assert listed["collect_today"] >= pc.sum(today["overdue_count"]).as_py() > 0
    to_correct = pc.sum(today["returned_count"]).as_py() + pc.sum(today["unsent_count"]).as_py()
    assert listed["correct_and_resend"] == to_correct > 0
    assert pc.sum(at(found["losses"], AS_OF)["reached_0-30_amount"]).as_py() > 0
    assert pc.sum(at(found["payment_times"], AS_OF)["paid"]).as_py() > 0
    assert {"rejection_reason", "supplier"} <= set(found["breakdowns"]["breakdown"].to_pylist())
    for table in found.values():
        provenance = Provenance.of(table)
        assert (provenance.as_of, provenance.mapping) == ("2024-06-28", "edp")
        assert provenance.read_at > 0


def test_an_earlier_business_date_rolls_up_fewer_certificates(
    tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AS_OF", "2023-06-28")
    _, found = tables()
    assert 0 < pc.sum(at(found["rollup"], COHORT)["proposed_count"]).as_py() < 598
    assert max(found["rollup"]["month"].to_pylist()) == "2023-06"
    assert max(found["monthly_flows"]["month"].to_pylist()) == "2023-06"


def test_where_kept_sums_are_damaged_all_rows_are_summed_again(tables, demo_home: Path) -> None:
    _, before = tables()
    storage = demo_home / "storage"
    for path in storage.glob("shard_sums/*/*.arrow"):
        content = path.read_bytes()
        path.write_bytes(b"\xff" * 64 + content[64:])
    # Else the newest roll-up would be confirmed.
    (storage / "rollup" / "latest").unlink()
    _, after = tables()
    for name in ("rollup", "work_lists"):
        assert after[name].equals(before[name])


def test_of_a_changed_month_alone_parts_are_written(
    tables, demo_home: Path, tmp_path: Path, small_demo: Path
) -> None:
    source = tmp_path / "changing.db"
    shutil.copy(small_demo, source)
    choose_source(Settings(), f"sqlite:///{source}", "edp", DEMO_DAY)
    tables()
    folder = demo_home / "storage" / "payment_times"
    before = {path: path.stat().st_ino for path in folder.glob("*.arrow")}
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(
            "UPDATE edp SET monto_propuesto = monto_propuesto + 1, updated_at = '2024-06-28 12:00:00' "
            "WHERE rowid = 5"
        )
    result, _ = tables()
    stored = StoredTable.of_run("payment_times", result.run_id)
    assert stored is not None
    assert len(set(stored.paths) - before.keys()) == 1
    assert {path: path.stat().st_ino for path in before} == before


def test_the_length_of_the_window_is_that_of_the_settings(tables, monkeypatch: pytest.MonkeyPatch) -> None:
    _, year = tables()
    monkeypatch.setenv("KPI_WINDOW_MONTHS", "6")
    _, half = tables()
    billed = [pc.sum(at(found["rollup"], AS_OF)["billed_amount"]).as_py() for found in (half, year)]
    assert 0 < billed[0] < billed[1]
    assert at(half["rollup"], COHORT)["billed_amount"].equals(at(year["rollup"], COHORT)["billed_amount"])


def test_thresholds_are_those_of_the_settings(tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_AMOUNT_CUTS", '{"CLP": [1, 2, 3]}')
    _, found = tables()
    assert set(found["rollup"]["amount_band"].to_pylist()) == {"", "muy alto"}


def test_without_certificates_the_roll_up_says_what_to_run(demo_home: Path, run, failure) -> None:
    assert "materialize it first" in failure(run("refresh_all", *ROLLUP_TABLES))


def test_sums_beyond_all_bounds_say_what_to_look_for(
    demo_home: Path, small_demo: Path, tmp_path: Path, run, failure
) -> None:
    """Each amount may be, and their ages weighted by them are more than 64 bits hold."""
    source = tmp_path / "absurd.db"
    shutil.copy(small_demo, source)
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("UPDATE edp SET monto_propuesto = 999999999999999, fecha_emision = '2010-01-04'")
    choose_source(Settings(), f"sqlite:///{source}", "edp", DEMO_DAY)
    told = failure(run("refresh_all", *SOURCE, *ROLLUP_TABLES))
    assert "more than 64 bits" in told
    assert "correct" in told

"""Certificates that stood as something else: cancelled, returned, paid twice, in part or in advance."""

import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_rollup
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.compute.rollup.totals import row_totals
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.extract import extract
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.slow

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
MARCH_END = date(2024, 3, 31)


class Figures:
    """The KPIs of some rows by their names; they must reconcile."""

    def __init__(self, certificates: pa.Table, as_of: date) -> None:
        costs = COST_SCHEMA.empty_table()
        rollup = roll_up(certificates, costs, as_of, Thresholds(), 12)
        self.cube = Cube(rollup, as_of, 12, Thresholds())
        assert reconcile_rollup(row_totals(certificates, costs, as_of), rollup) == []
        assert out_of_range(list(self.cube.slices())) == []

    def __call__(self, *names: str, **terms: str) -> tuple[Any, ...]:
        requested = Filter.of(terms) if terms else EVERYTHING
        by_name = {kpi.name: kpi for kpi in KPIS}
        (found,) = kpi_values(self.cube.select([requested]), [by_name[name] for name in names])
        return tuple(row["value"] for (row,) in found.values())


def figures(
    tmp_path: Path,
    name: str,
    as_of: date = MARCH_END,
    more: Mapping[str, str] | None = None,
    rows: str | None = None,
    refused: Mapping[str, int] | None = None,
) -> Figures:
    """The figures of a case, with more columns in its mapping and other rows where given.

    Refused are as many rows for each reason as given; none otherwise.
    """
    folder = CASES / name
    if not folder.exists():
        skip_or_fail(f"the case {name} is not in {CASES}")
    mapping = tomllib.loads((folder / "mapping.toml").read_text(encoding="utf-8"))
    mapping["columns"] |= more or {}
    if (folder / "data.sql").exists():
        with closing(sqlite3.connect(tmp_path / "data.db")) as database:
            database.executescript((folder / "data.sql").read_text(encoding="utf-8"))
        location = f"sqlite:///{tmp_path / 'data.db'}"
    elif rows is not None:
        location = str(tmp_path / "data.csv")
        Path(location).write_text(rows, encoding="utf-8")
    else:
        location = str(folder / "data.csv")
    parsed = SourceMapping.model_validate(mapping)
    extraction = extract(location, parsed)
    result = normalise(extraction.raw, parsed, extraction.log)
    assert result.reason_counts == (refused or {})
    return Figures(result.certificates, as_of)


def test_paid_then_closed_is_one_payment_on_its_first_day(tmp_path: Path) -> None:
    found = figures(tmp_path, "02-log-paid-then-closed", date(2024, 7, 31))
    # Issued on January 2, paid on February 1, due on February 10.
    assert found("payment_days", "late_days", "paid", "receivable") == (30, None, 2_000_000, 0)


def test_the_log_may_spell_a_project_otherwise(tmp_path: Path) -> None:
    found = figures(tmp_path, "03-log-key-spelled-otherwise", date(2024, 7, 31))
    assert found("payment_days", "paid", "receivable") == (30, 1_000_000, 0)


def test_one_certificate_in_three_spellings_is_one(tmp_path: Path) -> None:
    found = figures(tmp_path, "04-id-case-duplicate", date(2024, 7, 31), refused={"duplicate_certificate": 2})
    assert found("certificates", "receivable", "receivable_count") == (1, 1_000_000, 1)


def test_keys_that_read_alike_when_joined_are_two(tmp_path: Path) -> None:
    found = figures(tmp_path, "05-key-collision", date(2024, 7, 31))
    assert found("certificates", "receivable", "receivable_count") == (2, 2_000_000, 2)


@pytest.mark.parametrize(
    ("as_of", "rework", "rejection", "receivable", "returned"),
    [
        # Nothing had come back: 1 and 3 were accepted by their own dates, 2 waits for an answer.
        (date(2024, 3, 31), 0, 0, 3_000_000, 0),
        # 3 was rejected on May 15.
        (date(2024, 5, 31), 0, 0.5, 2_000_000, 1_000_000),
        # Of 1 rework was requested on June 10, 2 was rejected on the 15th: neither is owed.
        (date(2024, 6, 15), 1 / 3, 1, 0, 3_000_000),
        # 1 was paid on June 20, 3 was accepted on the 18th; 2 stays returned.
        (date(2024, 6, 30), 1 / 3, 1 / 3, 1_000_000, 1_000_000),
    ],
)
def test_what_came_back_later_had_not_yet(
    tmp_path: Path, as_of: date, rework: float, rejection: float, receivable: int, returned: int
) -> None:
    found = figures(tmp_path, "06-history-leak", as_of)
    names = ("rework_rate", "rejection_rate", "receivable", "returned")
    assert found(*names) == (rework, rejection, receivable, returned)


def test_cancelled_documents_are_left_out(tmp_path: Path) -> None:
    found = figures(tmp_path, "18-cancelled")
    # Ten of eleven rows of 1,000 stand; sent on January 1, 90 days ago.
    assert found("receivable", "receivable_count", "critical", "overdue") == (9_000, 9, 9_000, 9_000)
    assert found("cancelled_count") == (1,)


def test_a_credit_note_reduces_and_is_never_overdue(tmp_path: Path) -> None:
    found = figures(tmp_path, "19-credit-note")
    # 10 + 2 - 4 - 6 M are owed; the 10 M are overdue: more than the whole, which is no share.
    assert found("receivable", "overdue", "overdue_count", "overdue_share") == (
        2_000_000,
        10_000_000,
        1,
        None,
    )
    # Accepted were 10 + 5 + 2 - 4 - 6 M of three certificates; 60 days late still, and 15 days paid late.
    assert found("approved", "certificates", "late_days") == (7_000_000, 3, (60 + 15) / 2)
    # ACME has 11 M of the 7 M, and Beta -4 M: neither is a part of them.
    assert found("receivable", "approved", "revenue_share", client="ACME") == (6_000_000, 11_000_000, None)
    assert found("receivable", "overdue", "revenue_share", client="Beta") == (-4_000_000, 0, None)
    assert found("top_client_share", "client_concentration") == (None, None)


def test_an_advance_is_billed_and_collected(tmp_path: Path) -> None:
    found = figures(tmp_path, "20-paid-in-advance")
    assert found("approved", "paid", "certificates") == (80_000_000, 80_000_000, 31)
    # Thirty took 31 days, and the advance none; it is left out of the median.
    assert found("payment_days", "payment_days_median", "payment_days_p90") == (30 * 31 / 31, 31, 31)


def test_an_approved_amount_that_is_missing_is_assumed_and_counted(tmp_path: Path) -> None:
    found = figures(tmp_path, "23-approved-empty")
    assert found("receivable", "approved", "paid") == (10_000_000, 13_000_000, 3_000_000)
    assert found("approved_assumed_count") == (2,)


def test_a_new_firm_is_not_slow(tmp_path: Path) -> None:
    found = figures(tmp_path, "24-dso-new-firm")
    # Nothing is older than 59 days: two of two millions over the 60 days since February 1.
    assert found("dso", "receivable", "approved") == (60, 2_000_000, 2_000_000)


def test_where_nothing_ever_changes_nothing_grows(tmp_path: Path) -> None:
    found = figures(tmp_path, "50-steady", date(2024, 6, 30))
    names = ("growth_month", "growth_year", "acceptance_days", "payment_days", "fast_collection_rate")
    assert found(*names) == (0, 0, 40, 70, 0)
    # Months differ in length.
    assert found("dso", "dso_count_back") == (pytest.approx(70, abs=5), pytest.approx(70, abs=5))


def test_only_what_is_owed_is_receivable_aged_or_overdue(tmp_path: Path) -> None:
    found = figures(tmp_path, "26-ageing-vs-receivable")
    assert found("receivable", "overdue", "critical", "returned", "unsent") == (10, 10, 10, 100, 1000)
    assert found("receivable_count", "overdue_count", "returned_count", "unsent_count") == (1, 1, 1, 1)
    # Issued on March 1; the return has no day.
    assert found("unsent_days", "returned_days") == (30, None)


HEADER = "proyecto,n,cliente,emision,envio,conformidad,vence,pago,propuesto,aprobado,estado"
DATED = "P1,1,ACME,2024-01-01,2024-01-01,2024-01-05,2024-01-31"


def test_a_part_payment_without_its_columns_leaves_all_receivable(tmp_path: Path) -> None:
    found = figures(tmp_path, "27-partial-payment")
    assert found("receivable", "overdue", "retained") == (10_000_000, 10_000_000, 0)


@pytest.mark.parametrize(
    ("paid_on", "state", "paid", "retained", "left", "owed", "collected"),
    [
        ("2024-02-10", "validado", 9_500_000, "", 500_000, 1, 9_500_000),
        ("2024-02-10", "pagado", 9_500_000, "", 500_000, 1, 9_500_000),
        ("2024-02-10", "pagado", 9_500_000, 500_000, 0, 0, 9_500_000),
        ("2024-02-10", "validado", 9_500_000, 300_000, 200_000, 1, 9_500_000),
        # On an unknown day: since it was accepted, as far as anyone knows.
        ("", "validado", 9_500_000, 500_000, 0, 1, 9_500_000),
        ("", "pagado", 9_500_000, 500_000, 0, 0, 9_500_000),
        # Released, the retained amount is paid as well.
        ("2024-02-10", "pagado", 10_000_000, 0, 0, 0, 10_000_000),
        ("2024-02-10", "pagado", "", "", 0, 0, 10_000_000),
    ],
)
def test_a_part_payment_with_its_columns(
    tmp_path: Path,
    paid_on: str,
    state: str,
    paid: int | str,
    retained: int | str,
    left: int,
    owed: int,
    collected: int,
) -> None:
    row = f"{DATED},{paid_on},10000000,10000000,{state},{paid},{retained}"
    found = figures(
        tmp_path,
        "27-partial-payment",
        more={"amount_paid": "abonado", "amount_retained": "retenido"},
        rows=f"{HEADER},abonado,retenido\n{row}\n",
    )
    assert found("receivable", "overdue", "retained") == (left, left, retained or 0)
    assert found("receivable_count", "paid") == (owed, collected)

"""The statements of the roll-up: which rows take part on which day, and under which month."""

from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.evaluation_days import COHORT, DAYS, PREVIOUS
from tests.compute.rows import certificate, cost, history, rolled


def told(table: pa.Table, *names: str, **wanted: Any) -> list[tuple[Any, ...]]:
    """Some columns of the rows that hold something in the first of them, sorted."""
    rows = [row for row in table.to_pylist() if all(row[name] == value for name, value in wanted.items())]
    return sorted(tuple(row[name] for name in names) for row in rows if row[names[0]])


PAID = certificate(
    "2022-05-02",
    "pagado",
    sent_on="2022-05-03",
    conformity_on="2022-06-10",
    paid_on="2023-04-20",
    month=date(2022, 4, 1),
)


def test_a_flow_is_kept_by_the_month_of_its_own_event() -> None:
    spent = [cost("2023-11-05", paid_on="2024-02-01"), cost("2024-03-02", kind="capex")]
    monthly = rolled([PAID], costs=spent).monthly
    assert told(monthly, "proposed_amount", "month") == [(100, "2022-05")]
    assert told(monthly, "approved_amount", "month") == [(90, "2022-06")]
    assert told(monthly, "paid_amount", "month") == [(90, "2023-04")]
    assert told(monthly, "cost_opex_amount", "month") == [(10, "2023-11")]
    assert told(monthly, "cost_capex_amount", "month") == [(10, "2024-03")]
    assert told(monthly, "paid_out_amount", "month") == [(10, "2024-02")]


def test_cells_of_days_are_by_month_of_issue_and_of_cohorts_by_billing_month() -> None:
    cells = rolled([PAID]).cells
    assert told(cells, "paid_amount", "month", place=NOW) == [(90, "2022-05")]
    assert told(cells, "paid_amount", "month", place=COHORT) == [(90, "2022-04")]
    # On 15 March 2023 it was accepted, within the window, and not paid.
    assert told(cells, "receivable_amount", "state", place=PREVIOUS) == [(90, "validado")]
    assert told(cells, "approved_amount", place=PREVIOUS) == [(90,)]
    assert told(cells, "approved_amount", place=NOW) == []
    assert {row["place"] for row in cells.to_pylist()} == {COHORT, *range(DAYS)}


def test_what_is_settled_before_all_that_a_figure_reaches_is_of_cohorts_alone() -> None:
    old = certificate("2021-01-01", "pagado", conformity_on="2021-01-02", paid_on="2021-02-01")
    cells = rolled([old]).cells
    assert {row["place"] for row in cells.to_pylist()} == {COHORT}


@pytest.mark.parametrize(
    ("row", "on_as_of", "of_cohort"),
    [
        (certificate("2024-01-01", "rechazado", sent_on="2024-01-02"), 1, 1),
        (certificate("2021-01-01", "rechazado", sent_on="2021-01-02"), 1, 1),
        # Reworked, and accepted since: of those issued in the window.
        (certificate("2024-01-01", "validado", rework_count=1, conformity_on="2024-02-01"), 1, 1),
        (certificate("2023-03-15", "validado", rework_count=1, conformity_on="2024-02-01"), 0, 1),
        (certificate("2024-01-01", "validado", conformity_on="2024-02-01"), 0, 0),
        (certificate("2024-01-01", "anulado", rework_count=1), 0, 0),
        (
            certificate("2024-01-01", "enviado", sent_on="2024-01-02")
            | {"history": history(("2024-01-02", "sent"), ("2024-01-09", "rework"))},
            1,
            1,
        ),
    ],
)
def test_failures_are_of_what_is_returned_now_or_was_reworked(
    row: dict[str, Any], on_as_of: int, of_cohort: int
) -> None:
    rows = rolled([{**row, "failure_kind": "k"}]).breakdowns.to_pylist()
    counts = Counter(one["place"] for one in rows if one["breakdown"] == "failure_kind")
    assert counts == Counter({NOW: on_as_of, COHORT: of_cohort}) + Counter()


def test_reasons_are_of_what_is_returned_now() -> None:
    again = history(("2024-01-02", "sent"), ("2024-01-09", "rejected"), ("2024-01-20", "sent"))
    rows = [
        certificate("2024-01-01", "rechazado", sent_on="2024-01-02"),
        certificate("2024-01-01", "enviado", sent_on="2024-01-02") | {"history": again},
    ]
    breakdowns = rolled([{**row, "rejection_reason": f"r{at}"} for at, row in enumerate(rows)]).breakdowns
    assert {row["key"] for row in breakdowns.to_pylist()} == {"r0"}


def test_suppliers_are_of_invoices_of_the_window_or_of_the_months() -> None:
    spent = [cost("2023-03-16", supplier="new"), cost("2023-03-15", supplier="old")]
    breakdowns = rolled([], costs=spent).breakdowns
    assert told(breakdowns, "key", "amount", breakdown="supplier", place=NOW) == [("new", 10)]
    assert told(breakdowns, "key", "amount", breakdown="supplier", place=COHORT) == [("new", 10), ("old", 10)]


def test_costs_of_a_day_are_open_or_had_an_event_in_its_window() -> None:
    spent = [
        cost("2022-06-01", paid_on="2023-06-01"),
        cost("2022-07-01", amount=5),
        cost("2021-01-01", amount=7, paid_on="2021-02-01"),
    ]
    cells = rolled([], costs=spent).cells
    assert told(cells, "paid_out_amount", place=NOW) == [(10,)]
    assert told(cells, "cost_open_amount", place=NOW) == [(5,)]
    assert sum(row[0] for row in told(cells, "cost_open_amount", place=PREVIOUS)) == 15
    assert sum(row[0] for row in told(cells, "cost_opex_amount", place=PREVIOUS)) == 15
    assert sum(row[0] for row in told(cells, "cost_opex_amount", place=COHORT)) == 22


def test_work_lists_are_told_of_the_date_and_of_their_cohort() -> None:
    row = certificate("2024-01-01", sent_on="2024-01-02")
    unsent = certificate("2024-03-01", "revision")
    rows = rolled([row, certificate("2024-03-01", sent_on="2024-03-02"), unsent]).work_lists.to_pylist()
    assert [(one["place"], one["work_list"], one["certificate_id"], one["days"]) for one in rows] == [
        (COHORT, "collect_today", "0", 73),
        (NOW, "collect_today", "0", 73),
        (COHORT, "correct_and_resend", "2", None),
        (NOW, "correct_and_resend", "2", None),
        (COHORT, "oldest_open", "0", 73),
        (NOW, "oldest_open", "0", 73),
        (COHORT, "oldest_open", "1", 13),
        (NOW, "oldest_open", "1", 13),
        # What is watched, on the date alone.
        (NOW, "watched", "1", 13),
        (NOW, "watched", "2", None),
    ]


def test_days_of_payment_are_of_those_issued_in_the_window() -> None:
    rows = [
        PAID,
        certificate("2023-12-01", "pagado", paid_on="2023-12-11"),
        certificate("2024-03-05", sent_on="2024-03-05"),
    ]
    times = rolled(rows).payment_times
    # Of two states, hence of two cells.
    assert told(times, "days", "paid", "open", place=NOW) == [(10, 0, 1), (10, 1, 0)]
    assert (353, 1, 0) in told(times, "days", "paid", "open", place=COHORT)
    # On 15 March 2023 it was open at the age of 317 days.
    assert told(times, "days", "paid", "open", place=PREVIOUS) == [(317, 0, 1)]

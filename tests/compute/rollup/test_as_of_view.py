"""How certificates stand on a day: known answers, and a naive computation one certificate at a time."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.model.components import AGEING_BUCKETS, COMPONENT_NAMES, STOCK_COMPONENTS
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from tests.compute.rows import AS_OF, certificate, certificates, rolled, sums, values

CELL = ("month", "client", "project", "project_manager", "administrator", "state", "project_type", "currency")


def test_a_claim_that_waits_for_long_is_overdue_critical_and_waited_for() -> None:
    row = certificate("2024-01-10", sent_on="2024-01-12", amount_proposed=6_000_000)
    found = rolled([row])
    stocks = ("receivable", "portfolio", "pending", "open", "overdue", "critical")
    pairs = ("proposed", *stocks, "ageing_61-90", "due_31-60", "state_enviado")
    amounts = ("receivable_61-90", "waiting")
    counts = (
        "high",
        "sending_days",
        "late_days",
        "waiting_days",
        "idle_days",
        "idle_critical",
        "due_assumed",
    )
    assert sums(found.cells) == [
        {
            **{f"{stem}_amount": 6_000_000 for stem in (*pairs, *amounts)},
            **{f"{stem}_count": 1 for stem in (*pairs, *counts)},
            "sending_days": 2,
            "late_days": 33,
            "critical_age": 63,
            "waiting_days": 63,
            "idle_days": 63,
            "open_age_amount": 6_000_000 * 65,
            "forecast_unknown": 6_000_000,
        }
    ]
    assert values(found.cells, *DIMENSION_NAMES, "currency") == [
        ("2024-01", "x", "x", "x", "x", "enviado", "x", "alto", "60-89", "CLP")
    ]


def test_a_payment_counts_in_the_month_of_billing_and_in_that_of_payment() -> None:
    row = certificate(
        "2023-11-01",
        "pagado",
        sent_on="2023-11-03",
        conformity_on="2023-11-20",
        expected_payment_on="2023-12-10",
        paid_on="2023-12-20",
        amount_proposed=900,
        amount_approved=800,
    )
    found = rolled([row])
    days = {
        "sending_days": 2,
        "acceptance_days": 17,
        "settling_days": 30,
        "payment_days": 49,
        "cycle_days": 49,
        "late_days": 10,
    }
    counts = ("proposed", "approved", "paid", "decided", "first_pass", "fast", "state_pagado")
    billed = {
        **{f"{stem}_amount": 900 for stem in ("proposed", "decided_proposed", "state_pagado")},
        **{f"{stem}_amount": 800 for stem in ("approved", "paid")},
        **{f"{stem}_count": 1 for stem in (*counts, *days)},
        **days,
    }
    assert sums(found.cells) == [billed, {"collected_amount": 800, "collected_count": 1}]
    assert found.cells["month"].to_pylist() == ["2023-11", "2023-12"]
    assert values(found.breakdowns, "month", "breakdown", "key", "amount", "count") == [
        ("2023-11", "payment_days", "00049", 0, 1)
    ]


def test_a_payment_on_an_unknown_day_is_paid_but_not_collected() -> None:
    found = rolled([certificate("2024-01-10", "pagado")])
    (cell,) = sums(found.cells)
    assert cell["paid_amount"] == 90
    assert not cell.keys() & {"collected_count", "payment_days_count", "cycle_days_count", "open_count"}
    assert (found.positions.num_rows, found.breakdowns.num_rows) == (0, 0)


def test_buckets_are_reached_and_left_by_what_was_issued_long_ago() -> None:
    issued = AS_OF - timedelta(365)
    rows = [
        certificate(issued, amount_proposed=1),
        certificate(issued, "pagado", amount_approved=10) | {"paid_on": issued + timedelta(31)},
        certificate(issued, "pagado", amount_approved=100) | {"paid_on": issued + timedelta(30)},
        certificate(issued, "rechazado", amount_proposed=1000),
        certificate(issued + timedelta(1), amount_proposed=10_000),
    ]
    totals = Counter[str]()
    for cell in sums(rolled(rows).cells):
        totals.update(cell)
    reached = {label: totals[f"reached_{label}_amount"] for label, _, _ in AGEING_BUCKETS}
    left = {label: totals[f"rolled_{label}_amount"] for label, _, _ in AGEING_BUCKETS}
    assert reached == {"0-30": 111, "31-60": 11, "61-90": 1, "91-120": 1, "120+": 1}
    assert left == {"0-30": 11, "31-60": 1, "61-90": 1, "91-120": 1, "120+": 1}


def test_dates_out_of_order_give_no_days() -> None:
    row = certificate(
        "2024-01-10", "pagado", sent_on="2024-01-05", conformity_on="2024-02-10", paid_on="2024-02-01"
    )
    (cell, _) = sums(rolled([row]).cells)
    assert not cell.keys() & {"sending_days_count", "settling_days_count", "cycle_days_count"}
    assert (cell["acceptance_days"], cell["payment_days"]) == (36, 22)


def test_a_state_is_walked_back_past_what_is_dated_later() -> None:
    row = certificate(
        "2024-01-31", "pagado", sent_on="2024-02-10", conformity_on="2024-03-10", paid_on="2024-04-10"
    )
    found = rolled([row], "2024-05-31").positions.sort_by("month")
    assert values(found, "month", "state", "open_amount", "receivable_amount") == [
        ("2024-01", "revision", 100, 0),
        ("2024-02", "enviado", 100, 100),
        ("2024-03", "validado", 90, 90),
    ]


@pytest.mark.parametrize(("days", "critical"), [(60, 0), (61, 1)])
def test_critical_begins_the_day_after_the_threshold(days: int, critical: int) -> None:
    row = certificate(AS_OF - timedelta(days)) | {"sent_on": AS_OF - timedelta(days)}
    found = rolled([row])
    assert found.cells["critical_count"].to_pylist() == [critical]
    assert found.critical.num_rows == critical


@pytest.mark.parametrize(
    ("age", "idle", "level"),
    [
        (6, 6, None),
        (7, 7, "notice"),
        (14, 14, "warning"),
        (21, 21, "urgent"),
        (29, 29, "urgent"),
        (30, 30, "critical"),
    ],
)
def test_only_the_highest_level_without_movement_counts(age: int, idle: int, level: str | None) -> None:
    (cell,) = sums(rolled([certificate(AS_OF - timedelta(age), "revision")]).cells)
    found = [name for name in cell if name.startswith("idle_") and name != "idle_days_count"]
    assert cell["idle_days"] == idle
    assert found == ["idle_days", *([f"idle_{level}_count"] if level else [])]


def test_a_rejected_certificate_is_open_but_neither_claimed_nor_awaited() -> None:
    row = certificate("2024-01-10", "rechazado", sent_on="2024-01-10", rejection_reason="otros")
    found = rolled([row])
    (cell,) = sums(found.cells)
    assert {name for name in STOCK_COMPONENTS if name in cell} == {
        *(
            "open_amount",
            "open_count",
            "overdue_amount",
            "overdue_count",
            "critical_amount",
            "critical_count",
        ),
        *("open_age_amount", "critical_age", "due_assumed_count"),
    }
    assert values(found.critical, "idle_days") == [(None,)]


def test_bands_of_amount_are_those_of_the_currency() -> None:
    amounts = {
        "CLP": (999_999, 1_000_000, 5_000_000, 10_000_000),
        "USD": (99_999, 100_000, 500_000, 1_000_000),
    }
    rows = [
        certificate("2024-03-01", currency=currency, amount_proposed=amount)
        for currency, some in amounts.items()
        for amount in some
    ]
    found = rolled(rows).cells
    bands = {
        (row["currency"], row["proposed_amount"]): (row["amount_band"], row["high_count"])
        for row in found.to_pylist()
    }
    expected = (("bajo", 0), ("medio", 1), ("alto", 1), ("muy alto", 1))
    for currency, some in amounts.items():
        assert tuple(bands[currency, amount] for amount in some) == expected


@pytest.mark.parametrize(
    ("age", "label"), [(0, "0-6"), (6, "0-6"), (7, "7-13"), (364, "180-364"), (365, "365-729"), (730, "730+")]
)
def test_days_since_issue_are_banded(age: int, label: str) -> None:
    assert rolled([certificate(AS_OF - timedelta(age))]).cells["issued_age"].to_pylist() == [label]


def state_on(row: dict, day: date) -> str:
    passed = {"sent": True, "accepted": True, "paid": True}
    before = True
    for stage, milestone in (("sent", "sent_on"), ("accepted", "conformity_on"), ("paid", "paid_on")):
        before = passed[stage] = before if row[milestone] is None else row[milestone] <= day
    state = row["state"]
    if state == "pagado" and not passed["paid"]:
        state = "validado"
    if state == "validado" and not passed["accepted"]:
        state = "enviado"
    if state in {"enviado", "pendiente", "rechazado"} and not passed["sent"]:
        state = "revision"
    return state


def bucket(age: int) -> str:
    return next(
        label
        for label, last in {"0-30": 30, "31-60": 60, "61-90": 90, "91-120": 120, "120+": 10**9}.items()
        if age <= last
    )


def naive(rows: list[dict]) -> dict[tuple, Counter]:
    cells: dict[tuple, Counter] = {}
    for row in rows:
        if row["issued_on"] > AS_OF:
            continue
        state, sent, conformity = state_on(row, AS_OF), row["sent_on"], row["conformity_on"]
        proposed, approved = row["amount_proposed"], row["amount_approved"]
        sent_by_now = sent is not None and sent <= AS_OF
        accepted, is_open = state in {"validado", "pagado"}, state != "pagado"
        left = approved if accepted else proposed
        due = row["expected_payment_on"] or (sent + timedelta(30) if sent_by_now else None)
        sums = Counter({f"state_{state}_amount": proposed, f"state_{state}_count": 1})

        def add(stem: str, amount: int, when: bool, sums: Counter = sums) -> None:
            if when:
                sums[f"{stem}_amount"] += amount
                sums[f"{stem}_count"] += 1

        add("proposed", proposed, True)
        add("approved", approved, accepted)
        add("paid", approved, not is_open)
        add("receivable", left, state in {"enviado", "pendiente", "validado"})
        add("open", left, is_open)
        add("overdue", left, is_open and due is not None and due < AS_OF)
        add("critical", left, is_open and sent_by_now and (AS_OF - sent).days > 60)
        add(f"ageing_{bucket((AS_OF - row['issued_on']).days)}", left, is_open)
        if accepted or state == "rechazado":
            sums["decided_proposed_amount"] += proposed
            sums["decided_count"] += 1
        sums["rejected_count"] += state == "rechazado"
        sums["due_assumed_count"] += is_open and row["expected_payment_on"] is None and due is not None
        if sent_by_now and conformity and conformity <= AS_OF:
            sums["acceptance_days"] += (conformity - sent).days
            sums["acceptance_days_count"] += 1
        answered = conformity is not None and conformity <= AS_OF
        if sent_by_now and state in {"enviado", "pendiente"} and not answered:
            sums["waiting_days"] += (AS_OF - sent).days
            sums["waiting_days_count"] += 1
        month = row["issued_on"].strftime("%Y-%m")
        others = tuple(state if name == "state" else row[name] for name in CELL[1:])
        cells.setdefault((month, *others), Counter()).update(sums)
        if not is_open and row["paid_on"]:
            collected = Counter({"collected_amount": approved, "collected_count": 1})
            cells.setdefault((row["paid_on"].strftime("%Y-%m"), *others), Counter()).update(collected)
    return cells


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(certificates(), max_size=20))
def test_components_equal_the_naive_sums(rows: list[dict[str, Any]]) -> None:
    fast: dict[tuple[str, ...], Counter[str]] = {}
    for cell in rolled(rows).cells.to_pylist():
        place = fast.setdefault(tuple(cell[name] for name in CELL), Counter())
        place.update({name: cell[name] for name in COMPONENT_NAMES})
    slow = naive(rows)
    assert fast.keys() == slow.keys()
    computed = {name for one in slow.values() for name in one}
    assert computed <= set(COMPONENT_NAMES)
    for key, expected in slow.items():
        assert {name: fast[key][name] for name in computed} == {name: expected[name] for name in computed}

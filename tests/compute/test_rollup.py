"""The roll-up equals a naive computation, one certificate at a time."""

from collections import Counter
from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.rollup import ROLLUP_SCHEMA, roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds

AS_OF = date(2024, 3, 15)
CELL = ("month", "client", "project", "project_manager", "administrator", "state", "project_type", "currency")
near = st.integers(-200, 40).map(lambda days: AS_OF + timedelta(days))
maybe = st.none() | near


@st.composite
def certificate(draw: st.DrawFn) -> dict:
    issued = draw(near)
    sent = draw(st.none() | st.integers(0, 60).map(lambda days: issued + timedelta(days)))
    conformity = draw(st.none() | st.integers(0, 60).map(lambda days: (sent or issued) + timedelta(days)))
    return {
        "project": draw(st.sampled_from(["P1", "P2"])),
        "client": draw(st.sampled_from(["A", "B"])),
        "project_manager": "M",
        "administrator": "G",
        "project_type": "T",
        "state": draw(
            st.sampled_from(["revision", "enviado", "pendiente", "validado", "pagado", "rechazado"])
        ),
        "month": issued.replace(day=1),
        "issued_on": issued,
        "sent_on": sent,
        "conformity_on": conformity,
        "expected_payment_on": draw(maybe),
        "paid_on": draw(st.none() | st.integers(0, 150).map(lambda days: issued + timedelta(days))),
        "currency": draw(st.sampled_from(["CLP", "USD"])),
        "amount_proposed": draw(st.integers(-1000, 10**10)),
        "amount_approved": draw(st.integers(-1000, 10**10)),
        "rework_count": 0,
        "rejection_count": 0,
    }


def table(rows: list[dict]) -> pa.Table:
    full = [
        {name: row.get(name) for name in CERTIFICATE_SCHEMA.names} | {"certificate_id": str(number)}
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(full, schema=CERTIFICATE_SCHEMA)


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
            sums["acceptance_count"] += 1
        answered = conformity is not None and conformity <= AS_OF
        if sent_by_now and state in {"enviado", "pendiente"} and not answered:
            sums["waiting_days"] += (AS_OF - sent).days
            sums["waiting_count"] += 1
        month = row["issued_on"].strftime("%Y-%m")
        others = tuple(state if name == "state" else row[name] for name in CELL[1:])
        cells.setdefault((month, *others), Counter()).update(sums)
        if not is_open and row["paid_on"]:
            collected = Counter({"collected_amount": approved, "collected_count": 1})
            cells.setdefault((row["paid_on"].strftime("%Y-%m"), *others), Counter()).update(collected)
    return cells


@settings(max_examples=150)
@given(st.lists(certificate(), max_size=25))
def test_every_component_of_every_cell_equals_the_naive_sum(rows: list[dict]) -> None:
    found = roll_up(table(rows), AS_OF, Thresholds())
    assert found.schema.equals(ROLLUP_SCHEMA)
    fast = {tuple(cell[name] for name in CELL): cell for cell in found.to_pylist()}
    slow = naive(rows)
    assert fast.keys() == slow.keys()
    components = [name for name in found.schema.names if name not in CELL]
    for key, sums in slow.items():
        assert {name: fast[key][name] for name in components} == {name: sums[name] for name in components}


def test_no_certificates_give_an_empty_roll_up() -> None:
    found = roll_up(table([]), AS_OF, Thresholds())
    assert found.num_rows == 0
    assert found.schema.equals(ROLLUP_SCHEMA)


def test_a_certificate_issued_after_the_date_does_not_exist_yet() -> None:
    row = certificate_of("enviado", issued=AS_OF + timedelta(1))
    assert roll_up(table([row]), AS_OF, Thresholds()).num_rows == 0
    assert roll_up(table([row]), AS_OF + timedelta(1), Thresholds()).num_rows == 1


@pytest.mark.parametrize(("days", "critical"), [(60, 0), (61, 1)])
def test_critical_begins_the_day_after_the_threshold(days: int, critical: int) -> None:
    sent = AS_OF - timedelta(days)
    found = roll_up(table([certificate_of("enviado", issued=sent) | {"sent_on": sent}]), AS_OF, Thresholds())
    assert found["critical_count"].to_pylist() == [critical]


def certificate_of(state: str, issued: date) -> dict:
    return {
        **dict.fromkeys(("project", "client", "project_manager", "administrator", "project_type"), "x"),
        "state": state,
        "month": issued.replace(day=1),
        "issued_on": issued,
        "currency": "CLP",
        "amount_proposed": 10,
        "amount_approved": 9,
        "rework_count": 0,
        "rejection_count": 0,
    }

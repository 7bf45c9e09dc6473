"""Certificates and costs made by hand or at random, and what they roll up to."""

import pickle
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.components import COMPONENT_NAMES
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds

AS_OF = date(2024, 3, 15)
NAMES = dict.fromkeys(("project", "client", "project_manager", "administrator", "project_type"), "x")
STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado", "anulado")
EVENTS = ("sent", "accepted", "rejected", "rework", "cancelled", "paid")
RETURNING = ("rejected", "rework", "cancelled")

near = st.integers(-400, 40).map(lambda days: AS_OF + timedelta(days))
gap = st.none() | st.integers(0, 90)


def day(text: str) -> date:
    return date.fromisoformat(text)


def certificate(issued: str | date, state: str = "enviado", **given: Any) -> dict[str, Any]:
    issued_on = day(issued) if isinstance(issued, str) else issued
    plain = {
        **NAMES,
        "state": state,
        "month": issued_on.replace(day=1),
        "issued_on": issued_on,
        "currency": "CLP",
        "amount_proposed": 100,
        "amount_approved": 90,
        "approved_assumed": False,
        "rework_count": 0,
        "rejection_count": 0,
    }
    return plain | _with_days(given)


def _with_days(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: day(value) if name.endswith("_on") and value is not None else value
        for name, value in given.items()
    }


def cost(invoiced: str, **given: Any) -> dict[str, Any]:
    invoiced_on = day(invoiced)
    plain = {
        **NAMES,
        "cost_id": invoiced,
        "month": invoiced_on.replace(day=1),
        "invoiced_on": invoiced_on,
        "currency": "CLP",
        "amount": 10,
        "kind": "opex",
        "supplier": "S",
        "category": "K",
    }
    return plain | _with_days(given)


def rolled(
    certificates: Iterable[dict[str, Any]],
    as_of: date | str = AS_OF,
    costs: Iterable[dict[str, Any]] = (),
    **thresholds: Any,
) -> Rollup:
    return rolled_up(
        table(certificates), cost_table(costs), date.fromisoformat(str(as_of)), Thresholds(**thresholds), 12
    )


def rolled_up(
    certificates: pa.Table, costs: pa.Table, as_of: date, thresholds: Thresholds, window: int
) -> Rollup:
    """The roll-up, which tests of one table share: it is made once of equal rows."""
    return _rolled_up(pickle.dumps((certificates, costs)), as_of, pickle.dumps(thresholds), window)


@lru_cache(maxsize=64)
def _rolled_up(tables: bytes, as_of: date, thresholds: bytes, window: int) -> Rollup:
    return roll_up(*pickle.loads(tables), as_of, pickle.loads(thresholds), window)


def table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    full = [
        {name: row.get(name) for name in CERTIFICATE_SCHEMA.names}
        | {"certificate_id": row.get("certificate_id", str(number))}
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(full, schema=CERTIFICATE_SCHEMA)


def cost_table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in COST_SCHEMA.names} for row in rows], schema=COST_SCHEMA
    )


def sums(cells: pa.Table) -> list[dict[str, int]]:
    """The components of each cell that are not 0."""
    return [{name: row[name] for name in COMPONENT_NAMES if row[name]} for row in cells.to_pylist()]


def values(rows: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows.to_pylist()]


def history(*events: tuple[str | date, str]) -> list[dict[str, Any]]:
    """A history of events by their days, in this order."""
    return [{"day": day(on) if isinstance(on, str) else on, "event": event} for on, event in events]


@st.composite
def histories(draw: st.DrawFn, row: dict[str, Any]) -> list[dict[str, Any]] | None:
    """None, or the events of a certificate that came back: its own dates', and those of a log, by day."""
    back = draw(st.lists(st.sampled_from(RETURNING), max_size=2))
    if not back:
        return None
    names = [*back, *draw(st.lists(st.sampled_from(EVENTS), max_size=3))]
    own = [
        (row[milestone], event)
        for milestone, event in (("sent_on", "sent"), ("conformity_on", "accepted"), ("paid_on", "paid"))
        if row[milestone] is not None
    ]
    logged = [(row["issued_on"] + timedelta(draw(st.integers(0, 200))), name) for name in names]
    # A stable sort: what the row says of a day comes before what the log says of it.
    return history(*sorted([*own, *logged], key=lambda event: event[0]))


amounts = st.integers(-1000, 10**9)
counts = st.sampled_from([0, 0, 1, None])


@st.composite
def certificates(draw: st.DrawFn) -> dict[str, Any]:
    issued = draw(near)
    sent, conformity = draw(gap), draw(gap)
    paid = draw(st.none() | st.integers(-30, 120))
    sent_on = None if sent is None else issued + timedelta(sent)
    approved = draw(amounts)
    row = certificate(issued, draw(st.sampled_from(STATES))) | {
        "project": draw(st.sampled_from(["P1", "P2"])),
        "client": draw(st.sampled_from(["A", "B"])),
        "sent_on": sent_on,
        "conformity_on": None if conformity is None else (sent_on or issued) + timedelta(conformity),
        "expected_payment_on": draw(st.none() | near),
        "paid_on": None if paid is None else issued + timedelta(paid),
        "currency": draw(st.sampled_from(["CLP", "USD"])),
        "amount_proposed": draw(amounts),
        "amount_approved": approved,
        "approved_assumed": draw(st.booleans()),
        # Paid in part, whole, or by more than was approved; mostly there is no such column.
        "amount_paid": draw(st.sampled_from([None, None, 0, approved // 2, approved, approved + 7])),
        "amount_retained": draw(st.sampled_from([None, None, 0, approved // 20])),
        "rework_count": draw(counts),
        "rejection_count": draw(counts),
    }
    return row | {"history": draw(histories(row))}


@st.composite
def costs(draw: st.DrawFn) -> dict[str, Any]:
    invoiced = draw(near)
    return cost(str(invoiced), amount=draw(st.integers(-(10**6), 10**9))) | {
        "kind": draw(st.sampled_from(["opex", "capex"])),
        "paid_on": draw(st.none() | near),
        "currency": draw(st.sampled_from(["CLP", "USD"])),
        "project": draw(st.sampled_from(["P1", "P2"])),
    }

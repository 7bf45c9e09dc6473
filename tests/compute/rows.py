"""Certificates and costs made by hand or at random, and what they roll up to."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from kpi_pipeline.compute.rollup.rollup import Rollup, roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.components import COMPONENT_NAMES
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds

AS_OF = date(2024, 3, 15)
NAMES = dict.fromkeys(("project", "client", "project_manager", "administrator", "project_type"), "x")
STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")

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
        "rework_count": 0,
        "rejection_count": 0,
    }
    return {**plain, **{name: day(value) if name.endswith("_on") else value for name, value in given.items()}}


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
    return {**plain, **{name: day(value) if name.endswith("_on") else value for name, value in given.items()}}


def rolled(
    certificates: Iterable[dict[str, Any]],
    as_of: date | str = AS_OF,
    costs: Iterable[dict[str, Any]] = (),
    **thresholds: Any,
) -> Rollup:
    return roll_up(
        table(certificates), cost_table(costs), date.fromisoformat(str(as_of)), Thresholds(**thresholds)
    )


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


@st.composite
def certificates(draw: st.DrawFn) -> dict[str, Any]:
    issued = draw(near)
    sent, conformity, paid = (draw(gap) for _ in range(3))
    sent_on = None if sent is None else issued + timedelta(sent)
    return certificate(issued, draw(st.sampled_from(STATES))) | {
        "project": draw(st.sampled_from(["P1", "P2"])),
        "client": draw(st.sampled_from(["A", "B"])),
        "sent_on": sent_on,
        "conformity_on": None if conformity is None else (sent_on or issued) + timedelta(conformity),
        "expected_payment_on": draw(st.none() | near),
        "paid_on": None if paid is None else issued + timedelta(paid),
        "currency": draw(st.sampled_from(["CLP", "USD"])),
        "amount_proposed": draw(st.integers(-1000, 10**9)),
        "amount_approved": draw(st.integers(-1000, 10**9)),
        "rework_count": draw(st.integers(0, 1)),
    }


@st.composite
def costs(draw: st.DrawFn) -> dict[str, Any]:
    invoiced = draw(near)
    return cost(str(invoiced), amount=draw(st.integers(-(10**6), 10**9))) | {
        "kind": draw(st.sampled_from(["opex", "capex"])),
        "paid_on": draw(st.none() | near),
        "currency": draw(st.sampled_from(["CLP", "USD"])),
        "project": draw(st.sampled_from(["P1", "P2"])),
    }

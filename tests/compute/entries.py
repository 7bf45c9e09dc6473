"""Certificates and costs at random, all of them happened by `AS_OF`, how they stand, and edits of them."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.compute.rows import AS_OF, STATES

Row = dict[str, Any]

VALUES = {
    "client": ["Ácido", "acero", "Zinc"],
    "project": ["P1", "P2"],
    "project_manager": ["M1", "M2"],
}
ago = st.integers(0, 900) | st.sampled_from([0, 6, 7, 13, 14, 29, 30, 59, 89, 90, 364, 365])
around = st.integers(-90, 90).map(lambda days: AS_OF + timedelta(days))
amount = st.integers(-100, 10**9) | st.sampled_from([0, 1_000_000, 10_000_000])
shared = {
    **{name: st.sampled_from(values) for name, values in VALUES.items()},
    "currency": st.sampled_from(["CLP", "USD"]),
}


def later(day: date, most: int) -> st.SearchStrategy[date | None]:
    """Some days after a day, none of them to come; or never."""
    return st.none() | st.integers(0, most).map(lambda days: min(day + timedelta(days), AS_OF))


@st.composite
def certificate(draw: st.DrawFn) -> Row:
    """A certificate that has happened by `AS_OF`: issued, sent, accepted and paid in that order."""
    issued = AS_OF - timedelta(draw(ago))
    sent = draw(later(issued, 90))
    accepted = draw(later(sent or issued, 90))
    paid = draw(later(accepted or sent or issued, 90))
    return {
        **{name: draw(one) for name, one in shared.items()},
        "state": draw(st.sampled_from(STATES)),
        "issued_on": issued,
        "month": draw(st.just(issued) | st.dates(date(2022, 1, 1), date(2024, 5, 1))).replace(day=1),
        "sent_on": sent,
        "conformity_on": accepted,
        "paid_on": paid,
        "expected_payment_on": draw(st.none() | around),
        "amount_proposed": draw(amount),
        "amount_approved": draw(amount),
        "rework_count": draw(st.integers(0, 1)),
        "rejection_reason": draw(st.sampled_from([None, "r1", "r2"])),
        "failure_kind": draw(st.sampled_from([None, "k1", "k2"])),
    }


@st.composite
def cost(draw: st.DrawFn) -> Row:
    """A cost invoiced, and perhaps paid, by `AS_OF`."""
    invoiced = AS_OF - timedelta(draw(ago))
    return {
        **{name: draw(one) for name, one in shared.items()},
        "amount": draw(st.integers(1, 10**9)),
        "kind": draw(st.sampled_from(["opex", "capex"])),
        "supplier": draw(st.sampled_from(["S1", "S2"])),
        "invoiced_on": invoiced,
        "paid_on": draw(later(invoiced, 60)),
    }


def standing(row: Row) -> str | None:
    """The state of such a certificate on `AS_OF`; None of a cancelled one."""
    if row["state"] == "anulado":
        return None
    if row["paid_on"]:
        return "pagado"
    if row["conformity_on"] or row["state"] in ("validado", "pagado"):
        return "pagado" if row["state"] == "pagado" else "validado"
    if row["state"] == "revision":
        return "enviado" if row["sent_on"] else "revision"
    return row["state"]


COLUMNS = (
    *(*VALUES, "currency", "state", "month", "issued_on", "sent_on", "conformity_on", "paid_on"),
    *("expected_payment_on", "amount_proposed", "amount_approved", "amount", "rework_count"),
    *("rejection_reason", "supplier", "kind"),
)
at = st.integers(0, 9)
edit = (
    st.tuples(st.just("insert"), certificate() | cost())
    | st.tuples(st.just("delete"), at, st.booleans())
    | st.tuples(st.just("put"), at, certificate() | cost(), st.sets(st.sampled_from(COLUMNS), min_size=1))
)


def edited(rows: list[Row], spent: list[Row], edits: list[Any]) -> tuple[list[Row], list[Row]]:
    """Certificates and costs after some edits; those that are not touched stay the same."""
    rows, spent = list(rows), list(spent)
    for number, (kind, *how) in enumerate(edits):
        if kind == "insert":
            (row,) = how
            table, name = (spent, "cost_id") if "supplier" in row else (rows, "certificate_id")
            table.append({**row, name: f"new {number}"})
        elif kind == "delete":
            place, of_costs = how
            del (spent if of_costs else rows)[place : place + 1]
        else:
            place, other, names = how
            table = spent if "supplier" in other else rows
            table[place : place + 1] = [
                {**row, **{name: other[name] for name in names if name in other}}
                for row in table[place : place + 1]
            ]
    return rows, spent

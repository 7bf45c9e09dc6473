"""Checks that totals agree at each step; each returns its problems as sentences."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.rollup.rollup import Rollup
from kpi_pipeline.model.components import (
    AGEING_BUCKETS,
    COMPONENT_INDEX,
    COMPONENT_NAMES,
    COMPONENTS,
    DUE_BUCKETS,
    IDLE_LEVELS,
    STOCK_COMPONENTS,
    ComponentKind,
)
from kpi_pipeline.model.costs import CostKind
from kpi_pipeline.model.dimensions import NOT_OF_COSTS
from kpi_pipeline.model.states import State

_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "proposed_count": ("open_count", "paid_count"),
    "decided_count": ("approved_count", "rejected_count"),
    "open_count": tuple(f"ageing_{label}_count" for label, _, _ in AGEING_BUCKETS),
    "open_amount": tuple(f"due_{label}_amount" for label in DUE_BUCKETS),
    "portfolio_count": tuple(
        f"state_{state.value}_count" for state in State if state not in (State.PAID, State.REJECTED)
    ),
    "proposed_amount": tuple(f"state_{state.value}_amount" for state in State),
    "receivable_amount": tuple(f"receivable_{label}_amount" for label, _, _ in AGEING_BUCKETS),
}
"""Components and those that they are made of: they add up exactly."""

_AT_MOST: Final[dict[str, str]] = {
    "overdue_count": "open_count",
    "critical_count": "open_count",
    "receivable_count": "portfolio_count",
    "pending_count": "portfolio_count",
    "due_assumed_count": "open_count",
    "acceptance_days_count": "proposed_count",
    "payment_days_count": "paid_count",
    "cycle_days_count": "payment_days_count",
    "waiting_days_count": "receivable_count",
    "first_pass_count": "approved_count",
    "reworked_count": "proposed_count",
    **{f"idle_{level}_count": "idle_days_count" for level, _, _ in IDLE_LEVELS},
}
"""Counts and those that they can never exceed."""

_NOT_NEGATIVE: Final = tuple(
    name for name in COMPONENT_NAMES if name.endswith(("_count", "_days")) or name.startswith("variance_")
)
_RECONCILED: Final = {
    name: name
    for name in (
        *("proposed_count", "proposed_amount", "collected_count", "collected_amount"),
        *("cost_count", "cost_opex_amount", "cost_capex_amount", "cost_paid_amount", "paid_out_amount"),
    )
}
_RECONCILED_BREAKDOWNS: Final = ("payment_days", "supplier", "cost_category")
_ROWS: Final = "currency"
_EVERYTHING: Final = "everything"
_OF_COSTS: Final = (ComponentKind.COST, ComponentKind.COST_CASH)
_SHOWN: Final = 5
_LARGEST_EXACT: Final = 2**53


def reconcile_rollup(certificates: pa.Table, costs: pa.Table, rollup: Rollup, as_of: date) -> list[str]:
    """Compare the roll-up's tables with the rows that they come from, and with one another, by currency.

    Sums must also stay within the integers that every reader of JSON keeps exactly.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        costs: Rows in `COST_SCHEMA`.
        rollup: The roll-up of those rows.
        as_of: The business date of the roll-up; what is issued or invoiced later is not in it.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    problems = _inexact(rollup)
    if problems:
        return problems
    existing, invoiced = _until(certificates, "issued_on", as_of), _until(costs, "invoiced_on", as_of)
    collected = _until(_having(existing, "state", State.PAID), "paid_on", as_of)
    paid_out = _until(invoiced, "paid_on", as_of)
    costs_straight = _sums(invoiced, cost_count=_ROWS, cost_amount="amount")
    straight = {
        **_sums(existing, proposed_count=_ROWS, proposed_amount="amount_proposed"),
        **_sums(collected, collected_count=_ROWS, collected_amount="amount_approved"),
        **_sums(invoiced, cost_count=_ROWS),
        **_sums(_having(invoiced, "kind", CostKind.OPEX), cost_opex_amount="amount"),
        **_sums(_having(invoiced, "kind", CostKind.CAPEX), cost_capex_amount="amount"),
        **_sums(paid_out, cost_paid_amount="amount", paid_out_amount="amount"),
    }
    stocks = {name: name for name in STOCK_COMPONENTS}
    standing = _having(rollup.positions, "month", f"{as_of:%Y-%m}")
    by = {name: _having(rollup.breakdowns, "breakdown", name) for name in _RECONCILED_BREAKDOWNS}
    return [
        *_differences("the cells", _sums(rollup.cells, **_RECONCILED), straight),
        *_differences(
            "the positions", _sums(standing, **stocks), _sums(rollup.cells, **stocks), "in the cells"
        ),
        *_differences(
            "the critical certificates",
            _sums(rollup.critical, critical_count=_ROWS, critical_amount="amount"),
            _sums(rollup.cells, critical_count="critical_count", critical_amount="critical_amount"),
            "in the cells",
        ),
        *_differences(
            "the days of payment",
            _sums(by["payment_days"], payment_days_count="count"),
            _sums(rollup.cells, payment_days_count="payment_days_count"),
            "in the cells",
        ),
        *(
            problem
            for name in ("supplier", "cost_category")
            for problem in _differences(
                f"the costs by {name}",
                _sums(by[name], cost_count="count", cost_amount="amount"),
                costs_straight,
            )
        ),
    ]


def reconcile_variants(rollup: Rollup, slices: Sequence[Slice]) -> list[str]:
    """Compare the roll-up's columns with the sums over the single values of each dimension.

    Args:
        rollup: The roll-up from which the slices' cube is built.
        slices: The sums of its filters of at most one value.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    if not slices:
        return []
    currencies = slices[0].currencies
    by_dimension: dict[str, Ints] = {}
    for slice_ in slices:
        for at, requested in enumerate(slice_.filters):
            name = requested.terms[0][0] if requested.terms else _EVERYTHING
            by_dimension[name] = by_dimension.get(name, 0) + slice_.totals[at]
    problems = []
    for place, currency in enumerate(currencies):
        cells = _having(rollup.cells, "currency", currency)
        straight = [_total(cells, component) for component in COMPONENT_NAMES]
        problems += [
            f"{component.name} in {currency}: {expected} in the roll-up, {summed} over the variants of {name}"
            for name, sums in by_dimension.items()
            for component, expected, summed in zip(COMPONENTS, straight, sums[place].tolist(), strict=True)
            if expected != summed and not (component.kind in _OF_COSTS and name in NOT_OF_COSTS)
        ]
    return problems


def out_of_range(slices: Sequence[Slice]) -> list[str]:
    """Find impossible sums in any variant.

    Counts and days are never negative, parts add up to their whole, and no part exceeds its whole.

    Returns:
        One sentence a broken rule, with the first filters that break it.
    """
    problems = []
    for slice_ in slices:
        broken: dict[str, npt.NDArray[np.bool_]] = {
            **{f"{name} is negative": _at(slice_, name) < 0 for name in _NOT_NEGATIVE},
            **{
                f"{whole} is not the sum of {' + '.join(parts)}": _at(slice_, whole)
                != sum(_at(slice_, part) for part in parts)
                for whole, parts in _PARTS.items()
            },
            **{
                f"{part} exceeds {whole}": _at(slice_, part) > _at(slice_, whole)
                for part, whole in _AT_MOST.items()
            },
        }
        for rule, where in broken.items():
            variants = np.flatnonzero(where.any(axis=1)).tolist()
            if variants:
                shown = ", ".join(str(slice_.filters[at].as_dict()) for at in variants[:_SHOWN])
                problems.append(f"{rule} in {len(variants)} variants, such as {shown}")
    return problems


def _inexact(rollup: Rollup) -> list[str]:
    """Components whose sums could leave the integers that JSON readers keep, each as a sentence."""
    # Sums of floats do not wrap around, and are exact enough here.
    reach = {
        name: pc.sum(pc.abs(pc.cast(rollup.cells[name], pa.float64(), safe=False))).as_py() or 0.0
        for name in COMPONENT_NAMES
        # No answer shows a variance.
        if not name.startswith("variance_")
    }
    return [
        f"{name} sums to about {total:.3g}, beyond 2**53: look for amounts in the wrong unit"
        for name, total in reach.items()
        if total > _LARGEST_EXACT
    ]


def _until(table: pa.Table, column: str, day: date) -> pa.Table:
    """The rows dated up to a day."""
    return table.filter(pc.less_equal(table[column], pa.scalar(day)))


def _having(table: pa.Table, column: str, value: str) -> pa.Table:
    return table.filter(pc.equal(table[column], pa.scalar(str(value))))


def _sums(table: pa.Table, **columns: str) -> dict[tuple[str, str], int]:
    """Sums of columns, by what each is called here and the currency; `_ROWS` counts rows."""
    wanted = [(column, "count" if column == _ROWS else "sum") for column in columns.values()]
    rows = table.group_by("currency").aggregate(sorted(set(wanted))).to_pylist()
    return {
        (name, row["currency"]): row[f"{column}_{function}"]
        for row in rows
        for name, (column, function) in zip(columns, wanted, strict=True)
    }


def _differences(
    where: str,
    actual: dict[tuple[str, str], int],
    expected: dict[tuple[str, str], int],
    source: str = "straight from the rows",
) -> list[str]:
    """The sums that differ between two places, each as a sentence; a missing sum is 0."""
    return [
        f"{name} in {currency}: {expected.get((name, currency), 0)} {source}, "
        f"{actual.get((name, currency), 0)} in {where}"
        for name, currency in sorted(actual.keys() | expected.keys())
        if actual.get((name, currency), 0) != expected.get((name, currency), 0)
    ]


def _at(slice_: Slice, component: str) -> Ints:
    """A component of each variant and currency, [V, C]."""
    return slice_.totals[..., COMPONENT_INDEX[component]]


def _total(table: pa.Table, column: str) -> int:
    return pc.sum(table[column]).as_py() or 0

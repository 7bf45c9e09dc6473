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
from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.rollup.rollup import Rollup
from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.components import (
    COMPONENT_NAMES,
    COMPONENTS,
    IDLE_LEVELS,
    MONTHLY_COMPONENTS,
    ComponentKind,
)
from kpi_pipeline.model.costs import CostKind
from kpi_pipeline.model.dimensions import MONTH, NOT_OF_COSTS
from kpi_pipeline.model.states import Event, State
from kpi_pipeline.model.work_lists import Arrears, WorkListName

_PARTS: Final[dict[str, tuple[str, ...]]] = {
    **{f"portfolio_{unit}": (f"unsent_{unit}", f"receivable_{unit}") for unit in ("amount", "count")},
    **{
        f"receivable_{unit}": tuple(f"ageing_{label}_{unit}" for label, _, _ in AGEING_BUCKETS)
        for unit in ("amount", "count")
    },
}
"""Components and those that they are made of: they add up exactly."""

_PARTS_BY_DUE_DATE: Final[dict[str, tuple[str, ...]]] = {
    f"receivable_{unit}": tuple(f"due_{label}_{unit}" for label in DUE_BUCKETS)
    for unit in ("amount", "count")
}
"""The same by days past the due date."""

_AT_MOST: Final[dict[str, str]] = {
    "overdue_count": "receivable_count",
    "critical_count": "receivable_count",
    "receivable_count": "portfolio_count",
    "pending_count": "portfolio_count",
    "due_assumed_count": "receivable_count",
    "fast_count": "payment_days_count",
    "rework_known_count": "proposed_count",
    "rejection_known_count": "decided_count",
    "rejected_count": "returned_count",
    "waiting_days_count": "receivable_count",
    "first_pass_count": "first_pass_known_count",
    "reworked_count": "rework_known_count",
    **{f"idle_{level}_count": "idle_days_count" for level, _, _ in IDLE_LEVELS},
}
"""Counts and those that they can never exceed."""

_NOT_NEGATIVE: Final = tuple(
    name for name in COMPONENT_NAMES if name.endswith(("_count", "_days")) or name.startswith("variance_")
)
_RECONCILED: Final = {
    name: name
    for name in (
        *("proposed_count", "proposed_amount"),
        *("cost_count", "cost_opex_amount", "cost_capex_amount", "paid_out_amount"),
    )
}
_RECONCILED_BREAKDOWNS: Final = ("supplier", "cost_category")
_STOCKS: Final = (ComponentKind.STOCK, ComponentKind.COST_STOCK, ComponentKind.SNAPSHOT)
_ROWS: Final = "currency"
_EVERYTHING: Final = "everything"
_BEYOND_VARIANTS: Final = ("cancelled_count",)
"""Components that no variant needs to show: values of which all certificates are cancelled have none."""
_OF_COSTS: Final = (ComponentKind.COST, ComponentKind.COST_STOCK)
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
    valid = _not_cancelled(certificates, as_of)
    existing, invoiced = _until(valid, "issued_on", as_of), _until(costs, "invoiced_on", as_of)
    counted = existing.filter(pc.greater_equal(existing["amount_proposed"], 0))
    collected = _until(valid, "paid_on", as_of)
    collected = collected.append_column(
        "amount",
        pc.coalesce(
            collected["amount_paid"],
            pc.subtract(collected["amount_approved"], pc.fill_null(collected["amount_retained"], 0)),
        ),
    )
    paid_out = _until(invoiced, "paid_on", as_of)
    costs_straight = _sums(invoiced, cost_count=_ROWS, cost_amount="amount")
    straight = {
        **_sums(existing, proposed_amount="amount_proposed"),
        **_sums(counted, proposed_count=_ROWS),
        **_sums(invoiced, cost_count=_ROWS),
        **_sums(_having(invoiced, "kind", CostKind.OPEX), cost_opex_amount="amount"),
        **_sums(_having(invoiced, "kind", CostKind.CAPEX), cost_capex_amount="amount"),
        **_sums(paid_out, paid_out_amount="amount"),
    }
    cohorts = rollup.cells.filter(pc.equal(rollup.cells["place"], COHORT))
    on_as_of = rollup.cells.filter(pc.equal(rollup.cells["place"], AS_OF))
    stocks = {part.name: part.name for part in COMPONENTS if part.kind in _STOCKS}
    by = {
        name: rollup.breakdowns.filter(
            pc.and_(
                pc.equal(rollup.breakdowns["breakdown"], name), pc.equal(rollup.breakdowns["place"], COHORT)
            )
        )
        for name in _RECONCILED_BREAKDOWNS
    }
    listed = rollup.work_lists.filter(
        pc.and_(
            pc.equal(rollup.work_lists["place"], AS_OF),
            pc.not_equal(rollup.work_lists["work_list"], WorkListName.WATCHED),
        )
    )
    critical, overdue = (
        _having(listed, "arrears", of, Arrears.BOTH) for of in (Arrears.CRITICAL, Arrears.OVERDUE)
    )
    returned, unsent = (_having(listed, "state", of) for of in (State.REJECTED, State.REVISION))
    of_arrears = ("critical_count", "critical_amount", "overdue_count", "overdue_amount")
    in_lists = (*of_arrears, "returned_count", "unsent_count")
    timed = rollup.payment_times.filter(pc.equal(rollup.payment_times["place"], COHORT))
    flows = {name: name for name in MONTHLY_COMPONENTS if name != "paid_amount"}
    # A payment without a day is collected with its acceptance, which these rows do not tell.
    collected_by = {} if _has_undated_payments(valid) else {"paid_amount": "paid_amount"}
    dated = dict.fromkeys(collected_by, "amount")
    return [
        *_differences("the cohorts", _sums(cohorts, **_RECONCILED), straight),
        *_differences("the months", _sums(rollup.monthly, **collected_by), _sums(collected, **dated)),
        *_differences(
            "the business date", _sums(on_as_of, **stocks), _sums(cohorts, **stocks), "in the cohorts"
        ),
        *_differences(
            "the months",
            _sums(rollup.monthly, **flows),
            _sums(cohorts, **flows),
            "in the cohorts",
        ),
        *_differences(
            "the work lists",
            {
                **_sums(critical, critical_count=_ROWS, critical_amount="amount"),
                **_sums(overdue, overdue_count=_ROWS, overdue_amount="amount"),
                **_sums(returned, returned_count=_ROWS),
                **_sums(unsent, unsent_count=_ROWS),
            },
            _sums(on_as_of, **{name: name for name in in_lists}),
            "on the business date",
        ),
        *_differences(
            "the days of payment",
            _sums(timed, timed_count="paid"),
            _sums(cohorts, timed_count="timed_count"),
            "in the cohorts",
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
    on_as_of = rollup.cells.filter(pc.equal(rollup.cells["place"], AS_OF))
    of_cohorts = rollup.cells.filter(pc.equal(rollup.cells["place"], COHORT))
    by_dimension: dict[str, Ints] = {}
    for slice_ in slices:
        for at, requested in enumerate(slice_.filters):
            name = requested.terms[0][0] if requested.terms else _EVERYTHING
            by_dimension[name] = by_dimension.get(name, 0) + slice_.totals[:, at]
    problems = []
    for place, currency in enumerate(currencies):
        straight = {
            name: [_total(cells, component) for component in COMPONENT_NAMES]
            for name, cells in (
                ("days", _having(on_as_of, "currency", currency)),
                ("cohorts", _having(of_cohorts, "currency", currency)),
            )
        }
        problems += [
            f"{component.name} in {currency}: {expected} in the roll-up, {summed} over the variants of {name}"
            for name, sums in by_dimension.items()
            for component, expected, summed in zip(
                COMPONENTS,
                straight["cohorts" if name == MONTH.name else "days"],
                sums[:, place].tolist(),
                strict=True,
            )
            if expected != summed
            and component.name not in _BEYOND_VARIANTS
            and not (component.kind in _OF_COSTS and name in NOT_OF_COSTS)
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
            **{f"{name} is negative": slice_.total(name) < 0 for name in _NOT_NEGATIVE},
            **{
                f"{whole} is not the sum of {' + '.join(parts)}": slice_.total(whole)
                != sum(slice_.total(part) for part in parts)
                for whole, parts in (*_PARTS.items(), *_PARTS_BY_DUE_DATE.items())
            },
            **{
                f"{part} exceeds {whole}": slice_.total(part) > slice_.total(whole)
                for part, whole in _AT_MOST.items()
            },
            # Credit notes reduce receivables, and are never overdue or critical themselves.
            **{
                f"{part} exceeds the receivables that are no credit notes": slice_.total(part)
                > slice_.total("receivable_amount") - slice_.total("credit_amount")
                for part in ("overdue_amount", "critical_amount")
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


def _not_cancelled(certificates: pa.Table, day: date) -> pa.Table:
    """The certificates that are not cancelled by a day."""
    history = certificates["history"].combine_chunks()
    entries, of_row = pc.list_flatten(history), pc.list_parent_indices(history).to_numpy()
    is_cancelling = pc.equal(entries.field("event"), Event.CANCELLED.value).to_numpy(zero_copy_only=False)
    passed = np.flatnonzero(pc.less_equal(entries.field("day"), day).to_numpy(zero_copy_only=False))
    # Of several entries of a row the last one stays.
    last = np.full(certificates.num_rows, -1)
    last[of_row[passed]] = passed
    ends_so = np.append(is_cancelling, False)[last]
    is_dated = np.zeros(certificates.num_rows, np.bool_)
    is_dated[of_row[is_cancelling]] = True
    always = pc.equal(certificates["state"], State.CANCELLED.value).to_numpy() & ~is_dated
    return certificates.filter(pa.array(~(ends_so | always)))


def _has_undated_payments(certificates: pa.Table) -> bool:
    """Whether any certificate is paid, in whole or in part, on a day that is not known."""
    paid = pc.or_(pc.equal(certificates["state"], State.PAID.value), pc.is_valid(certificates["amount_paid"]))
    return bool(pc.any(pc.and_(paid, pc.is_null(certificates["paid_on"]))).as_py())


def _until(table: pa.Table, column: str, day: date) -> pa.Table:
    """The rows dated up to a day."""
    return table.filter(pc.less_equal(table[column], pa.scalar(day)))


def _having(table: pa.Table, column: str, *values: str) -> pa.Table:
    return table.filter(pc.is_in(table[column], pa.array(map(str, values), pa.string())))


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


def _total(table: pa.Table, column: str) -> int:
    return pc.sum(table[column]).as_py() or 0

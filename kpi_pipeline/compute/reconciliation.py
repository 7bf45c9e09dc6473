"""Checks that totals agree at each step; each returns its problems as sentences."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.compute.rollup.totals import COLLECTED, COST_AMOUNT, UNDATED_PAYMENTS
from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.components import (
    COMPONENT_NAMES,
    COMPONENTS,
    IDLE_LEVELS,
    MONTHLY_COMPONENTS,
    ComponentKind,
)
from kpi_pipeline.model.dimensions import MONTH, NOT_OF_COSTS
from kpi_pipeline.model.states import State
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
_RECONCILED: Final = (
    *("proposed_count", "proposed_amount"),
    *("cost_count", "cost_opex_amount", "cost_capex_amount", "paid_out_amount"),
)
_RECONCILED_BREAKDOWNS: Final = ("supplier", "cost_category")
_STOCKS: Final = (ComponentKind.STOCK, ComponentKind.COST_STOCK, ComponentKind.SNAPSHOT)
_STOCK_NAMES: Final = tuple(part.name for part in COMPONENTS if part.kind in _STOCKS)
_IN_LISTS: Final = (
    *("critical_count", "critical_amount", "overdue_count", "overdue_amount"),
    *("returned_count", "unsent_count"),
)
_COMPARED: Final = tuple(
    dict.fromkeys((*_RECONCILED, *_STOCK_NAMES, *_IN_LISTS, *MONTHLY_COMPONENTS, "timed_count"))
)
_ROWS: Final = "currency"

Sums = dict[tuple[str, str], int]
"""Sums by what they are called and the currency."""

_EVERYTHING: Final = "everything"
_BEYOND_VARIANTS: Final = ("cancelled_count",)
"""Components that no variant needs to show: values of which all certificates are cancelled have none."""
_OF_COSTS: Final = (ComponentKind.COST, ComponentKind.COST_STOCK)
_SHOWN: Final = 5
_LARGEST_EXACT: Final = 2**53


def reconcile_rollup(totals: pa.Table, rollup: Rollup) -> list[str]:
    """Compare the roll-up's tables with the rows that they come from, and with one another, by currency.

    Sums must also stay within the integers that every reader of JSON keeps exactly.

    Args:
        totals: Those of the rows, in `totals.TOTALS_SCHEMA`.
        rollup: The roll-up of those rows.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    problems = _inexact(rollup)
    if problems:
        return problems
    straight = _straight(totals)
    cells = _summed_cells(rollup.cells)
    cohorts, on_as_of = cells[COHORT], cells[AS_OF]
    listed = _summed_lists(rollup.work_lists)
    flows = [name for name in MONTHLY_COMPONENTS if name != "paid_amount"]
    monthly = _sums(rollup.monthly, **{name: name for name in MONTHLY_COMPONENTS})
    # A payment without a day is collected with its acceptance, which these rows do not tell.
    is_dated = not _having(straight, UNDATED_PAYMENTS)
    collected = {("paid_amount", code): sum_ for (_, code), sum_ in _having(straight, COLLECTED).items()}
    paid = _having(monthly, "paid_amount")
    timed = rollup.payment_times.select(["place", "currency", "paid"])
    timed = timed.filter(pc.equal(timed["place"], COHORT))
    return [
        *_differences("the cohorts", _having(cohorts, *_RECONCILED), _having(straight, *_RECONCILED)),
        *(_differences("the months", paid, collected) if is_dated else []),
        *_differences(
            "the business date",
            _having(on_as_of, *_STOCK_NAMES),
            _having(cohorts, *_STOCK_NAMES),
            "in the cohorts",
        ),
        *_differences("the months", _having(monthly, *flows), _having(cohorts, *flows), "in the cohorts"),
        *_differences("the work lists", listed, _having(on_as_of, *_IN_LISTS), "on the business date"),
        *_differences(
            "the days of payment",
            _sums(timed, timed_count="paid"),
            _having(cohorts, "timed_count"),
            "in the cohorts",
        ),
        *(
            problem
            for name in _RECONCILED_BREAKDOWNS
            for problem in _differences(
                f"the costs by {name}",
                _summed_breakdown(rollup.breakdowns, name),
                _having(straight, "cost_count", COST_AMOUNT),
            )
        ),
    ]


def reconcile_variants(cells: pa.Table, slices: Sequence[Slice]) -> list[str]:
    """Compare the roll-up's columns with the sums over the single values of each dimension.

    Args:
        cells: Those of the roll-up from which the slices' cube is built; earlier days may be left out.
        slices: The sums of its filters of at most one value.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    if not slices:
        return []
    currencies = slices[0].currencies
    summed = _summed_cells(cells, COMPONENT_NAMES)
    by_dimension: dict[str, Ints] = {}
    for slice_ in slices:
        for at, requested in enumerate(slice_.filters):
            name = requested.terms[0][0] if requested.terms else _EVERYTHING
            by_dimension[name] = by_dimension.get(name, 0) + slice_.totals[:, at]
    problems = []
    for place, currency in enumerate(currencies):
        days, cohorts = (
            [summed[of].get((name, currency), 0) for name in COMPONENT_NAMES] for of in (AS_OF, COHORT)
        )
        problems += [
            f"{component.name} in {currency}: {expected} in the roll-up, {actual} over the variants of {name}"
            for name, sums in by_dimension.items()
            for component, expected, actual in zip(
                COMPONENTS,
                cohorts if name == MONTH.name else days,
                sums[:, place].tolist(),
                strict=True,
            )
            if expected != actual
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
    problems = []
    for name in COMPONENT_NAMES:
        # No answer shows a variance.
        if name.startswith("variance_"):
            continue
        column = rollup.cells[name]
        ends = pc.min_max(column).as_py()
        if len(column) * max(abs(ends["min"] or 0), abs(ends["max"] or 0)) <= _LARGEST_EXACT:
            continue
        # Sums of floats do not wrap around, and are exact enough here.
        total = pc.sum(pc.abs(pc.cast(column, pa.float64(), safe=False))).as_py()
        if total > _LARGEST_EXACT:
            problems.append(
                f"{name} sums to about {total:.3g}, beyond 2**53: look for amounts in the wrong unit"
            )
    return problems


def _straight(totals: pa.Table) -> Sums:
    """The totals of all shards together."""
    summed = totals.group_by(["name", "currency"]).aggregate([("total", "sum")])
    return {(row["name"], row["currency"]): row["total_sum"] for row in summed.to_pylist()}


def _summed_cells(cells: pa.Table, names: Sequence[str] = _COMPARED) -> dict[int, Sums]:
    """The sums of cohorts and of the business date, by place."""
    named = cells.select(["place", "currency", *names])
    return {
        place: _sums(_at_place(named, place), **{name: name for name in names}) for place in (COHORT, AS_OF)
    }


def _at_place(cells: pa.Table, place: int) -> pa.Table:
    """The cells of a place, nothing copied: they stand together, those of costs by month."""
    is_there = np.concatenate([[False], cells["place"].to_numpy() == place, [False]])
    begins, ends = np.flatnonzero(is_there[1:] != is_there[:-1]).reshape(-1, 2).T.tolist()
    runs = [cells.slice(begin, end - begin) for begin, end in zip(begins, ends, strict=True)]
    return pa.concat_tables([cells.slice(0, 0), *runs])


def _summed_lists(work_lists: pa.Table) -> Sums:
    """What the work lists of the business date hold, as the components are called that say the same."""
    named = work_lists.select(["place", "work_list", "currency", "arrears", "state", "amount"])
    listed = _rows(
        named.filter(pc.equal(named["place"], AS_OF)),
        "work_list",
        WorkListName.COLLECT_TODAY,
        WorkListName.CORRECT_AND_RESEND,
    )
    critical, overdue = (
        _rows(listed, "arrears", of, Arrears.BOTH) for of in (Arrears.CRITICAL, Arrears.OVERDUE)
    )
    return {
        **_sums(critical, critical_count=_ROWS, critical_amount="amount"),
        **_sums(overdue, overdue_count=_ROWS, overdue_amount="amount"),
        **_sums(_rows(listed, "state", State.REJECTED), returned_count=_ROWS),
        **_sums(_rows(listed, "state", State.REVISION), unsent_count=_ROWS),
    }


def _summed_breakdown(breakdowns: pa.Table, name: str) -> Sums:
    """The sums of costs in one breakdown of the cohorts."""
    named = breakdowns.select(["place", "breakdown", "currency", "count", "amount"])
    rows = named.filter(pc.and_(pc.equal(named["breakdown"], name), pc.equal(named["place"], COHORT)))
    return _sums(rows, cost_count="count", **{COST_AMOUNT: "amount"})


def _rows(table: pa.Table, column: str, *values: str) -> pa.Table:
    """The rows that have one of some values."""
    return table.filter(pc.is_in(table[column], pa.array(map(str, values), pa.string())))


def _having(sums: Sums, *names: str) -> Sums:
    """Some of the sums."""
    return {key: sums[key] for key in sums if key[0] in names}


def _sums(table: pa.Table, **columns: str) -> Sums:
    """Sums of columns, by what each is called here and the currency; `_ROWS` counts rows."""
    wanted = [(column, "count" if column == _ROWS else "sum") for column in columns.values()]
    currency = table["currency"]
    if pa.types.is_dictionary(currency.type):
        # Chunks have texts of their own.
        table = table.set_column(
            table.schema.get_field_index("currency"), "currency", currency.cast(pa.string())
        )
    rows = table.group_by("currency").aggregate(sorted(set(wanted))).to_pylist()
    return {
        (name, row["currency"]): row[f"{column}_{function}"]
        for row in rows
        for name, (column, function) in zip(columns, wanted, strict=True)
    }


def _differences(
    where: str,
    actual: Sums,
    expected: Sums,
    source: str = "straight from the rows",
) -> list[str]:
    """The sums that differ between two places, each as a sentence; a missing sum is 0."""
    return [
        f"{name} in {currency}: {expected.get((name, currency), 0)} {source}, "
        f"{actual.get((name, currency), 0)} in {where}"
        for name, currency in sorted(actual.keys() | expected.keys())
        if actual.get((name, currency), 0) != expected.get((name, currency), 0)
    ]

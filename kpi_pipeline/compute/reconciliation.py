"""Checks that totals agree at each step; each returns its problems as sentences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.rollup.part_sums import (
    BOUNDS,
    BREAKDOWNS,
    COHORTS,
    LISTED,
    MONTHS,
    ON_AS_OF,
    TIMED,
    Sums,
    added_up,
    part_sums,
    summed_cells,
)
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
from kpi_pipeline.model.filters import Filter

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
_STOCKS: Final = (ComponentKind.STOCK, ComponentKind.COST_STOCK, ComponentKind.SNAPSHOT)
_STOCK_NAMES: Final = tuple(part.name for part in COMPONENTS if part.kind in _STOCKS)
_IN_LISTS: Final = (
    *("critical_count", "critical_amount", "overdue_count", "overdue_amount"),
    *("returned_count", "unsent_count"),
)
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
    sums = part_sums(
        cells=[rollup.cells],
        monthly=rollup.monthly,
        payment_times=rollup.payment_times,
        breakdowns=rollup.breakdowns,
        work_lists=rollup.work_lists,
    )
    return reconcile_sums(totals, sums, lambda: rollup.cells)


def reconcile_sums(totals: pa.Table, parts: pa.Table, cells: Callable[[], pa.Table]) -> list[str]:
    """The same of what the parts of a roll-up sum to.

    Args:
        totals: Those of the rows, in `totals.TOTALS_SCHEMA`.
        parts: The sums of all parts, in `part_sums.PART_SUMS_SCHEMA`.
        cells: Loads all cells; it is called where sums may be too large.
    """
    sums = added_up(parts)
    problems = _inexact(sums[BOUNDS], cells)
    if problems:
        return problems
    straight = _straight(totals)
    cohorts, on_as_of, monthly = sums[COHORTS], sums[ON_AS_OF], sums[MONTHS]
    flows = [name for name in MONTHLY_COMPONENTS if name != "paid_amount"]
    # A payment without a day is collected with its acceptance, which these rows do not tell.
    is_dated = not _having(straight, UNDATED_PAYMENTS)
    collected = {("paid_amount", code): sum_ for (_, code), sum_ in _having(straight, COLLECTED).items()}
    paid = _having(monthly, "paid_amount")
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
        *_differences("the work lists", sums[LISTED], _having(on_as_of, *_IN_LISTS), "on the business date"),
        *_differences("the days of payment", sums[TIMED], _having(cohorts, "timed_count"), "in the cohorts"),
        *(
            problem
            for name in BREAKDOWNS
            for problem in _differences(
                f"the costs by {name}",
                sums[name],
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
    sums = summed_cells(cells, COMPONENT_NAMES)
    return reconcile_totals(sums, slices[0].currencies, totals_of(slices))


def totals_of(slices: Sequence[Slice]) -> dict[Filter, Ints]:
    """Every component of each filter on the business date, [components, C]."""
    return {
        requested: np.ascontiguousarray(slice_.totals[:, at])
        for slice_ in slices
        for at, requested in enumerate(slice_.filters)
    }


def reconcile_totals(
    summed: Mapping[int, Sums], currencies: Sequence[str], totals: Mapping[Filter, Ints]
) -> list[str]:
    """Compare sums of the roll-up's columns with those over the single values of each dimension.

    Args:
        summed: As of `summed_cells`.
        currencies: Codes of the currencies.
        totals: Of everything and each single value, as of `totals_of`.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    by_dimension: dict[str, Ints] = {}
    for requested, of_filter in totals.items():
        name = requested.terms[0][0] if requested.terms else _EVERYTHING
        by_dimension[name] = by_dimension.get(name, 0) + of_filter
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


def _inexact(bounds: Sums, cells: Callable[[], pa.Table]) -> list[str]:
    """Components whose sums could leave the integers that JSON readers keep, each as a sentence."""
    # No answer shows a variance.
    large = [
        name
        for (name, _), bound in bounds.items()
        if bound > _LARGEST_EXACT and not name.startswith("variance_")
    ]
    if not large:
        return []
    problems, held = [], cells()
    for name in large:
        # Sums of floats do not wrap around, and are exact enough here.
        total = pc.sum(pc.abs(pc.cast(held[name], pa.float64(), safe=False))).as_py()
        if total > _LARGEST_EXACT:
            problems.append(
                f"{name} sums to about {total:.3g}, beyond 2**53: look for amounts in the wrong unit"
            )
    return problems


def _straight(totals: pa.Table) -> Sums:
    """The totals of all shards together."""
    summed = totals.group_by(["name", "currency"]).aggregate([("total", "sum")])
    return {(row["name"], row["currency"]): row["total_sum"] for row in summed.to_pylist()}


def _having(sums: Sums, *names: str) -> Sums:
    """Some of the sums."""
    return {key: sums[key] for key in sums if key[0] in names}


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

"""The values of each KPI for each variant, with comparison and trend, as plain JSON values."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.selection import select
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation import Evaluated, Evaluation
from kpi_pipeline.compute.exact_division import Floats, rounded
from kpi_pipeline.compute.json_values import Data, by_variant, names_at, rows_of, values_or_none
from kpi_pipeline.compute.windows import PREVIOUS, RECENT, TREND, VALUE
from kpi_pipeline.model.components import COMPONENTS, ComponentKind
from kpi_pipeline.model.dimensions import ISSUED_AGE, ISSUED_AGES, MONTH
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import (
    Herfindahl,
    PaymentQuantile,
    Ratio,
    TopShare,
    Total,
    terms_of,
)
from kpi_pipeline.model.periods import PERIODS

_DIGITS: Final = {Unit.SHARE: 4, Unit.DAYS: 1, Unit.MONEY: 0}
"""Decimals of the points of a trend; whole numbers have none anyway."""

_TRENDS: Final = (None, "stable", "improving", "declining")

_FLOWS: Final = frozenset(component.name for component in COMPONENTS if component.kind is ComponentKind.FLOW)
_DAY_PERIODS: Final = tuple(period.length for period in PERIODS if period.unit == "day")


def kpi_values(slice_: Slice, kpis: Sequence[Kpi]) -> list[dict[str, list[Data]]]:
    """The values of each KPI for each variant: one a currency, or one of all certificates.

    Args:
        slice_: The variants.
        kpis: The KPIs, in the order wanted.
    """
    of_variant: list[dict[str, list[Data]]] = [{} for _ in slice_.filters]
    evaluation = Evaluation(slice_)
    before = _AgesBefore(slice_)
    variant, place = np.nonzero(slice_.present)
    codes = names_at(slice_.currencies, place)
    every = np.arange(len(slice_))
    for kpi in kpis:
        at = (variant, place) if kpi.per_currency else (every, np.zeros(len(every), np.int64))
        columns = _columns(kpi, evaluation.of(kpi), before.of(kpi), slice_.frame.thresholds.stable_share, at)
        if kpi.per_currency:
            columns = {"currency": codes, **columns}
        for values, own in zip(of_variant, by_variant(len(slice_), at[0], rows_of(columns)), strict=True):
            values[kpi.name] = own
    return of_variant


def age_comparisons(slice_: Slice) -> Iterator[Data | None]:
    """The ages with which each variant that is a quick period of days compares; None for the others."""
    for requested in slice_.filters:
        length = _quick_days(requested)
        yield (
            None
            if length is None
            else {
                "issued_age": list(requested.values(ISSUED_AGE.name)),
                "previous_issued_age": list(_ages(length, 2 * length)),
            }
        )


class _AgesBefore:
    """The variants that are a quick period of days, and the same filters of the ages before it."""

    def __init__(self, slice_: Slice) -> None:
        length = [_quick_days(requested) for requested in slice_.filters]
        self._at = [place for place, days in enumerate(length) if days is not None]
        requested = [_shifted(slice_.filters[place], length[place] or 0) for place in self._at]
        self._evaluation = (
            Evaluation(select(slice_.frame, requested, slice_.everything)) if requested else None
        )

    def of(self, kpi: Kpi) -> tuple[list[int], Evaluated] | None:
        """The variants concerned, and the KPI of the ages before; None where it has no such comparison."""
        if self._evaluation is None or not _of_flows(kpi):
            return None
        return self._at, self._evaluation.of(kpi)


def _columns(
    kpi: Kpi,
    evaluated: Evaluated,
    before: tuple[list[int], Evaluated] | None,
    stable_share: float,
    at: tuple[Ints, Ints],
) -> dict[str, list[Any]]:
    """The values of one KPI, field by field.

    Args:
        kpi: The KPI.
        evaluated: The KPI at every window.
        before: The variants that compare with earlier ages, and the KPI at these; None where there are none.
        stable_share: The part of the previous value below which a change is no trend.
        at: Variant and currency of each value wanted.
    """
    value, there = evaluated.value, evaluated.there
    if before is not None:
        variants, earlier = before
        value, there = value.copy(), there.copy()
        value[variants, RECENT], there[variants, RECENT] = value[variants, VALUE], there[variants, VALUE]
        value[variants, PREVIOUS] = earlier.value[:, VALUE]
        there[variants, PREVIOUS] = earlier.there[:, VALUE]
    variant, place = at
    value, there = value[variant, :, place], there[variant, :, place]  # [values, windows]
    recent, previous = value[:, RECENT], value[:, PREVIOUS]
    both = there[:, RECENT] & there[:, PREVIOUS]
    change = recent - previous
    nonzero = both & (previous != 0)
    relative = np.divide(change, np.abs(previous), out=np.zeros(change.shape), where=nonzero) + 0.0
    columns: dict[str, list[Any]] = {"value": values_or_none(value[:, VALUE], there[:, VALUE])}
    if (divided := evaluated.divided) is not None:
        columns["numerator"] = values_or_none(divided.above[at], divided.there[at])
        columns["denominator"] = values_or_none(divided.below[at], divided.below_there[at])
        if divided.days is not None:
            columns["window_days"] = divided.days[variant].tolist()
    return columns | {
        "recent": values_or_none(recent, there[:, RECENT]),
        "previous": values_or_none(previous, there[:, PREVIOUS]),
        "change": values_or_none(change, both),
        "change_share": values_or_none(relative, nonzero),
        "trend": _trends(kpi.direction, change, previous, both, stable_share),
        "spark": _sparks(kpi.unit, value[:, TREND], there[:, TREND]),
    }


def _trends(
    direction: Direction, change: Ints | Floats, previous: Ints | Floats, both: Bools, stable_share: float
) -> list[str | None]:
    if direction is Direction.NEUTRAL:
        return [None] * len(both)
    small = (change == 0) | (np.abs(change) < stable_share * np.abs(previous))
    better = change > 0 if direction is Direction.UP else change < 0
    trend = np.where(~both, 0, np.where(small, 1, np.where(better, 2, 3)))
    return [_TRENDS[place] for place in trend.tolist()]


def _sparks(unit: Unit, values: Ints | Floats, there: Bools) -> list[list[Any]]:
    """The points of each trend."""
    if values.dtype == np.float64:
        values = rounded(values.astype(np.float64), _DIGITS[unit])
        values = values.astype(np.int64) if unit is Unit.MONEY else values
    points: list[list[Any]] = values.tolist()
    if not there.all():
        for row, month in np.argwhere(~there).tolist():
            points[row][month] = None
    return points


def _of_flows(kpi: Kpi) -> bool:
    """Whether a KPI of certificates of certain ages compares with that of the ages before."""
    if isinstance(kpi.formula, Total | Ratio):
        return all(term.component in _FLOWS for term in terms_of(kpi.formula))
    return isinstance(kpi.formula, PaymentQuantile | TopShare | Herfindahl)


def _quick_days(requested: Filter) -> int | None:
    """The days of a filter that is a quick period of days; None for others and those that name months."""
    ages = set(requested.values(ISSUED_AGE.name))
    if not ages or requested.values(MONTH.name):
        return None
    return next((length for length in _DAY_PERIODS if ages == set(_ages(0, length))), None)


def _ages(first: int, end: int) -> tuple[str, ...]:
    """The ages from `first` days on and below `end`."""
    return tuple(
        label for label, begin, last in ISSUED_AGES if begin >= first and last is not None and last < end
    )


def _shifted(requested: Filter, length: int) -> Filter:
    """The filter of the ages before those of a quick period of days."""
    terms = {name: values for name, values in requested.terms if name != ISSUED_AGE.name}
    return Filter.of({**terms, ISSUED_AGE.name: _ages(length, 2 * length)})

"""The values of each KPI for each variant, with comparison and trend, as plain JSON values."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation import Evaluated, Evaluation
from kpi_pipeline.compute.evaluation_days import AS_OF, PREVIOUS, TREND
from kpi_pipeline.compute.exact_division import Floats, rounded
from kpi_pipeline.compute.json_values import Data, by_variant, names_at, rows_of, values_or_none
from kpi_pipeline.compute.windows import comparable_flows, comparable_stocks
from kpi_pipeline.model.kpis import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.descriptions import is_stock

_DIGITS: Final = {Unit.SHARE: 4, Unit.DAYS: 1, Unit.MONEY: 0}
"""Decimals of the points of a trend; whole numbers have none anyway."""

_TRENDS: Final = (None, "stable", "improving", "declining")


def kpi_values(slice_: Slice, kpis: Sequence[Kpi]) -> list[dict[str, list[Data]]]:
    """The values of each KPI for each variant: one a currency, or one of all certificates.

    Args:
        slice_: The variants.
        kpis: The KPIs, in the order wanted.
    """
    of_variant: list[dict[str, list[Data]]] = [{} for _ in slice_.filters]
    evaluation = Evaluation(slice_)
    variant, place = np.nonzero(slice_.present)
    codes = names_at(slice_.currencies, place)
    every = np.arange(len(slice_))
    for kpi in kpis:
        at = (variant, place) if kpi.per_currency else (every, np.zeros(len(every), np.int64))
        comparable = comparable_stocks(slice_) if is_stock(kpi) else comparable_flows(slice_)
        evaluated, stable_share = evaluation.of(kpi), slice_.frame.thresholds.stable_share
        columns = _columns(kpi, evaluated, stable_share, at, slice_.is_cohort, comparable=comparable)
        if kpi.per_currency:
            columns = {"currency": codes, **columns}
        for values, own in zip(of_variant, by_variant(len(slice_), at[0], rows_of(columns)), strict=True):
            values[kpi.name] = own
    return of_variant


def _columns(
    kpi: Kpi,
    evaluated: Evaluated,
    stable_share: float,
    at: tuple[Ints, Ints],
    is_cohort: Bools,
    *,
    comparable: bool,
) -> dict[str, list[Any]]:
    """The values of one KPI, field by field.

    Args:
        kpi: The KPI.
        evaluated: The KPI on every day.
        stable_share: The part of the previous value below which a change is no trend.
        at: Variant and currency of each value wanted.
        is_cohort: Which variants name months: they have no earlier day to set the date against, and no trend.
        comparable: Whether the data cover what is compared with.
    """
    variant, place = at
    value, there = evaluated.value[variant, :, place], evaluated.there[variant, :, place]  # [values, days]
    now, previous = value[:, AS_OF], value[:, PREVIOUS]
    before = there[:, PREVIOUS] & comparable
    both = there[:, AS_OF] & before
    change = now - previous
    nonzero = both & (previous != 0)
    relative = np.divide(change, np.abs(previous), out=np.zeros(change.shape), where=nonzero) + 0.0
    columns: dict[str, list[Any]] = {"value": values_or_none(now, there[:, AS_OF])}
    if (divided := evaluated.divided) is not None:
        columns["numerator"] = values_or_none(divided.above[at], divided.there[at])
        columns["denominator"] = values_or_none(divided.below[at], divided.below_there[at])
        if divided.days is not None:
            columns["window_days"] = divided.days[variant].tolist()
    if evaluated.payments is not None:
        columns["payments"] = evaluated.payments[at].tolist()
    return columns | {
        "previous": values_or_none(previous, before),
        "change": values_or_none(change, both),
        "change_share": values_or_none(relative, nonzero),
        "trend": _trends(kpi.direction, change, previous, both, stable_share),
        "spark": _sparks(kpi.unit, value[:, TREND], there[:, TREND] & ~is_cohort[variant, None]),
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
    return values_or_none(values, there)

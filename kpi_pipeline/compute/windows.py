"""The windows of variants: how many days of billing stand against receivables, and what is compared."""

from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF, DAYS, PREVIOUS
from kpi_pipeline.compute.months import day_numbers, days_between
from kpi_pipeline.compute.rollup.cells import FIRST_ISSUED, FIRST_STANDING, NEVER
from kpi_pipeline.model.dimensions import ISSUED_AGE, STATE

_OF_A_DAY: Final = frozenset((STATE.name, ISSUED_AGE.name))
"""Dimensions whose values change from day to day."""


def window_days(slice_: Slice) -> Ints:
    """The days over which billing is measured, on each day, [V, days].

    They are those of the window, or those since the filter's first certificate where these are fewer; of a
    cohort, the days of its months that have passed.
    """
    frame = slice_.frame
    days = day_numbers(frame.days.days)
    windows = day_numbers([frame.days.window_first(day) for day in frame.days.days])
    first = np.maximum(_first_issued(slice_), windows)
    passed: Ints = np.maximum(days - first + 1, 0)
    of_months: dict[tuple[int, ...], int] = {}
    for months in set(slice_.months) - {()}:
        numbers = np.array(months, np.int64)
        of_months[months] = int(days_between(numbers, numbers, frame.as_of).sum())
    cohort = np.flatnonzero(slice_.is_cohort)
    passed[cohort] = np.array([of_months[slice_.months[at]] for at in cohort.tolist()], np.int64)[:, None]
    return passed


def has_day(slice_: Slice) -> Bools:
    """Which days each variant has, [V, days]: a cohort has the business date alone."""
    days: Bools = ~slice_.is_cohort[:, None] | (np.arange(DAYS) == AS_OF)
    return days


def comparable_flows(slice_: Slice) -> bool:
    """Whether the data reach back over the whole window of the day that is compared with."""
    frame = slice_.frame
    begin = frame.days.window_first(frame.days.days[PREVIOUS])
    return frame.first_day <= int(day_numbers([begin])[0])


def comparable_stocks(slice_: Slice) -> bool:
    """Whether the data reach back to the day that is compared with."""
    return slice_.frame.first_day <= int(day_numbers(slice_.frame.days.days)[PREVIOUS])


def comparisons(slice_: Slice) -> list[dict[str, str] | None]:
    """The days that each variant compares; None of a cohort."""
    days = slice_.frame.days.days
    compared = {"day": days[AS_OF].isoformat(), "previous_day": days[PREVIOUS].isoformat()}
    return [None if is_cohort else compared for is_cohort in slice_.is_cohort.tolist()]


def cohorts(slice_: Slice) -> list[dict[str, Any] | None]:
    """Of each variant that is a cohort, how many certificates it has and how many of them are still open.

    Credit notes and what is cancelled are no certificates. None of the other variants.
    """
    still = ("portfolio_count", "returned_count")
    open_ = sum(slice_.total(name).sum(axis=1) for name in still).tolist()
    all_ = slice_.total("proposed_count").sum(axis=1).tolist()
    return [
        {"certificates": of_all, "open": of_open} if is_cohort else None
        for is_cohort, of_all, of_open in zip(slice_.is_cohort.tolist(), all_, open_, strict=True)
    ]


def _first_issued(slice_: Slice) -> Ints:
    """The first day of issue among the certificates of each variant on each day, [V, days].

    Where a filter names what changes from day to day, it is of those that stand open on the day or had
    their last event in its window.
    """
    frame = slice_.frame
    of_a_day = [requested.names_any(_OF_A_DAY) for requested in slice_.filters]
    issued, standing = (
        _first_of(frame.first_days[name], slice_.rows_on_days("cells"), len(slice_) * DAYS)
        for name in (FIRST_ISSUED, FIRST_STANDING)
    )
    # What was settled before the window has no rows on its days.
    before = _first_of(frame.first_days[FIRST_ISSUED], slice_.cohort_rows("cells"), len(slice_))
    shape = (len(slice_), DAYS)
    ever = np.minimum(issued.reshape(shape), before[:, None])
    return np.where(np.array(of_a_day, np.bool_)[:, None], standing.reshape(shape), ever)


def _first_of(days: Ints, rows: tuple[Ints, Ints], owners: int) -> Ints:
    """The first of the days of each owner's rows; `NEVER` without any."""
    first = np.full(owners, NEVER)
    owner, row = rows
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    if len(begins):
        first[owner[begins]] = np.minimum.reduceat(days[row], begins)
    return first

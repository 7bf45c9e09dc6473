"""The cube: the roll-up as dense arrays over months, from which every variant is a sum."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.months import days_passed, month_number, month_of, month_text
from kpi_pipeline.model.components import COMPONENT_INDEX, COMPONENT_NAMES
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.kpis import TREND_COMPONENTS, TREND_MONTHS, WINDOW_COMPONENTS

Ints = npt.NDArray[np.int64]

_OTHERS: Final = tuple(name for name in DIMENSION_NAMES if name != "month")
_TREND_AT: Final = [COMPONENT_INDEX[component] for component in TREND_COMPONENTS.values()]
_WINDOW_AT: Final = [COMPONENT_INDEX[component] for component in WINDOW_COMPONENTS]
_BLOCK_BYTES: Final = 64 * 2**20
"""Largest dense block: memory stays flat however many variants there are."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The sums of some variants; V of them, C currencies.

    Attributes:
        filters: The V filters.
        totals: Every component over each filter, [V, C, components].
        window: `WINDOW_COMPONENTS` over each filter's DSO window, [V, C, window components].
        window_days: Days of each one's DSO window, [V].
        trend: `TREND_COMPONENTS` of the months up to `trend_end`, [V, TREND_MONTHS, C, series].
        trend_end: Number of the last month of each one's trend, [V].
    """

    filters: tuple[Filter, ...]
    totals: Ints
    window: Ints
    window_days: Ints
    trend: Ints
    trend_end: Ints

    def certificates(self) -> dict[Filter, int]:
        """How many certificates each filter has."""
        counts = self.totals[..., COMPONENT_INDEX["proposed_count"]].sum(axis=1)
        return dict(zip(self.filters, counts.tolist(), strict=True))

    def only(self, wanted: Collection[Filter]) -> "Slice":
        """The same sums of some of the filters; of those that are not in it, nothing."""
        at = [place for place, one in enumerate(self.filters) if one in wanted]
        return Slice(
            tuple(self.filters[place] for place in at),
            self.totals[at],
            self.window[at],
            self.window_days[at],
            self.trend[at],
            self.trend_end[at],
        )


class Cube:
    """All cells of one roll-up, coded.

    Args:
        rollup: Rows in `compute.rollup.ROLLUP_SCHEMA`.
        as_of: The business date of the roll-up.
        dso_window_months: Months of the trailing DSO window.

    Attributes:
        as_of: The business date.
        currencies: Codes of the currencies in it, sorted.
        values: By dimension, its values; sorted as people look for them, months by time.
    """

    def __init__(self, rollup: pa.Table, as_of: date, dso_window_months: int) -> None:
        self.as_of = as_of
        self._window_months = dso_window_months
        self.values: dict[str, tuple[str, ...]] = {}
        self._codes: dict[str, Ints] = {}
        for name in _OTHERS:
            self.values[name], self._codes[name] = _coded(rollup[name])
        self.currencies, self._currency = _coded(rollup["currency"])
        months = rollup["month"].unique().to_pylist()
        self.values["month"] = tuple(sorted(months))
        numbers = [month_number(text) for text in months] or [month_of(as_of)]
        # Room for the trend and the trailing window before the first month.
        present = month_of(as_of)
        self._first = min(min(numbers) - TREND_MONTHS, present - max(TREND_MONTHS, dso_window_months)) + 1
        self._months = max(*numbers, present) - self._first + 1
        self._month = _looked_up(
            rollup["month"], {text: month_number(text) - self._first for text in self.values["month"]}
        )
        self._sums: Ints = np.column_stack([rollup[name].to_numpy() for name in COMPONENT_NAMES])

    def digest(self) -> str:
        """What its figures come from: equal for equal roll-ups of one date and window; 32 hex digits."""
        described = repr((self.as_of, self._window_months, self.currencies, self.values))
        state = blake2b(described.encode(), digest_size=16)
        for column in (self._month, self._currency, *self._codes.values(), self._sums):
            state.update(column.tobytes())
        return state.hexdigest()

    def value_counts(self, dimension: str) -> list[tuple[str, int]]:
        """Each value of a dimension and how many certificates have it, in the order of `values`."""
        counts = self._sums[:, COMPONENT_INDEX["proposed_count"]]
        codes = self._month if dimension == "month" else self._codes[dimension]
        found = np.zeros(max(len(self.values[dimension]), self._months), np.int64)
        np.add.at(found, codes, counts)
        if dimension == "month":
            return [(text, int(found[month_number(text) - self._first])) for text in self.values["month"]]
        return [(value, int(found[code])) for code, value in enumerate(self.values[dimension])]

    def hot_filters(self) -> list[Filter]:
        """The filters that are always computed: everything, each single value, each pair that occurs."""
        return [one for piece in self.slices() for one in piece.filters]

    def slices(self) -> Iterator[Slice]:
        """The sums of every hot filter, in blocks."""
        for size in (0, 1, 2):
            for dimensions in combinations(_OTHERS, size):
                yield from self._grouped(dimensions)

    def select(self, filters: Sequence[Filter]) -> Slice:
        """The sums of any filters, several values of a dimension included.

        A value that the data do not hold contributes nothing.

        Args:
            filters: At least one.
        """
        pieces = []
        for one in filters:
            rows = np.flatnonzero(self._mask(one))
            dense = self._dense(rows, np.zeros(len(rows), np.int64), 1)
            months = [month_number(text) for text in one.values("month")]
            pieces.append(self._of_months(one, dense[0], months) if months else self._whole((one,), dense))
        return Slice(
            tuple(filters),
            np.concatenate([piece.totals for piece in pieces]),
            np.concatenate([piece.window for piece in pieces]),
            np.concatenate([piece.window_days for piece in pieces]),
            np.concatenate([piece.trend for piece in pieces]),
            np.concatenate([piece.trend_end for piece in pieces]),
        )

    def _grouped(self, dimensions: tuple[str, ...]) -> Iterator[Slice]:
        """The filters of one value of each of some dimensions; with each month where these are few."""
        groups, of_row = self._groups(dimensions)
        order = np.argsort(of_row, kind="stable")
        starts = np.searchsorted(of_row[order], np.arange(len(groups) + 1))
        row_bytes = self._months * max(len(self.currencies), 1) * len(COMPONENT_NAMES) * 8
        step = max(1, _BLOCK_BYTES // row_bytes)
        for begin in range(0, len(groups), step):
            end = min(begin + step, len(groups))
            rows = order[starts[begin] : starts[end]]
            filters = tuple(self._filter(dimensions, group) for group in groups[begin:end])
            dense = self._dense(rows, of_row[rows] - begin, end - begin)
            yield self._whole(filters, dense)
            if len(dimensions) < 2 and len(rows):
                yield self._by_month(filters, dense, rows, of_row[rows] - begin)

    def _groups(self, dimensions: tuple[str, ...]) -> tuple[Ints, Ints]:
        """The combinations of codes that occur, [groups, dimensions], and the group of each row."""
        if not dimensions:
            return np.zeros((1, 0), np.int64), np.zeros(len(self._sums), np.int64)
        flat = np.zeros(len(self._sums), np.int64)
        for name in dimensions:
            flat = flat * len(self.values[name]) + self._codes[name]
        _, first, of_row = np.unique(flat, return_index=True, return_inverse=True)
        return np.column_stack([self._codes[name][first] for name in dimensions]), of_row.astype(np.int64)

    def _filter(self, dimensions: tuple[str, ...], group: Ints) -> Filter:
        if not dimensions:
            return EVERYTHING
        named = zip(dimensions, group.tolist(), strict=True)
        return _of_single_values({name: self.values[name][code] for name, code in named})

    def _dense(self, rows: Ints, group_of_row: Ints, groups: int) -> Ints:
        """Rows summed to [groups, months, currencies, components]."""
        currencies = len(self.currencies)
        cells = np.zeros((groups * self._months * currencies, len(COMPONENT_NAMES)), np.int64)
        if len(rows):
            at = (group_of_row * self._months + self._month[rows]) * currencies + self._currency[rows]
            order = np.argsort(at, kind="stable")
            cell, first = np.unique(at[order], return_index=True)
            cells[cell] = np.add.reduceat(self._sums[rows[order]], first, axis=0)
        return cells.reshape(groups, self._months, currencies, len(COMPONENT_NAMES))

    def _whole(self, filters: tuple[Filter, ...], dense: Ints) -> Slice:
        """Filters without months: sums over all months, trend and window up to as_of."""
        present = month_of(self.as_of) - self._first
        trailing = slice(present - self._window_months + 1, present + 1)
        days = sum(
            days_passed(month + self._first, self.as_of) for month in range(trailing.start, trailing.stop)
        )
        return Slice(
            filters,
            dense.sum(axis=1),
            dense[:, trailing][..., _WINDOW_AT].sum(axis=1),
            np.full(len(filters), days, np.int64),
            dense[:, present - TREND_MONTHS + 1 : present + 1][..., _TREND_AT],
            np.full(len(filters), present + self._first, np.int64),
        )

    def _by_month(self, filters: tuple[Filter, ...], dense: Ints, rows: Ints, group_of_row: Ints) -> Slice:
        """Each of some filters together with each month that it has rows in."""
        pairs = np.unique(group_of_row * self._months + self._month[rows])
        group, month = np.divmod(pairs, self._months)
        totals = dense[group, month]
        # [groups, first month, currencies, series, months of the trend]
        windows = np.lib.stride_tricks.sliding_window_view(dense[..., _TREND_AT], TREND_MONTHS, axis=1)
        trend = np.moveaxis(windows[group, month - TREND_MONTHS + 1], -1, 1)
        days = np.array([days_passed(at + self._first, self.as_of) for at in range(self._months)], np.int64)
        named = tuple(
            Filter(tuple(sorted((*filters[of].terms, ("month", (month_text(at + self._first),))))))
            for of, at in zip(group.tolist(), month.tolist(), strict=True)
        )
        return Slice(named, totals, totals[..., _WINDOW_AT], days[month], trend, month + self._first)

    def _of_months(self, asked: Filter, dense: Ints, months: list[int]) -> Slice:
        """One filter that names months.

        Args:
            asked: The filter.
            dense: Its sums whatever the month, [months, currencies, components].
            months: Numbers of the months it names.
        """
        # Months outside the axis hold nothing.
        held = [number - self._first for number in months if 0 <= number - self._first < self._months]
        last = max(months)
        trend = np.zeros((TREND_MONTHS, dense.shape[1], len(_TREND_AT)), np.int64)
        for place in range(TREND_MONTHS):
            at = last - TREND_MONTHS + 1 + place - self._first
            if 0 <= at < self._months:
                trend[place] = dense[at][:, _TREND_AT]
        totals = dense[held].sum(axis=0)
        return Slice(
            (asked,),
            totals[np.newaxis],
            totals[np.newaxis][..., _WINDOW_AT],
            np.array([sum(days_passed(number, self.as_of) for number in months)], np.int64),
            trend[np.newaxis],
            np.array([last], np.int64),
        )

    def _mask(self, asked: Filter) -> npt.NDArray[np.bool_]:
        """Which rows a filter's terms admit, months apart."""
        mask = np.ones(len(self._sums), np.bool_)
        for name in _OTHERS:
            if wanted := {fold(value) for value in asked.values(name)}:
                codes = [code for code, value in enumerate(self.values[name]) if fold(value) in wanted]
                mask &= np.isin(self._codes[name], codes)
        return mask


def _of_single_values(values: dict[str, str]) -> Filter:
    """What `Filter.of` gives for one value of each dimension, without looking for more."""
    return Filter(tuple((name, (values[name],)) for name in sorted(values)))


def _coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], Ints]:
    """The distinct values, sorted as people look for them, and the place of each row's."""
    values = tuple(sorted(column.unique().to_pylist(), key=lambda value: (fold(value), value)))
    return values, _looked_up(column, {value: code for code, value in enumerate(values)})


def _looked_up(column: pa.ChunkedArray, numbers: dict[str, int]) -> Ints:
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    of_entry = np.array([numbers[value] for value in coded.dictionary.to_pylist()], np.int64)
    return of_entry[coded.indices.to_numpy()] if len(coded) else np.zeros(0, np.int64)

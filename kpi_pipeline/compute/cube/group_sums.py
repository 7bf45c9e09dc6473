"""Sums of variants by the values of a dimension, by month of the trend, and by the keys of a breakdown."""

from dataclasses import dataclass

from kpi_pipeline.compute.cube.encoding import Ints


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sums by variant, value of a dimension and currency; only what is not zero, in that order.

    Attributes:
        variant: Place of the variant, [n].
        value: Place of the value among the dimension's, [n].
        currency: Place of the currency, [n].
        sums: The components, [n, components].
    """

    variant: Ints
    value: Ints
    currency: Ints
    sums: Ints


@dataclass(frozen=True, slots=True)
class MonthlyGroupSums:
    """A component by variant, value of a dimension, currency and month of the trend; only what is not zero.

    Attributes:
        variant: Place of the variant, [n].
        value: Place of the value among the dimension's, [n].
        currency: Place of the currency, [n].
        month: Place of the month in the trend, from 0, [n].
        amount: The component, [n].
    """

    variant: Ints
    value: Ints
    currency: Ints
    month: Ints
    amount: Ints


@dataclass(frozen=True, slots=True)
class BreakdownSums:
    """A breakdown by variant, key and currency, in that order.

    Attributes:
        variant: Place of the variant, [n].
        key: Place of the key among `Slice.keys`, [n].
        currency: Place of the currency, [n].
        amount: Its amount, [n].
        count: How many, [n].
    """

    variant: Ints
    key: Ints
    currency: Ints
    amount: Ints
    count: Ints

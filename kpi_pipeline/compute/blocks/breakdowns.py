"""Amounts and counts by what is no dimension: reasons, kinds of failure, suppliers, categories."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.json_values import Data, named, split
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.group_sums import BreakdownSums
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.model.filters import fold

_TOP: Final = 10


def rejection_reasons(slice_: Slice) -> list[list[Data]]:
    """Why certificates were rejected: by currency, the most frequent reasons first."""
    breakdown_sums = slice_.breakdown_sums("rejection_reason")
    return _rows(
        slice_, breakdown_sums, "rejection_reason", "reason", (breakdown_sums.count, breakdown_sums.amount)
    )


def failure_kinds(slice_: Slice) -> list[list[Data]]:
    """What went wrong with certificates that were rejected or reworked, the most frequent first."""
    breakdown_sums = slice_.breakdown_sums("failure_kind")
    return _rows(
        slice_, breakdown_sums, "failure_kind", "kind", (breakdown_sums.count, breakdown_sums.amount)
    )


def suppliers(slice_: Slice) -> list[list[Data]]:
    """The suppliers with the largest costs, by currency."""
    breakdown_sums = slice_.breakdown_sums("supplier")
    return _rows(slice_, breakdown_sums, "supplier", "supplier", (breakdown_sums.amount,))


def cost_categories(slice_: Slice) -> list[list[Data]]:
    """The categories with the largest costs, by currency."""
    breakdown_sums = slice_.breakdown_sums("cost_category")
    return _rows(slice_, breakdown_sums, "cost_category", "category", (breakdown_sums.amount,))


def _rows(
    slice_: Slice, breakdown_sums: BreakdownSums, breakdown: str, column: str, measures: tuple[Ints, ...]
) -> list[list[Data]]:
    """The first rows of each variant and currency.

    Args:
        slice_: The variants.
        breakdown_sums: The rows of all variants.
        breakdown: Their breakdown.
        column: What its key is called in a row.
        measures: What the largest come first of; then by key.
    """
    keys = slice_.keys(breakdown)
    sought = sorted(range(len(keys)), key=lambda place: (fold(keys[place]), keys[place]))
    by_name = np.argsort(np.array(sought, np.int64))[breakdown_sums.key]
    order = np.lexsort(
        (
            by_name,
            *(-measure for measure in reversed(measures)),
            breakdown_sums.currency,
            breakdown_sums.variant,
        )
    )
    variant, currency = breakdown_sums.variant[order], breakdown_sums.currency[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(variant) != 0) | (np.diff(currency) != 0)
    starts = np.flatnonzero(begins)
    rank = np.arange(len(order)) - starts[np.cumsum(begins) - 1]
    kept = rank < _TOP
    order, variant = order[kept], variant[kept]
    rows = [
        {column: key, "currency": code, "amount": amount, "count": count}
        for key, code, amount, count in zip(
            named(keys, breakdown_sums.key[order]),
            named(slice_.currencies, breakdown_sums.currency[order]),
            breakdown_sums.amount[order].tolist(),
            breakdown_sums.count[order].tolist(),
            strict=True,
        )
    ]
    return split(len(slice_.filters), variant, rows)

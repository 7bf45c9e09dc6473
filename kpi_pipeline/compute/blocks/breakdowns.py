"""Amounts and counts by keys that are no dimension: reasons, kinds of failure, suppliers, categories."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import Data, by_variant, names_at, rows_of
from kpi_pipeline.model.filters import fold

_ROWS: Final = 10


def rejection_reasons(slice_: Slice) -> list[list[Data]]:
    """Why certificates were rejected: by currency, the most frequent reasons first."""
    return _breakdown(slice_, "rejection_reason", "reason", by_count=True)


def failure_kinds(slice_: Slice) -> list[list[Data]]:
    """Why certificates were rejected or reworked: by currency, the most frequent kinds first."""
    return _breakdown(slice_, "failure_kind", "kind", by_count=True)


def suppliers(slice_: Slice) -> list[list[Data]]:
    """The suppliers with the largest costs, by currency."""
    return _breakdown(slice_, "supplier", "supplier", by_count=False)


def cost_categories(slice_: Slice) -> list[list[Data]]:
    """The categories with the largest costs, by currency."""
    return _breakdown(slice_, "cost_category", "category", by_count=False)


def _breakdown(slice_: Slice, breakdown: str, column: str, by_count: bool) -> list[list[Data]]:
    """The first rows of each variant and currency.

    Args:
        slice_: The variants.
        breakdown: The breakdown.
        column: The name of its key in a row.
        by_count: The largest counts first, then amounts; else the largest amounts. Then by key.
    """
    sums = slice_.breakdown_sums(breakdown)
    keys = slice_.keys(breakdown)
    in_order = sorted(range(len(keys)), key=lambda place: (fold(keys[place]), keys[place]))
    rank_of_key = np.argsort(np.array(in_order, np.int64))
    measures = (-sums.amount, -sums.count) if by_count else (-sums.amount,)
    order = np.lexsort((rank_of_key[sums.key], *measures, sums.currency, sums.variant))
    variant, currency = sums.variant[order], sums.currency[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(variant) != 0) | (np.diff(currency) != 0)
    rank = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    order, variant = order[rank < _ROWS], variant[rank < _ROWS]
    rows = rows_of(
        {
            column: names_at(keys, sums.key[order]),
            "currency": names_at(slice_.currencies, sums.currency[order]),
            "amount": sums.amount[order].tolist(),
            "count": sums.count[order].tolist(),
        }
    )
    return by_variant(len(slice_.filters), variant, rows)

"""Amounts and counts by what is no dimension: reasons, kinds of failure, suppliers, categories."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.json_values import Data, named, split
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.group_sums import Broken
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.model.filters import fold

_TOP: Final = 10


def rejection_reasons(piece: Slice) -> list[list[Data]]:
    """Why certificates were rejected: by currency, the most frequent reasons first."""
    broken = piece.broken("rejection_reason")
    return _rows(piece, broken, "rejection_reason", "reason", (broken.count, broken.amount))


def failure_kinds(piece: Slice) -> list[list[Data]]:
    """What went wrong with certificates that were rejected or reworked, the most frequent first."""
    broken = piece.broken("failure_kind")
    return _rows(piece, broken, "failure_kind", "kind", (broken.count, broken.amount))


def suppliers(piece: Slice) -> list[list[Data]]:
    """The suppliers with the largest costs, by currency."""
    broken = piece.broken("supplier")
    return _rows(piece, broken, "supplier", "supplier", (broken.amount,))


def cost_categories(piece: Slice) -> list[list[Data]]:
    """The categories with the largest costs, by currency."""
    broken = piece.broken("cost_category")
    return _rows(piece, broken, "cost_category", "category", (broken.amount,))


def _rows(
    piece: Slice, broken: Broken, breakdown: str, column: str, measures: tuple[Ints, ...]
) -> list[list[Data]]:
    """The first rows of each variant and currency.

    Args:
        piece: The variants.
        broken: The rows of all variants.
        breakdown: Their breakdown.
        column: What its key is called in a row.
        measures: What the largest come first of; then by key.
    """
    keys = piece.keys(breakdown)
    sought = sorted(range(len(keys)), key=lambda place: (fold(keys[place]), keys[place]))
    by_name = np.argsort(np.array(sought, np.int64))[broken.key]
    order = np.lexsort(
        (by_name, *(-measure for measure in reversed(measures)), broken.currency, broken.variant)
    )
    variant, currency = broken.variant[order], broken.currency[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(variant) != 0) | (np.diff(currency) != 0)
    starts = np.flatnonzero(begins)
    rank = np.arange(len(order)) - starts[np.cumsum(begins) - 1]
    kept = rank < _TOP
    order, variant = order[kept], variant[kept]
    rows = [
        {column: key, "currency": code, "amount": amount, "count": count}
        for key, code, amount, count in zip(
            named(keys, broken.key[order]),
            named(piece.currencies, broken.currency[order]),
            broken.amount[order].tolist(),
            broken.count[order].tolist(),
            strict=True,
        )
    ]
    return split(len(piece.filters), variant, rows)

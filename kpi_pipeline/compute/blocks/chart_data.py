"""What every chart of a variant consists of: its data columns, whether they are empty, and what they say."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kpi_pipeline.compute.blocks.json_values import Data, bounds, named
from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice

KpiValues = dict[str, list[Data]]
"""The readings of a variant, by the name of the KPI."""

Columns = dict[str, list[Any]]
"""Data columns by name, row by row."""

Said = tuple[str, Data]
"""A sentence of `model.sentences`: its name and its values."""


def charted(
    slice_: Slice, variant: Ints, columns: Columns, drawn: Bools, says: list[list[Data]]
) -> list[Data]:
    """One chart of each variant. Where nothing is to be drawn it says nothing.

    Args:
        slice_: The variants.
        variant: The place of each row's variant, sorted.
        columns: The data columns of all variants, row by row.
        drawn: Rows in which there is something to draw.
        says: The sentences of each variant.
    """
    variants = len(slice_.filters)
    full = np.zeros(variants, np.bool_)
    full[variant[drawn]] = True
    return [
        {
            "columns": {name: column[start:end] for name, column in columns.items()},
            "empty": not something,
            "says": said if something else [],
        }
        for (start, end), something, said in zip(bounds(variants, variant), full.tolist(), says, strict=True)
    ]


def said_by_currency(
    slice_: Slice, variant: Ints, currency: Ints, said: Iterable[Said | None]
) -> list[list[Data]]:
    """The sentences of each variant, at most one of each of its currencies.

    Args:
        slice_: The variants.
        variant: The place of each sentence's variant; sorted, together with `currency`.
        currency: The place of each sentence's currency.
        said: The sentences; None where nothing is to be said.
    """
    found: list[list[Data]] = [[] for _ in slice_.filters]
    for at, code, one in zip(variant.tolist(), named(slice_.currencies, currency), said, strict=True):
        if one is not None:
            found[at].append({"currency": code, "sentence": one[0], "values": one[1]})
    return found


def shown(slice_: Slice) -> tuple[Ints, Ints]:
    """Each variant with each currency that it shows: places of the variant and of the currency."""
    variant, currency = np.nonzero(slice_.present)
    return variant, currency


def trend_month_rows(slice_: Slice, variant: Ints) -> list[str]:
    """The months of the trend, once for each of some places of variants."""
    texts = trends_by_end(slice_)
    return [month for end in slice_.trend_end[variant].tolist() for month in texts[end]]


def trends_by_end(slice_: Slice) -> dict[int, list[str]]:
    """The months of each trend, by the number of its last one."""
    ends, first = np.unique(slice_.trend_end, return_index=True)
    return {end: slice_.trend_months(at) for end, at in zip(ends.tolist(), first.tolist(), strict=True)}

"""The parts of every chart of a variant: its data columns, whether they are empty, and its sentences."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import Data, bounds, names_at

KpiValues = dict[str, list[Data]]
"""The values of a variant by the name of the KPI."""

Columns = dict[str, list[Any]]
"""Data columns by name, row by row."""

Sentence = tuple[str, Data]
"""A sentence of `model.charts.sentences`: its name and its values."""


def charts_by_variant(
    slice_: Slice, variant: Ints, columns: Columns, drawn: Bools, sentences: list[list[Data]]
) -> list[Data]:
    """One chart of each variant; an empty chart has no sentences.

    Args:
        slice_: The variants.
        variant: The place of each row's variant, sorted.
        columns: The data columns of all variants, row by row.
        drawn: Rows in which there is something to draw.
        sentences: The sentences of each variant.
    """
    variants = len(slice_.filters)
    filled = np.zeros(variants, np.bool_)
    filled[variant[drawn]] = True
    return [
        {
            "columns": {name: column[start:end] for name, column in columns.items()},
            "empty": not has_data,
            "says": own if has_data else [],
        }
        for (start, end), has_data, own in zip(
            bounds(variants, variant), filled.tolist(), sentences, strict=True
        )
    ]


def sentences_by_variant(
    slice_: Slice, variant: Ints, currency: Ints, sentences: Iterable[Sentence | None]
) -> list[list[Data]]:
    """The sentences of each variant, at most one of each of its currencies.

    Args:
        slice_: The variants.
        variant: The place of each sentence's variant; sorted, together with `currency`.
        currency: The place of each sentence's currency.
        sentences: The sentences; None where there is none.
    """
    of_variant: list[list[Data]] = [[] for _ in slice_.filters]
    codes = names_at(slice_.currencies, currency)
    for at, code, sentence in zip(variant.tolist(), codes, sentences, strict=True):
        if sentence is not None:
            name, values = sentence
            of_variant[at].append({"currency": code, "sentence": name, "values": values})
    return of_variant


def present_currencies(slice_: Slice) -> tuple[Ints, Ints]:
    """Each variant with each currency that it shows: places of the variant and of the currency."""
    variant, currency = np.nonzero(slice_.present)
    return variant, currency

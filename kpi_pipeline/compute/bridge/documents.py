"""Bridges as they are published: plain JSON values, amounts in minor units."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from kpi_pipeline.compute.bridge.dso import Billing, dso_bridge
from kpi_pipeline.compute.bridge.moves import Moves, PartSums
from kpi_pipeline.compute.bridge.standings import EVERYTHING, DaySums
from kpi_pipeline.model.bridge import (
    BILLED,
    BRIDGE_DIMENSIONS,
    BRIDGE_FIGURES,
    BRIDGE_PARTS,
    DSO,
    RECEIVABLE,
)

Data = dict[str, Any]

_UNCODED = ("number",)
_NOTHING = (0, 0)


def bridges_by_filter(
    opening: DaySums, closing: DaySums, moved: PartSums
) -> dict[str, dict[str, list[Data]]]:
    """The bridges of everything and of each single value.

    Args:
        opening: What certificates sum to on the first day.
        closing: Of the last day, from which its days of billing are taken.
        moved: What the parts sum to.

    Returns:
        By dimension, the empty one for everything, and value: what is published of each currency. The last
        day's figures follow from the first's and the parts.
    """
    found: dict[str, dict[str, dict[str, Data]]] = {"": {"": {}}, **{name: {} for name in BRIDGE_DIMENSIONS}}
    for dimension, value, currency, _ in {**opening.figures, **moved}:
        found[dimension].setdefault(value, {}).setdefault(currency, {})
    return {
        dimension: {
            value: [
                _of_currency((dimension, value, currency), opening, closing, moved)
                for currency in sorted(currencies)
            ]
            for value, currencies in sorted(values.items())
        }
        for dimension, values in found.items()
    }


def _of_currency(key: tuple[str, str, str], opening: DaySums, closing: DaySums, moved: PartSums) -> Data:
    figures = {
        figure.name: _bridge(
            opening.figures.get((*key, figure.name), _NOTHING), moved.get((*key, figure.name), {})
        )
        for figure in BRIDGE_FIGURES
    }
    first, last = (
        Billing(figures[BILLED][end]["amount"], day.billing_days(*key[:2]))
        for end, day in (("opening", opening), ("closing", closing))
    )
    return {"currency": key[-1], "figures": figures, DSO: dso_bridge(first, last, figures[RECEIVABLE])}


def _bridge(opening: tuple[int, int], parts: Mapping[str, tuple[int, int, int]]) -> Data:
    amount = opening[0] + sum(change for change, _, _ in parts.values())
    count = opening[1] + sum(change for _, change, _ in parts.values())
    return {
        "opening": {"amount": opening[0], "count": opening[1]},
        "parts": [
            dict(
                zip(("part", "amount", "count", "certificates"), (part.name, *parts[part.name]), strict=True)
            )
            for part in BRIDGE_PARTS
            if part.name in parts
        ],
        "closing": {"amount": amount, "count": count},
    }


def columns_of(rows: pa.Table) -> Data:
    """Rows of certificates by columns.

    Args:
        rows: Such as those of `Moves.rows`.

    Returns:
        `count`; `columns`, the values of each column; `texts`, of a column of few texts these: its values are
        their places, null where there is none.
    """
    texts: dict[str, list[str]] = {}
    columns: dict[str, list[Any]] = {}
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        if pa.types.is_string(column.type) and name not in _UNCODED:
            encoded = column.dictionary_encode()
            texts[name] = encoded.dictionary.to_pylist()
            column = encoded.indices
        columns[name] = column.to_pylist()
    return {"count": rows.num_rows, "texts": texts, "columns": columns}


def published_parts(opening: DaySums, closing: DaySums, moves: Moves) -> dict[str, Data]:
    """All that is published of one pair of days, by the end of its name.

    Args:
        opening: What certificates sum to on the first day.
        closing: On the last.
        moves: What moved.
    """
    by_filter = bridges_by_filter(opening, closing, moves.sums)
    return {
        "": {"currencies": by_filter[EVERYTHING][""]},
        **{name: {"values": by_filter[name]} for name in BRIDGE_DIMENSIONS},
        **{figure: columns_of(rows) for figure, rows in moves.rows.items()},
    }

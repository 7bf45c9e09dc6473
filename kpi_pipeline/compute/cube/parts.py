"""Tables of a cube put together from parts: one that an earlier cube held is taken from it, not read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.cube.encoding import EncodedTable, Ints, Piece
from kpi_pipeline.compute.rollup.tables import Part

Values = Mapping[str, frozenset[str]]
"""The values of some columns of a part."""


@dataclass(frozen=True, slots=True)
class PartedTable:
    """An encoded table, and where its parts are in it.

    Attributes:
        table: The table: in order of place, and within a place of part.
        names: Of the parts; see `Part`.
        begins: Where the rows of each part begin, [places, parts + 1]; at last where those of the place end.
    """

    table: EncodedTable
    names: tuple[str, ...]
    begins: Ints

    @classmethod
    def of(
        cls,
        parts: Sequence[Part],
        encoded: Callable[[pa.Table], EncodedTable],
        places: int,
        before: "PartedTable | None",
    ) -> "PartedTable":
        """Put parts together.

        Args:
            parts: At least one.
            encoded: Encodes one.
            places: Length of the axis.
            before: A table encoded in the same way, from which parts are taken.
        """
        known = {} if before is None else {name: at for at, name in enumerate(before.names) if name}
        tables, begins, ends = [], [], []
        for part in parts:
            if before is not None and part.name in known:
                at = known[part.name]
                table, begin, end = before.table, before.begins[:, at], before.begins[:, at + 1]
            else:
                table = encoded(part.rows())
                edges = np.searchsorted(table.place, np.arange(places + 1))
                begin, end = edges[:-1], edges[1:]
            tables.append(table)
            begins.append(begin)
            ends.append(end)
        begin, end = np.stack(begins, axis=1), np.stack(ends, axis=1)
        edges = np.concatenate([[0], np.cumsum(end - begin)])
        whole = edges[np.arange(places)[:, None] * len(parts) + np.arange(len(parts) + 1)]
        names = tuple(part.name for part in parts)
        return cls(_joined(_pieces(tables, begin.tolist(), end.tolist())), names, whole)

    def has_rows(self, places: slice) -> list[bool]:
        """Which parts have rows in some places."""
        lengths = np.diff(self.begins[places], axis=1)
        return [bool(length) for length in lengths.sum(axis=0).tolist()]


def _pieces(
    tables: Sequence[EncodedTable], begins: Sequence[Sequence[int]], ends: Sequence[Sequence[int]]
) -> list[Piece]:
    """The rows of all places and parts in their order, in as few pieces as there can be."""
    pieces = [Piece(tables[0], 0, 0)]
    for begin, end in zip(begins, ends, strict=True):
        for table, first, last in zip(tables, begin, end, strict=True):
            if first == last:
                continue
            if pieces[-1].table is table and pieces[-1].end == first:
                pieces[-1] = Piece(table, pieces[-1].begin, last)
            else:
                pieces.append(Piece(table, first, last))
    return pieces


def _joined(pieces: Sequence[Piece]) -> EncodedTable:
    *_, last = pieces
    if all(piece.begin == piece.end for piece in pieces[:-1]) and (last.begin, last.end) == (
        0,
        len(last.table),
    ):
        return last.table
    return EncodedTable.joined(pieces)


def values_of(
    parts: Sequence[Part],
    found: Callable[[pa.Table], Values],
    before: Mapping[str, Values],
) -> tuple[dict[str, frozenset[str]], dict[str, Values]]:
    """The values of some columns of all parts, and those of each part that has a name.

    Args:
        parts: At least one.
        found: Finds those of a part.
        before: Those of parts that are known.
    """
    of_parts = [before.get(part.name) or found(part.rows()) for part in parts]
    whole = {
        name: frozenset(chain.from_iterable(values[name] for values in of_parts)) for name in of_parts[0]
    }
    return whole, {part.name: values for part, values in zip(parts, of_parts, strict=True) if part.name}

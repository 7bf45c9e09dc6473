"""Combinations of names as numbers: grouping by one number costs less than grouping by several texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]

_LARGEST_CODE = 2**62


@dataclass(frozen=True, slots=True)
class Attributes:
    """The distinct combinations of some columns of a table, in their order.

    Attributes:
        combinations: One row a combination.
        of_rows: The number of the combination of each row of the table.
    """

    combinations: pa.Table
    of_rows: Ints

    @classmethod
    def of(cls, table: pa.Table, names: Sequence[str]) -> "Attributes":
        """Number the combinations of some columns."""
        codes, sizes = np.zeros(table.num_rows, np.int64), 1
        for name in names:
            places, values = _places(table[name])
            if sizes * values >= _LARGEST_CODE:
                distinct, codes = np.unique(codes, return_inverse=True)
                sizes = len(distinct)
            codes = codes * values + places
            sizes *= values
        _, first, of_rows = np.unique(codes, return_index=True, return_inverse=True)
        return cls(table.select(names).take(pa.array(first)), of_rows)


def _places(column: pa.ChunkedArray) -> tuple[Ints, int]:
    """The place of each value among the distinct ones in order, and how many these are."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    places = np.empty_like(order, np.int64)
    places[order] = np.arange(len(order))
    return places[encoded.indices.to_numpy()], len(order)

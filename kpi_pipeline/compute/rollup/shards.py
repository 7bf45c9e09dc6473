"""Shards: certificates by month of issue, costs by month of invoice. What they sum to is kept and merged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.database import computation

ShardSums = Mapping[str, pa.Table]
"""What a shard sums to, by name of the table."""

BATCH_ROWS: Final = 100_000
"""Rows that are summed at once, unless one shard has more: it bounds the memory that a sum takes."""

_FEWEST_ZEROS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Shard:
    """The rows of one month.

    Attributes:
        month: Number of the month.
        count: How many rows it has.
        digest: Of the rows, in whatever order; equal for equal ones. None where it is not known.
        rows: Loads them.
    """

    month: int
    count: int
    digest: str | None
    rows: Callable[[], pa.Table] = field(repr=False)


class KeptSums(Protocol):
    """Where the sums of shards, and what follows from those of all, are kept.

    All are of one business date, one set of definitions and one program.
    """

    def get(self, digest: str) -> ShardSums | None:
        """The sums of a shard's rows; None where they are not kept."""

    def put(self, digest: str, sums: ShardSums) -> None:
        """Keep the sums of a shard's rows."""


def shards_of(table: pa.Table, dated: str, *, digests: bool = False) -> list[Shard]:
    """Split a table by month.

    Args:
        table: The rows.
        dated: The column of the date by whose month they are split.
        digests: Whether digests are needed.
    """
    day = table[dated]
    months = pc.add(pc.multiply(pc.year(day), 12), pc.subtract(pc.month(day), 1))
    numbers = months.to_numpy().astype(np.int64)
    order = np.argsort(numbers, kind="stable")
    found, first, count = np.unique(numbers[order], return_index=True, return_counts=True)
    by_month = _digests(table.append_column("shard", months), dated) if digests else {}
    return [
        Shard(month, rows, by_month.get(month), _taking(table, order[begin : begin + rows]))
        for month, begin, rows in zip(found.tolist(), first.tolist(), count.tolist(), strict=True)
    ]


def batches(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """Shards that are summed at once, in their order."""
    batch: list[Shard] = []
    rows = 0
    for shard in shards:
        if batch and rows + shard.count > BATCH_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(shard)
        rows += shard.count
    if batch:
        yield batch


def split(found: pa.Table, months: Sequence[int]) -> dict[int, pa.Table]:
    """The rows of each shard, in their order.

    Args:
        found: Rows with a column `shard`, which is left out.
        months: All shards.
    """
    numbers = found["shard"].to_numpy()
    rows = found.drop_columns(["shard"])
    order = np.argsort(numbers, kind="stable")
    first, end = (np.searchsorted(numbers[order], months, side=side) for side in ("left", "right"))
    return {
        month: compact(rows.take(pa.array(order[begin:until])).combine_chunks())
        for month, begin, until in zip(months, first.tolist(), end.tolist(), strict=True)
    }


def compact(table: pa.Table) -> pa.Table:
    """The same table: columns of zeros, of which cells have many, share their memory."""
    return with_zeros(without_zeros(table), table.column_names, table.num_rows)


def without_zeros(table: pa.Table) -> pa.Table:
    """A table without its columns of zeros."""
    return table.drop_columns(
        [
            field.name
            for field, column in zip(table.schema, table.columns, strict=True)
            if pa.types.is_int64(field.type) and not column.null_count and not column.to_numpy().any()
        ]
    )


def with_zeros(table: pa.Table, names: Sequence[str], rows: int) -> pa.Table:
    """A table with its columns of zeros, which share their memory.

    Args:
        table: As `without_zeros` gives it.
        names: All its columns, in order.
        rows: How many rows it has.
    """
    known = dict(zip(table.column_names, table.columns, strict=True))
    zeros = _zeros(1 << max(rows, _FEWEST_ZEROS).bit_length()).slice(0, rows)
    return pa.table({name: known.get(name, zeros) for name in names})


@cache
def _zeros(rows: int) -> pa.Array:
    return pa.array(np.zeros(rows, np.int64))


def _taking(table: pa.Table, rows: np.ndarray) -> Callable[[], pa.Table]:
    return lambda: table.take(pa.array(rows))


def _digests(table: pa.Table, dated: str) -> dict[int, str]:
    """A digest of the rows of each month and what they are split by."""
    with computation() as connection:
        connection.register("rows", table)
        # Two sums of independent numbers of 64 bits: they do not depend on the order.
        found = connection.execute(
            "SELECT shard, count(*), sum(hash(rows)), sum(hash(rows, 1)) FROM rows GROUP BY shard"
        ).fetchall()
    return {month: f"{dated}-{month}-{rows}-{first:x}-{second:x}" for month, rows, first, second in found}


def rows_digest(table: pa.Table) -> str:
    """A digest of the rows of a table, in whatever order."""
    with computation() as connection:
        connection.register("rows", table)
        ((rows, first, second),) = connection.execute(
            "SELECT count(*), coalesce(sum(hash(rows)), 0), coalesce(sum(hash(rows, 1)), 0) FROM rows"
        ).fetchall()
    return f"{rows}-{int(first):x}-{int(second):x}"

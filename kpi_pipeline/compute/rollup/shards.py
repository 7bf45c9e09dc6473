"""Shards: certificates by month of issue, costs by month of invoice. What they sum to is kept and merged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import groupby
from typing import Final, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.database import computation

ShardSums = Mapping[str, pa.Table]
"""What a shard sums to, by name of the table."""

BATCH_ROWS: Final = 100_000
"""Rows that are summed at once, unless one shard has more: it bounds the memory that a sum takes."""

GROUP_ROWS: Final = 4_000
"""Months are summed and kept together up to so many rows, which take little longer than a few rows do."""

_GROUP_MONTHS: Final = (12, 3, 1)
"""Years; where one has more rows, its quarters, and where one of these has more, its months."""

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


@dataclass(frozen=True, slots=True)
class ShardGroup:
    """Shards that are summed and kept together.

    Attributes:
        shards: At least one, by month.
    """

    shards: tuple[Shard, ...]

    @property
    def first(self) -> int:
        """Number of its first month."""
        return self.shards[0].month

    @property
    def last(self) -> int:
        """Number of its last month."""
        return self.shards[-1].month

    @property
    def count(self) -> int:
        """How many rows it has."""
        return sum(shard.count for shard in self.shards)

    @property
    def digest(self) -> str | None:
        """Of the rows; equal for equal ones. None where it is not known."""
        digests = [shard.digest for shard in self.shards]
        if len(digests) == 1:
            return digests[0]
        if None in digests:
            return None
        return f"{self.first}-{blake2b(repr(digests).encode(), digest_size=16).hexdigest()}"


class KeptSums(Protocol):
    """Where the sums of groups of shards, and what follows from those of all, are kept.

    All are of one business date, one set of definitions and one program.
    """

    def get(self, digest: str) -> ShardSums | None:
        """The sums of a group's rows; None where they are not kept."""

    def put(self, digest: str, sums: ShardSums) -> None:
        """Keep the sums of a group's rows."""


class _Counted(Protocol):
    @property
    def count(self) -> int: ...


_Rows = TypeVar("_Rows", bound=_Counted)


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


def grouped(shards: Sequence[Shard]) -> list[ShardGroup]:
    """Shards in their order, those of few rows together."""
    return list(_groups(shards, _GROUP_MONTHS))


def _groups(shards: Sequence[Shard], spans: Sequence[int]) -> Iterator[ShardGroup]:
    span, *shorter = spans
    for _, members in groupby(shards, lambda shard: shard.month // span):
        group = ShardGroup(tuple(members))
        if shorter and group.count > GROUP_ROWS:
            yield from _groups(group.shards, shorter)
        else:
            yield group


def batches(shards: Sequence[_Rows]) -> Iterator[list[_Rows]]:
    """Shards, or groups of them, that are summed at once, in their order."""
    batch: list[_Rows] = []
    rows = 0
    for shard in shards:
        if batch and rows + shard.count > BATCH_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(shard)
        rows += shard.count
    if batch:
        yield batch


def split(found: pa.Table, groups: Sequence[ShardGroup]) -> list[pa.Table]:
    """The rows of each group, by shard and in their order.

    Args:
        found: Rows with a column `shard`, which is left out.
        groups: All groups.
    """
    numbers = found["shard"].to_numpy()
    rows = found.drop_columns(["shard"])
    order = np.argsort(numbers, kind="stable")
    begins = np.searchsorted(numbers[order], [group.first for group in groups], side="left")
    ends = np.searchsorted(numbers[order], [group.last for group in groups], side="right")
    return [
        compact(rows.take(pa.array(order[begin:end])).combine_chunks())
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    ]


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

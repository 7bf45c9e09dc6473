"""A table of certificates as files by month of issue, named by what they hold: what is unchanged stays."""

from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.rollup.shards import Shard
from kpi_pipeline.resources.stored_tables import (
    TABLE_SUFFIX,
    StoredTable,
    read_part,
    rows_of,
    still_there,
    write_part,
)

DATED_BY: Final = "issued_on"
"""The column of the date by whose month certificates are parted."""

MonthParts = Mapping[int, Path]
"""The file of each month, by `compute.months.month_number`."""


def months_of(certificates: pa.Table) -> frozenset[int]:
    """The months of issue of some certificates."""
    return frozenset(np.unique(_numbers(certificates)).tolist())


def store_parts(
    certificates: pa.Table,
    folder: Path,
    before: MonthParts | None = None,
    changed: frozenset[int] = frozenset(),
) -> dict[int, Path]:
    """Write the parts of a table that are not stored yet.

    Args:
        certificates: The table.
        folder: Where its files are.
        before: The parts that it had; None where all may differ.
        changed: The months that differ from these.

    Returns:
        Its parts, by month.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = _numbers(certificates)
    # A table without rows is one part.
    months = np.unique(numbers).tolist() or [0]
    parts = {
        month: path
        for month, path in (before or {}).items()
        if month in months and month not in changed and still_there(path)
    }
    stale = [month for month in months if month not in parts]
    for month, rows in _split(certificates, numbers, stale):
        path = folder / f"{month}-{content_digest(rows)}{TABLE_SUFFIX}"
        if not still_there(path):
            write_part(rows, path)
        parts[month] = path
    return dict(sorted(parts.items()))


def shards_of_parts(certificates: StoredTable) -> list[Shard]:
    """The shards of stored certificates, each of which is read when its rows are needed."""
    shards = []
    for path in certificates.paths:
        month = int(path.stem.partition("-")[0])
        shards.append(Shard(month, rows_of(path), f"{DATED_BY}-{path.stem}", partial(read_part, path)))
    return shards


def _numbers(certificates: pa.Table) -> npt.NDArray[np.int64]:
    day = certificates[DATED_BY]
    months = pc.add(pc.multiply(pc.year(day), 12), pc.subtract(pc.month(day), 1))
    return np.asarray(months.to_numpy(), np.int64)


def _split(
    table: pa.Table, numbers: npt.NDArray[np.int64], months: list[int]
) -> Iterator[tuple[int, pa.Table]]:
    """The rows of some months, in their order."""
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    for month in months:
        begin, end = np.searchsorted(ordered, (month, month + 1))
        yield month, table.take(pa.array(order[begin:end])).combine_chunks()


def content_digest(rows: pa.Table) -> str:
    """A digest of rows in their order."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return blake2b(sink.getvalue(), digest_size=16).hexdigest()

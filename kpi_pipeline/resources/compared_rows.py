"""The rows of a database now against those that are known: all of them, or the latest.

The two classes are alike to who reads what has changed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.ingest.known_source import KnownSource, NotLocal
from kpi_pipeline.compute.ingest.source_rows import identities_of
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.change_detection import counted_rows, probed_relations, row_hashes
from kpi_pipeline.sources.extract import CostExtract
from kpi_pipeline.sources.relations import ReadRelation, Relation
from kpi_pipeline.sources.watermark import (
    later_change,
    later_watermark,
    latest_change,
    shortly_before,
    watermark,
)

Numbers = npt.NDArray[np.uint64]

_KEYS_AT_A_TIME: Final = 400
"""Keys of a condition; SQLite nests expressions at most 1,000 deep."""

MOST_CHANGED: Final = 0.2
"""Share of changed rows from which on reading all is quicker."""

_FEW: Final = 1000
"""Changed rows that are always read alone."""


@dataclass(frozen=True, slots=True)
class AllRows:
    """All rows of a source as they are now, against those that are known.

    Attributes:
        table: What shows whether they have changed.
        hashes: Of each of them.
        mapping: What they mean.
        before: Those that are known.
        keys: The columns of a key.
        is_whole: Whether the table holds all that is read of a row.
        changed: The identities of which a row has changed, appeared or gone.
    """

    table: pa.Table
    hashes: Numbers
    mapping: SourceMapping
    before: KnownSource
    keys: tuple[str, ...]
    is_whole: bool
    changed: frozenset[str]
    _differing: Numbers
    _new: frozenset[str]

    @classmethod
    def of(cls, table: pa.Table, mapping: SourceMapping, before: KnownSource) -> Self:
        """Compare the rows.

        Raises:
            NotLocal: If one without a key has changed.
        """
        hashes, known = row_hashes(table).to_numpy(), before.rows["state"].to_numpy()
        differing = _differing(hashes, known)
        named = mapping.columns["certificate_id"]
        appeared = _keyed(identities_of(table.filter(pa.array(np.isin(hashes, differing))), mapping))
        gone = _keyed(before.rows["identity"].filter(pa.array(np.isin(known, differing))).to_pylist())
        return cls(
            table,
            hashes,
            mapping,
            before,
            (named,) if isinstance(named, str) else tuple(named),
            set(mapping.source_columns) <= set(table.column_names),
            frozenset(appeared | gone),
            differing,
            frozenset(appeared),
        )

    def existing(self, identities: Collection[str]) -> frozenset[str]:
        """Those of some identities that have rows."""
        known = self.before.of_identities(identities)["identity"].to_pylist() if identities else []
        return frozenset(known) | self._new.intersection(identities)

    def read(self, read: ReadRelation, relation: Relation, identities: Collection[str]) -> pa.Table:
        """Read all rows of some identities.

        Raises:
            NotLocal: If these are too many, or the database does not find them by what it shows of their
                keys.
        """
        known = self.before.of_identities(identities)["state"].to_numpy()
        wanted = np.isin(self.hashes, np.union1d(known, self._differing))
        if wanted.sum() > max(_FEW, MOST_CHANGED * len(self.hashes)):
            raise NotLocal("most rows have changed")
        shown = self.table.filter(pa.array(wanted))
        if self.is_whole:
            return shown.select(list(relation.columns))
        raw = read_keys(read, relation, self.keys, shown.select(self.keys))
        found = self.hashes_of(raw).to_numpy()
        if not np.array_equal(np.sort(found), np.sort(self.hashes[wanted])):
            raise NotLocal("rows are not found by their keys")
        return raw

    def hashes_of(self, raw: pa.Table) -> pa.Array:
        """Hashes of what shows whether rows have changed."""
        return row_hashes(raw.select(self.table.column_names))

    def watermark(self, costs: CostExtract | None) -> str | None:
        """The source's watermark."""
        tables = () if costs is None else (costs.headers, costs.lines)
        return watermark(self.table, self.mapping, [table for table in tables if table is not None])

    @property
    def latest(self) -> str | None:
        """Of `watermark.latest_change`."""
        return latest_change(self.table, self.mapping)


@dataclass(frozen=True, slots=True)
class LatestRows:
    """The rows that changed from shortly before the latest known time of change.

    Attributes:
        rows: Those of them that were not known so.
        counted: How many rows the source has in all.
        mapping: What they mean.
        before: Those that are known.
        changed: The identities of those.
    """

    rows: pa.Table
    counted: int
    mapping: SourceMapping
    before: KnownSource
    changed: frozenset[str]

    @classmethod
    def of(cls, read: ReadRelation, relation: Relation, mapping: SourceMapping, before: KnownSource) -> Self:
        """Read them.

        Raises:
            NotLocal: If one has no key, or if most rows have changed.
        """
        column = mapping.columns["updated_at"]
        if not isinstance(column, str) or before.latest is None:
            raise NotLocal("no order of changes is known")
        read_rows = read(relation.where_from(column, shortly_before(before.latest)))
        counted = int(read(counted_rows(relation))["rows"][0].as_py())
        hashes = _hashes(read_rows, mapping)
        known = before.rows["state"]
        known = known.filter(pc.is_in(known, hashes))
        rows = read_rows.filter(pc.invert(pc.is_in(hashes, known.combine_chunks())))
        if rows.num_rows > max(_FEW, MOST_CHANGED * counted):
            raise NotLocal("most rows have changed")
        return cls(rows, counted, mapping, before, frozenset(_keyed(identities_of(rows, mapping))))

    def existing(self, identities: Collection[str]) -> frozenset[str]:
        """Those of some identities that have rows."""
        known = self.before.of_identities(identities)["identity"].to_pylist() if identities else []
        return frozenset(known) | self.changed.intersection(identities)

    def read(self, _read: ReadRelation, _relation: Relation, identities: Collection[str]) -> pa.Table | None:
        """All rows of some identities; None where there are others of them, others have gone, or the order
        of times is no longer known.
        """
        known = self.before.of_identities(identities).num_rows
        is_all = self.before.rows.num_rows - known + self.rows.num_rows == self.counted
        is_told = is_all and self.changed.issuperset(identities) and self.latest is not None
        return self.rows if is_told else None

    def hashes_of(self, raw: pa.Table) -> pa.Array:
        """Hashes of what shows whether rows have changed."""
        return _hashes(raw, self.mapping)

    def watermark(self, costs: CostExtract | None) -> str | None:
        """The source's watermark."""
        tables = () if costs is None else (costs.headers, costs.lines)
        read = [table for table in tables if table is not None]
        return later_watermark(self.before.watermark, self.rows, self.mapping, read)

    @property
    def latest(self) -> str | None:
        """Of `watermark.latest_change`."""
        return later_change(self.before.latest, self.rows, self.mapping)


def _hashes(rows: pa.Table, mapping: SourceMapping) -> pa.Array:
    return row_hashes(rows.select(probed_relations(mapping)["certificates"].columns))


def _keyed(identities: Sequence[str | None]) -> set[str]:
    """Identities as a set.

    Raises:
        NotLocal: If one is that of a row without a key.
    """
    keyed = {identity for identity in identities if identity is not None}
    if None in identities:
        raise NotLocal("a row without a key has changed")
    return keyed


def _differing(now: Numbers, then: Numbers) -> Numbers:
    """The hashes of which there are not as many as there were."""
    (present, count), (known, counts) = (np.unique(of, return_counts=True) for of in (now, then))
    alike, here, there = np.intersect1d(present, known, assume_unique=True, return_indices=True)
    return np.concatenate(
        [
            np.setdiff1d(present, alike, assume_unique=True),
            np.setdiff1d(known, alike, assume_unique=True),
            alike[count[here] != counts[there]],
        ]
    )


def read_keys(read: ReadRelation, relation: Relation, columns: Sequence[str], keys: pa.Table) -> pa.Table:
    """Read the rows whose columns hold one of some keys."""
    distinct = keys.group_by(keys.column_names).aggregate([])
    texts = [
        tuple(moment_text(part) or "" for part in key)
        for key in zip(*(distinct[name].to_pylist() for name in keys.column_names), strict=True)
    ]
    parts = [
        read(relation.where_any(columns, texts[begin : begin + _KEYS_AT_A_TIME]))
        for begin in range(0, max(len(texts), 1), _KEYS_AT_A_TIME)
    ]
    return pa.concat_tables(parts)


def moment_text(value: Any) -> str | None:
    """A value as a constant for the database that gave it."""
    return value if value is None or isinstance(value, str) else str(value)

"""Reading only what has changed of a database, in one transaction.

Keys and times of all rows show which have changed; these are read again with their changes in the log. What
bears on other rows, or cannot be told exactly, is refused with `NotLocal`: then everything is read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from kpi_pipeline.compute.ingest.certificates import Normalised, normalise
from kpi_pipeline.compute.ingest.change_log import changes_by_certificate
from kpi_pipeline.compute.ingest.costs import cost_names, normalise_costs
from kpi_pipeline.compute.ingest.known_source import KnownSource, LogState, NotLocal
from kpi_pipeline.compute.ingest.source_rows import identities_of
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.resources.month_parts import months_of
from kpi_pipeline.sources.change_detection import (
    digest_of_rows,
    probed_relations,
    row_hashes,
    token_of,
)
from kpi_pipeline.sources.databases import is_of_arrow, parse_address, transaction
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import CostExtract, Extract
from kpi_pipeline.sources.relations import ReadRelation, Relation, RelationName, relations_of
from kpi_pipeline.sources.watermark import watermark

Numbers = npt.NDArray[np.uint64]

_KEYS_AT_A_TIME: Final = 400
"""Keys of a condition; SQLite nests expressions at most 1,000 deep."""

_MOST_CHANGED: Final = 0.2
"""Share of changed rows from which on reading all is quicker."""

_FEW: Final = 1000
"""Changed rows that are always read alone."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """What of a reading shows the next one whether something has changed.

    Attributes:
        rows: Of each row in extraction order, a hash.
        log: How far the log was read; None without one.
        costs: Digest of the costs; None without any.
    """

    rows: pa.Array
    log: LogState | None = None
    costs: str | None = None

    @classmethod
    def of(cls, extracted: Extract, url: str, mapping: SourceMapping, timezone: str) -> Self:
        """That of a reading of all rows.

        Args:
            extracted: The rows.
            url: The database's address.
            mapping: What they mean.
            timezone: Zone of calendar days.
        """
        shown = probed_relations(mapping)["certificates"].columns
        log = None if extracted.log is None else _log_state(extracted.log, url, mapping, timezone)
        return cls(row_hashes(extracted.raw.select(shown)), log, _costs_digest(extracted.costs))

    @classmethod
    def unknown(cls, rows: int) -> Self:
        """That of a source of which all is read each time."""
        return cls(pa.array(np.zeros(rows, np.uint64)))


@dataclass(frozen=True, slots=True)
class ChangedReading:
    """A source of which only what has changed was read.

    Attributes:
        source: All that is known of it now.
        changed: Certificates that changed, appeared or went.
        months: Months of issue in which something differs.
        token: Of `change_detection.token_of`.
    """

    source: KnownSource
    changed: int
    months: frozenset[int]
    token: str


def follows_changes(url: str) -> bool:
    """Whether only what has changed can be read of a source, given its address, which is no CSV file's."""
    try:
        return is_of_arrow(parse_address(url))
    except SourceError:
        return False  # Reading it reports what is wrong.


def read_changes(url: str, mapping: SourceMapping, timezone: str, before: KnownSource) -> ChangedReading:
    """Read what has changed since an earlier reading.

    Args:
        url: Address of a database of which `follows_changes` is true.
        mapping: What its rows mean.
        timezone: Zone of calendar days.
        before: What was known of it, by the same mapping and zone.

    Raises:
        NotLocal: If all must be read.
        SourceError: If the source cannot be read or lacks what the mapping names.
    """
    relations = relations_of(mapping)
    with transaction(parse_address(url), relations.values()) as read:
        probed = {name: read(relation) for name, relation in probed_relations(mapping).items()}
        rows = _Rows.of(probed["certificates"], mapping, before)
        log = _LogChanges.read(read, relations, probed, url, mapping, timezone, before.log)
        changed = rows.changed | rows.existing(log.new)
        raw = rows.read(read, relations["certificates"], changed)
        changes = _changes_of(read, relations, raw, mapping)
    costs = _costs(probed)
    digest = _costs_digest(costs)
    if not changed and not log.new and digest == before.costs_digest:
        raise NotLocal("nothing that shows has changed")
    normalised = normalise(raw, mapping, changes, timezone, before.for_changed)
    log.check(normalised, before)
    states = row_hashes(raw.select(rows.table.column_names))
    shown = [table for name, table in probed.items() if name in ("cost_headers", "cost_lines")]
    source = replace(
        before.changed(changed, normalised, states),
        log=log.state,
        watermark=watermark(rows.table, mapping, shown),
    )
    return ChangedReading(
        _with_costs(source, before, costs, digest, mapping, timezone),
        len(changed),
        months_of(before.certificates_of(changed)) | months_of(normalised.certificates),
        token_of(probed),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a source as they are now, against those that are known.

    Attributes:
        table: What shows whether they have changed.
        hashes: Of each of them.
        before: Those that are known.
        keys: The columns of a key.
        is_whole: Whether the table holds all that is read of a row.
        changed: The identities of which a row has changed, appeared or gone.
    """

    table: pa.Table
    hashes: Numbers
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
        if wanted.sum() > max(_FEW, _MOST_CHANGED * len(self.hashes)):
            raise NotLocal("most rows have changed")
        shown = self.table.filter(pa.array(wanted))
        if self.is_whole:
            return shown.select(list(relation.columns))
        raw = _read_keys(read, relation, self.keys, shown.select(self.keys))
        found = row_hashes(raw.select(self.table.column_names)).to_numpy()
        if not np.array_equal(np.sort(found), np.sort(self.hashes[wanted])):
            raise NotLocal("rows are not found by their keys")
        return raw


@dataclass(frozen=True, slots=True)
class _LogChanges:
    """What is new in the log.

    Attributes:
        state: How far it is read now; None without a log.
        new: The number of new changes that mean anything, by the identity of their certificate.
    """

    state: LogState | None
    new: Mapping[str, int]

    @classmethod
    def read(
        cls,
        read: ReadRelation,
        relations: Mapping[RelationName, Relation],
        probed: Mapping[RelationName, pa.Table],
        url: str,
        mapping: SourceMapping,
        timezone: str,
        before: LogState | None,
    ) -> Self:
        """Read what was appended to the log.

        Raises:
            NotLocal: If it has changed in another way.
        """
        if mapping.log is None or before is None:
            return cls(None, {})
        ((counted, latest),) = zip(*(column.to_pylist() for column in probed["log"].columns), strict=True)
        rows = int(counted)
        if rows == before.rows and _moment_text(latest) == before.latest:
            return cls(before, {})
        if before.latest is None:
            raise NotLocal("the order of the log is not known")
        appended = read(relations["log"].where_from(mapping.log.at, before.latest))
        if rows != before.rows + appended.num_rows - before.rows_at_latest:
            raise NotLocal("the log was not only appended to")
        state = replace(_log_state(appended, url, mapping, timezone), rows=rows)
        new = changes_by_certificate(appended, mapping, timezone)
        further = {
            identity: count - before.changes_at_latest.get(identity, 0) for identity, count in new.items()
        }
        return cls(state, {identity: count for identity, count in further.items() if count})

    def check(self, read: Normalised, before: KnownSource) -> None:
        """Compare what the log holds of the rows that were read with what it must hold.

        Raises:
            NotLocal: If it was not found by their keys, or holds what it should have held before.
        """
        counts = read.context.rows.select(["identity", "log_changes"]).to_pylist()
        earlier = before.of_identities({row["identity"] for row in counts})
        known = {row["identity"]: row["log_changes"] for row in earlier.to_pylist()}
        for row in counts:
            identity = row["identity"]
            if row["log_changes"] != known.get(identity, 0) + self.new.get(identity, 0):
                raise NotLocal(f"the log of {identity} is not found by its key")


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


def _read_keys(read: ReadRelation, relation: Relation, columns: Sequence[str], keys: pa.Table) -> pa.Table:
    """Read the rows whose columns hold one of some keys."""
    distinct = keys.group_by(keys.column_names).aggregate([])
    texts = [
        tuple(_moment_text(part) or "" for part in key)
        for key in zip(*(distinct[name].to_pylist() for name in keys.column_names), strict=True)
    ]
    parts = [
        read(relation.where_any(columns, texts[begin : begin + _KEYS_AT_A_TIME]))
        for begin in range(0, max(len(texts), 1), _KEYS_AT_A_TIME)
    ]
    return pa.concat_tables(parts)


def _changes_of(
    read: ReadRelation, relations: Mapping[RelationName, Relation], raw: pa.Table, mapping: SourceMapping
) -> pa.Table | None:
    """The log of some rows."""
    if mapping.log is None:
        return None
    named = mapping.columns["certificate_id"]
    keys = raw.select([named] if isinstance(named, str) else list(named))
    return _read_keys(read, relations["log"], mapping.log.key, keys)


def _log_state(log: pa.Table, url: str, mapping: SourceMapping, timezone: str) -> LogState:
    column = log[mapping.log.at if mapping.log else 0]
    # Text of PostgreSQL is in the order of its collation, which is not known here.
    is_ordered = pat.is_temporal(column.type) or parse_address(url).get_backend_name() == "sqlite"
    latest = pc.max(column) if is_ordered and log.num_rows else pa.scalar(None, column.type)
    at_latest = log.filter(pc.equal(column, latest))
    changes = changes_by_certificate(at_latest, mapping, timezone) if at_latest.num_rows else {}
    return LogState(log.num_rows, _moment_text(latest.as_py()), at_latest.num_rows, changes)


def _moment_text(value: Any) -> str | None:
    """A value as a constant for the database that gave it."""
    return value if value is None or isinstance(value, str) else str(value)


def _costs(probed: Mapping[RelationName, pa.Table]) -> CostExtract | None:
    headers = probed.get("cost_headers")
    return None if headers is None else CostExtract(headers, probed.get("cost_lines"))


def _costs_digest(costs: CostExtract | None) -> str | None:
    if costs is None:
        return None
    tables = (costs.headers, costs.lines)
    return ":".join(f"{table.num_rows}:{digest_of_rows(table)}" for table in tables if table is not None)


def _with_costs(
    source: KnownSource,
    before: KnownSource,
    extracted: CostExtract | None,
    digest: str | None,
    mapping: SourceMapping,
    timezone: str,
) -> KnownSource:
    """What is known, with the costs: read again where they, or names by which theirs are spelled, differ."""
    if digest == before.costs_digest and cost_names(source.certificates) == cost_names(before.certificates):
        return source
    headers, lines = (extracted.headers, extracted.lines) if extracted else (None, None)
    costs = normalise_costs(headers, lines, mapping, source.certificates, timezone)
    return replace(source, costs=costs, costs_digest=digest)

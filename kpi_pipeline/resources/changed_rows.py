"""Reading only what has changed of a database, in one transaction.

A look at the latest rows reads those from shortly before the latest known time of change, and counts all. An
exact look reads keys and times of all rows, and all costs. What has changed is read again with its changes in
the log. What bears on other rows, or cannot be told exactly, is refused with `NotLocal`: then all is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import pyarrow as pa

from kpi_pipeline.compute.ingest.certificates import Normalised, normalise
from kpi_pipeline.compute.ingest.change_log import changes_by_certificate
from kpi_pipeline.compute.ingest.costs import cost_names, normalise_costs
from kpi_pipeline.compute.ingest.known_source import KnownSource, LogState, NotLocal
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.resources.compared_rows import AllRows, LatestRows, moment_text, read_keys
from kpi_pipeline.resources.month_parts import months_of
from kpi_pipeline.resources.source_state import TABLES, costs_digest, log_state
from kpi_pipeline.sources.change_detection import (
    counted_rows,
    probed_relations,
    token_of,
)
from kpi_pipeline.sources.databases import is_of_arrow, parse_address, transaction
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import CostExtract
from kpi_pipeline.sources.relations import ReadRelation, Relation, RelationName, relations_of


@dataclass(frozen=True, slots=True)
class ChangedReading:
    """A source of which only what has changed was read.

    Attributes:
        source: All that is known of it now.
        changed: By what the certificates are compared that changed, appeared or went.
        months: Months of issue in which something differs.
        token: Of `change_detection.token_of`, of an exact look; None of another.
    """

    source: KnownSource
    changed: frozenset[str]
    months: frozenset[int]
    token: str | None


def follows_changes(url: str) -> bool:
    """Whether only what has changed can be read of a source, given its address, which is no CSV file's."""
    try:
        return is_of_arrow(parse_address(url))
    except SourceError:
        return False  # Reading it reports what is wrong.


def read_changes(
    url: str,
    mapping: SourceMapping,
    timezone: str,
    before: KnownSource,
    *,
    exact: bool = True,
    differs: bool = True,
) -> ChangedReading:
    """Read what has changed since an earlier reading.

    Args:
        url: Address of a database of which `follows_changes` is true.
        mapping: What its rows mean.
        timezone: Zone of calendar days.
        before: What was known of it, by the same mapping and zone.
        exact: Whether to compare keys and times of all rows, and all costs. Without it a row of which the
            time of change went back, or a cost that was changed, stays unseen as long as others show.
        differs: Whether something is known to differ.

    Raises:
        NotLocal: If all must be read.
        SourceError: If the source cannot be read or lacks what the mapping names.
    """
    found = None
    if not exact and before.latest is not None:
        found = _Look(url, mapping, timezone, before, is_exact=False).changes()
    if found is None:
        found = _Look(url, mapping, timezone, before, is_exact=True).changes()
    if found is None or (found.source is before and differs):
        raise NotLocal("nothing that shows has changed")
    return found


@dataclass(frozen=True, slots=True)
class _Costs:
    """The costs now.

    Attributes:
        extracted: The costs; None without any, and where they were not read.
        digest: Of them.
    """

    extracted: CostExtract | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at what has changed; the attributes are those of `read_changes`."""

    url: str
    mapping: SourceMapping
    timezone: str
    before: KnownSource
    is_exact: bool

    def changes(self) -> ChangedReading | None:
        """What has changed; None where nothing shows, or more than this look can tell."""
        before, mapping, relations = self.before, self.mapping, relations_of(self.mapping)
        probes = probed_relations(mapping)
        with transaction(parse_address(self.url), relations.values()) as read:
            if self.is_exact:
                rows: AllRows | LatestRows = AllRows.of(read(probes["certificates"]), mapping, before)
            else:
                rows = LatestRows.of(read, relations["certificates"], mapping, before)
            summary = read(probes["log"]) if "log" in probes else None
            log = _LogChanges.read(read, relations, summary, self)
            costs = _costs(read, relations, before, is_exact=self.is_exact)
            changed = rows.changed | rows.existing(log.new)
            token = _token(rows, summary, costs.extracted)
            if not changed and not log.new and costs.digest == before.costs_digest:
                return ChangedReading(before, changed, frozenset(), token) if self.is_exact else None
            raw = rows.read(read, relations["certificates"], changed)
            if raw is None:
                return None
            changes = _changes_of(read, relations, raw, mapping)
        normalised = normalise(raw, mapping, changes, self.timezone, before.for_changed)
        log.check(normalised, before)
        source = replace(
            before.changed(changed, normalised, rows.hashes_of(raw)),
            log=log.state,
            watermark=rows.watermark(costs.extracted),
            latest=rows.latest,
        )
        gone = before.certificates_of(changed)
        if costs.digest != before.costs_digest or not _have_same_names(gone, normalised, source, before):
            if costs.extracted is None and costs.digest is not None:
                return None
            source = _with_costs(source, costs, mapping, self.timezone)
        months = months_of(gone) | months_of(normalised.certificates)
        return ChangedReading(source, changed, months, token)


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
        summary: pa.Table | None,
        look: _Look,
    ) -> Self:
        """Read what was appended to the log.

        Raises:
            NotLocal: If it has changed in another way.
        """
        mapping, before = look.mapping, look.before.log
        if mapping.log is None or before is None or summary is None:
            return cls(None, {})
        ((counted, latest),) = zip(*(column.to_pylist() for column in summary.columns), strict=True)
        rows = int(counted)
        if rows == before.rows and moment_text(latest) == before.latest:
            return cls(before, {})
        if before.latest is None:
            raise NotLocal("the order of the log is not known")
        appended = read(relations["log"].where_from(mapping.log.at, before.latest))
        if rows != before.rows + appended.num_rows - before.rows_at_latest:
            raise NotLocal("the log was not only appended to")
        state = replace(log_state(appended, look.url, mapping, look.timezone), rows=rows)
        new = changes_by_certificate(appended, mapping, look.timezone)
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


def _changes_of(
    read: ReadRelation, relations: Mapping[RelationName, Relation], raw: pa.Table, mapping: SourceMapping
) -> pa.Table | None:
    """The log of some rows."""
    if mapping.log is None:
        return None
    named = mapping.columns["certificate_id"]
    keys = raw.select([named] if isinstance(named, str) else list(named))
    return read_keys(read, relations["log"], mapping.log.key, keys)


def _token(rows: AllRows | LatestRows, log: pa.Table | None, costs: CostExtract | None) -> str | None:
    """Of `change_detection.token_of`; None where not all was read that it comes from."""
    if not isinstance(rows, AllRows):
        return None
    headers, lines = (costs.headers, costs.lines) if costs else (None, None)
    named: dict[RelationName, pa.Table | None] = {
        "certificates": rows.table,
        "log": log,
        "cost_headers": headers,
        "cost_lines": lines,
    }
    return token_of({name: table for name, table in named.items() if table is not None})


def _costs(
    read: ReadRelation, relations: Mapping[RelationName, Relation], before: KnownSource, *, is_exact: bool
) -> _Costs:
    """The costs, read where there are more or fewer of them than there were, or where the look is exact."""
    named: tuple[RelationName, ...] = ("cost_headers", "cost_lines")
    tables = [relations[name] for name in named if name in relations]
    if not tables:
        return _Costs(None, None)
    if not is_exact and before.costs_digest is not None:
        counted = [int(read(counted_rows(table))["rows"][0].as_py()) for table in tables]
        if counted == [int(part.partition(":")[0]) for part in before.costs_digest.split(TABLES)]:
            return _Costs(None, before.costs_digest)
    headers, *lines = (read(table) for table in tables)
    extracted = CostExtract(headers, lines[0] if lines else None)
    return _Costs(extracted, costs_digest(extracted))


def _have_same_names(gone: pa.Table, read: Normalised, now: KnownSource, before: KnownSource) -> bool:
    """Whether the names by which those of costs are spelled are as they were."""
    return cost_names(gone) == cost_names(read.certificates) or (
        cost_names(now.certificates) == cost_names(before.certificates)
    )


def _with_costs(source: KnownSource, costs: _Costs, mapping: SourceMapping, timezone: str) -> KnownSource:
    """What is known, with the costs read again."""
    extracted = costs.extracted
    headers, lines = (extracted.headers, extracted.lines) if extracted else (None, None)
    normalised = normalise_costs(headers, lines, mapping, source.certificates, timezone)
    return replace(source, costs=normalised, costs_digest=costs.digest)

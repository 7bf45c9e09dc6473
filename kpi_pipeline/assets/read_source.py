"""Reading the source for a refresh: held where too much of it is refused, or gone."""

import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import pyarrow as pa
from dagster import Failure

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.compute.ingest.known_source import NotLocal
from kpi_pipeline.model.readings import Fall, HeldReading
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.changed_rows import ChangedReading, read_changes
from kpi_pipeline.resources.local_store import LocalStore, StoredSource
from kpi_pipeline.resources.month_parts import store_parts
from kpi_pipeline.resources.reading import Reading, read_rows
from kpi_pipeline.resources.snapshots import asset_folder
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.sources.csv_layout import FileRows
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.summary_rows import LeftOut

_CODE: Final = (*COMPUTING, "kpi_pipeline.sources")
"""Packages that read and validate."""

LOOK_S: Final = 900.0
"""After so long, all of a database is looked at again: earlier a row is seen by its time of change alone."""


@dataclass(frozen=True, slots=True)
class ReadingStart:
    """The start of a reading.

    Attributes:
        fence: Drawn before the source is looked at: a later reading holds a larger fence and newer data.
        begun_at: In seconds since the epoch.
        token: Of `change_detection.change_token`.
        content: Digest of all that the reading comes from; None where the source shows too little to tell.
    """

    fence: int
    begun_at: float
    token: str | None
    content: str | None


@dataclass(frozen=True, slots=True)
class SourceReading:
    """One reading of the source, against the last accepted one.

    Attributes:
        rows: What was read, validated.
        falls: What fell too far below the last accepted reading.
        left_out: Rows of files that are no rows.
        files: What each file gave; empty of a database.
        provenance: Where the rows come from.
        token: Of `change_detection.change_token`, as the source was read; None where that is not known.
        before: What the local store held, of which what has changed was read; None where all was read.
        changed: By what the certificates are compared that changed, appeared or went since then.
        changed_months: Months of issue in which something differs since then.
        unseen_since: Of `LocalStore.unseen_since`, from now on.
        seconds_reading: How long reading took.
        seconds_normalising: How long validating took.
    """

    rows: Reading
    falls: tuple[Fall, ...]
    left_out: LeftOut
    files: tuple[FileRows, ...]
    provenance: Provenance
    token: str | None
    before: StoredSource | None
    changed: frozenset[str]
    changed_months: frozenset[int]
    unseen_since: float | None
    seconds_reading: float
    seconds_normalising: float

    def store(self, store: LocalStore) -> StoredTable:
        """Keep what is known of the source, for the next reading.

        Returns:
            The valid certificates, carrying their provenance.
        """
        before = self.before
        parts = store_parts(
            self.rows.certificates,
            asset_folder("certificates"),
            None if before is None else before.parts,
            self.changed_months,
        )
        store.save(self.rows.source, self.token, parts, before, self.unseen_since)
        return StoredTable(tuple(parts.values()), self.provenance)

    @property
    def certificates(self) -> pa.Table:
        """The valid certificates, carrying their provenance."""
        return self.provenance.attach(self.rows.certificates)

    @property
    def costs(self) -> pa.Table:
        """The valid costs by category, carrying their provenance."""
        return self.provenance.attach(self.rows.costs)

    @property
    def held(self) -> HeldReading | None:
        """The reading as one that is not published: too much is refused, or gone; None where all is well."""
        return HeldReading(self.rows.report, self.falls) if self.rows.excesses or self.falls else None

    def fail_if_held(self) -> None:
        """Stop a reading that is not to be published.

        Raises:
            Failure: If too much of it is refused, or it fell too far below the last accepted one; not
                retried.
        """
        reasons = [refused.as_text() for refused in self.rows.excesses]
        if self.falls:
            reasons.append(
                f"{'; '.join(fall.as_text() for fall in self.falls)} since the last accepted reading. If the "
                f"source is right, run `kpi accept-reading {self.rows.report.digest}`, then `kpi warm`"
            )
        if reasons:
            raise Failure(f"the live figures stay: {'; '.join(reasons)}", allow_retries=False)


def begin_reading(source: SourceResource, cache: CacheResource) -> ReadingStart:
    """Look at what the source holds, much cheaper than by reading it.

    Raises:
        Failure: If the source's mapping cannot be read.
    """
    fence, begun_at = Publisher(cache.client).next_fence(), time.time()
    token = source.change_token(source.mapping())
    return ReadingStart(fence, begun_at, token, _content(source, token))


def local_store(source: SourceResource) -> LocalStore:
    """Where what is known of the source is kept.

    Raises:
        Failure: If the source's mapping cannot be read.
    """
    mapping = source.mapping()
    return LocalStore.of(
        digest_of(
            code_digest(*_CODE),
            version("duckdb"),
            source.identity(),
            mapping.model_dump_json(),
            source.timezone(),
        )
    )


def is_look_due(unseen_since: float | None, start: ReadingStart) -> bool:
    """Whether all of a database is to be looked at, whatever its token says.

    Args:
        unseen_since: Of `LocalStore.unseen_since`.
        start: The start of the reading.
    """
    return unseen_since is not None and start.begun_at - unseen_since >= LOOK_S


def read_source(source: SourceResource, start: ReadingStart) -> SourceReading:
    """Read all rows of the source, normalise and validate.

    Args:
        source: The source.
        start: Of `begin_reading`.

    Raises:
        Failure: If the source or its mapping cannot be read.
    """
    started = time.perf_counter()
    mapping = source.mapping()
    extracted = source.extract(mapping)
    read_at = time.perf_counter()
    rows = read_rows(
        extracted,
        mapping,
        timezone=source.timezone(),
        as_of=source.today(),
        read_at=start.begun_at,
        limits=source.refusal_limits(),
        url=source.database_url(),
    )
    # A source that changed while it was read may hold later what it held before.
    token = start.token if start.token == source.change_token(mapping) else None
    return SourceReading(
        rows,
        falls=_falls(source, rows),
        left_out=extracted.left_out,
        files=extracted.files,
        provenance=_provenance(source, start, extracted.watermark, token),
        token=token,
        before=None,
        changed=frozenset(),
        changed_months=frozenset(),
        unseen_since=None,
        seconds_reading=read_at - started,
        seconds_normalising=time.perf_counter() - read_at,
    )


def read_changed(source: SourceResource, start: ReadingStart, before: StoredSource) -> SourceReading:
    """Read what has changed in the source since an earlier reading.

    Args:
        source: The source.
        start: Of `begin_reading`.
        before: The earlier reading.

    Raises:
        NotLocal: If all must be read.
        Failure: If the source or its mapping cannot be read.
    """
    started = time.perf_counter()
    mapping, url = source.mapping(), source.database_url()
    if url is None:
        raise NotLocal("changed rows alone cannot be read of this kind of source")
    is_due = is_look_due(before.unseen_since, start)
    is_same = start.token is not None and start.token == before.token
    unseen_since = before.unseen_since
    if is_same and not is_due:
        # The business date has turned, or a limit is another one.
        changed = ChangedReading(before.known, frozenset(), frozenset(), start.token)
    else:
        try:
            changed = read_changes(
                url,
                mapping,
                source.timezone(),
                before.known,
                # Of a server, all that a look can tell has been read for the token.
                exact=is_due or source.is_of_server(),
                differs=not is_same and None not in (start.token, before.token),
            )
        except SourceError as error:
            raise Failure(str(error)) from error
        if changed.token is not None:
            unseen_since = None
        elif unseen_since is None:
            unseen_since = start.begun_at
    rows = Reading.of(
        changed.source,
        None,
        mapping,
        as_of=source.today(),
        read_at=start.begun_at,
        limits=source.refusal_limits(),
    )
    token = changed.token
    if not source.is_of_server():
        token = start.token if start.token == source.change_token(mapping) else None
    return SourceReading(
        rows,
        falls=_falls(source, rows),
        left_out=LeftOut(),
        files=(),
        provenance=_provenance(source, start, changed.source.watermark, token),
        token=token,
        before=before,
        changed=changed.changed,
        changed_months=changed.months,
        unseen_since=unseen_since,
        seconds_reading=time.perf_counter() - started,
        seconds_normalising=0.0,
    )


def _falls(source: SourceResource, rows: Reading) -> tuple[Fall, ...]:
    accepted = source.readings_file().load().accepted
    return () if accepted is None else rows.report.falls_from(accepted, source.max_fall_share())


def _provenance(
    source: SourceResource, start: ReadingStart, watermark: str | None, token: str | None
) -> Provenance:
    return Provenance(
        start.fence,
        start.begun_at,
        source.shown(),
        source.mapping().name,
        watermark,
        content=_content(source, token),
    )


def _content(source: SourceResource, token: str | None) -> str | None:
    """A digest of all that a reading comes from."""
    if token is None:
        return None
    return digest_of(
        token,
        code_digest(*_CODE),
        source.identity(),
        source.mapping().model_dump_json(),
        source.timezone(),
        source.today(),
        source.refusal_limits(),
        source.max_fall_share(),
    )

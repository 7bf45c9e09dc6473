"""Reading the source for a refresh: held where too much of it is refused, or gone."""

import time
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from dagster import Failure

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.model.readings import Fall, HeldReading
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.reading import Reading, read_rows
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.csv_layout import FileRows
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.summary_rows import LeftOut

_CODE: Final = (*COMPUTING, "kpi_pipeline.sources")
"""Packages that read and validate."""


@dataclass(frozen=True, slots=True)
class ReadingStart:
    """The start of a reading.

    Attributes:
        fence: Drawn before the source is looked at: a later reading holds a larger fence and newer data.
        begun_at: In seconds since the epoch.
        content: Digest of all that the reading comes from; None where the source shows too little to tell.
    """

    fence: int
    begun_at: float
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
        seconds_reading: How long reading took.
        seconds_normalising: How long validating took.
    """

    rows: Reading
    falls: tuple[Fall, ...]
    left_out: LeftOut
    files: tuple[FileRows, ...]
    provenance: Provenance
    seconds_reading: float
    seconds_normalising: float

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
    return ReadingStart(fence, begun_at, _content(source))


def read_source(source: SourceResource, start: ReadingStart) -> SourceReading:
    """Read the source, normalise and validate.

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
    )
    accepted = source.readings_file().load().accepted
    return SourceReading(
        rows,
        falls=() if accepted is None else rows.report.falls_from(accepted, source.max_fall_share()),
        left_out=extracted.left_out,
        files=extracted.files,
        provenance=Provenance(
            start.fence,
            start.begun_at,
            source.shown(),
            mapping.name,
            extracted.watermark,
            # A source that changed while it was read may hold later what it held before.
            content=start.content if start.content == _content(source) else None,
        ),
        seconds_reading=read_at - started,
        seconds_normalising=time.perf_counter() - read_at,
    )


def _content(source: SourceResource) -> str | None:
    mapping = source.mapping()
    token = source.change_token(mapping)
    if token is None:
        return None
    return digest_of(
        token,
        code_digest(*_CODE),
        source.identity(),
        mapping.model_dump_json(),
        source.timezone(),
        source.today(),
        source.refusal_limits(),
        source.max_fall_share(),
    )

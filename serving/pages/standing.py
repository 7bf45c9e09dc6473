"""What a page, or a file of its figures, depends on besides its address and its language.

While it is the same, what was written once is what would be written now, but for the seconds that pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd
from kpi_pipeline.model.readings import SourceReadings
from serving.cache_access import Connection
from serving.catalogue import CATALOGUE_SOURCES
from serving.lookup_result import LookupResult
from serving.pages.earlier_quarters import EarlierQuarter


@dataclass(frozen=True, slots=True)
class Standing:
    """One moment of one lookup.

    Attributes:
        entry: The generation of the figures.
        digest: Of the figures.
        state: Of the answer.
        reachable: Whether Redis could be reached.
        readings: Of all products.
        source: What was last read of the source; nothing for the past, which does not show it.
        catalogues: The generations by whose catalogues it is written.
        month_ends: Those that can be chosen.
        quarters: Digests of the earlier quarters that it shows; None for each that is not there.
        today: The day by whose end a moment of today is one of yesterday; None where no moment is shown so.
    """

    entry: ManifestEntry
    digest: str
    state: AnswerState
    reachable: bool
    readings: LiveReadings
    source: SourceReadings
    catalogues: tuple[str, ...]
    month_ends: Sequence[date]
    quarters: tuple[str | None, ...]
    today: date | None


def standing_of(
    connection: Connection, result: LookupResult, timezone: str, earlier: Sequence[EarlierQuarter]
) -> Standing:
    """That of a result.

    Args:
        connection: The cache.
        result: The figures.
        timezone: In which clock times are shown.
        earlier: Of `earlier_quarters`: what is written of them, or would be.

    Raises:
        NothingPublished: As `Catalogues.any`, and likewise CacheUnavailable and CorruptPayload.
    """
    lookup = result.lookup
    return Standing(
        entry=result.entry,
        digest=result.payload.digest,
        state=result.state,
        reachable=result.reachable,
        readings=result.readings,
        source=shown_source(connection, result),
        catalogues=_live_catalogue(connection) if lookup.as_of is None else _kept(connection, lookup.as_of),
        month_ends=month_ends(connection, lookup.product),
        quarters=tuple(one.payload.digest if one.payload else None for one in earlier),
        today=_today(result.now, timezone) if result.state is AnswerState.STALE else None,
    )


def shown_source(connection: Connection, result: LookupResult) -> SourceReadings:
    """The readings of the source that a page tells of: the past tells of none."""
    return SourceReadings() if result.state is AnswerState.HISTORIC else connection.reader.readings()


def month_ends(connection: Connection, product: str) -> Sequence[date]:
    """The month ends that can be chosen; none where they cannot be read."""
    try:
        return connection.reader.month_ends.days(product)
    except CacheUnavailable:
        return ()


def listed_month_ends(connection: Connection) -> Sequence[date]:
    """Those of which there is a list of certificates; none where they cannot be read."""
    try:
        return connection.reader.month_ends.listed_days()
    except CacheUnavailable:
        return ()


def _live_catalogue(connection: Connection) -> tuple[str, ...]:
    product, _ = connection.catalogues.any()
    return (connection.reader.catalogue_generation(product),)


def _kept(connection: Connection, as_of: date) -> tuple[str, ...]:
    return tuple(
        generation for product in CATALOGUE_SOURCES if (generation := _month_end(connection, product, as_of))
    )


def _month_end(connection: Connection, product: str, as_of: date) -> str:
    try:
        return connection.reader.month_ends.entry(product, as_of).generation
    except NoMonthEnd:
        return ""


def _today(now: float, timezone: str) -> date:
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(timezone)).date()

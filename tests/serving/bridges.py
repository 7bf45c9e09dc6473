"""Bridges as the pipeline publishes them with a generation of the dashboards."""

from datetime import date
from functools import cache

import pyarrow as pa

from kpi_pipeline.cache.bridges import BRIDGES, BridgeDay, BridgeEntry, BridgeIndex, document_name
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.publishing.publisher import Attachments
from kpi_pipeline.compute.bridge.documents import published_parts
from kpi_pipeline.compute.bridge.moves import DayPair, moved_rows, moves_of
from kpi_pipeline.compute.bridge.standings import StandingDay, standing_sums, standings
from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from tests.serving.certificates import AS_OF, CERTIFICATES, WINDOW_MONTHS

SPANS = (
    ("last_day", date(2024, 6, 27), AS_OF),
    ("month_end", date(2024, 5, 31), AS_OF),
    ("2024-05", date(2024, 4, 30), date(2024, 5, 31)),
)
EARLIER = (date(2024, 3, 31), date(2024, 6, 14))
"""Further days that are kept."""


@cache
def usual_bridges() -> Attachments:
    """Those of the certificates of the usual list, walked back to earlier days."""
    table = pa.Table.from_pylist(list(CERTIFICATES), schema=CERTIFICATE_SCHEMA)
    stood = {day: _stood(table, day) for span in SPANS for day in span[1:]}
    pairs = [DayPair(stood[opens], stood[closes]) for _, opens, closes in SPANS]
    moved = moves_of(moved_rows(pairs), len(pairs))
    entries, frames = [], []
    for (name, opens, closes), moves in zip(SPANS, moved, strict=True):
        known_on = None if closes == AS_OF else AS_OF
        entries.append(BridgeEntry(name, opens, closes, AS_OF, known_on, name))
        sums = standing_sums([stood[opens], stood[closes]])
        frames += [
            (document_name(name, part), encode(data, {"product": LISTED_WITH}))
            for part, data in published_parts(*sums, moves).items()
        ]
    held = (BridgeDay(day, None if day == AS_OF else AS_OF, str(day)) for day in sorted({*stood, *EARLIER}))
    index = BridgeIndex(tuple(entries), tuple(held), "here", WINDOW_MONTHS)
    frames.append((BRIDGES, encode(index.as_dict(), {"product": LISTED_WITH, "list": BRIDGES})))
    return Attachments(frames)


def bridge_between(opens: date, closes: date) -> dict[str, bytes]:
    """The documents that the pipeline adds where a reader requests the bridge between two of those days."""
    table = pa.Table.from_pylist(list(CERTIFICATES), schema=CERTIFICATE_SCHEMA)
    days = [_stood(table, day) for day in (opens, closes)]
    sums, (moves,) = standing_sums(days), moves_of(moved_rows([DayPair(*days)]), 1)
    return {
        document_name(f"{opens}-{closes}", part): encode(data, {"product": LISTED_WITH})
        for part, data in published_parts(*sums, moves).items()
    }


def _stood(table: pa.Table, day: date) -> StandingDay:
    return StandingDay(standings(listed_rows(table, day, Thresholds(), WINDOW_MONTHS)), day, WINDOW_MONTHS)

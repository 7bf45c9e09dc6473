"""The documents of bridges, computed from the standings that are kept of their two days."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from kpi_pipeline.cache.bridges import document_name
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.compute.bridge.documents import published_parts
from kpi_pipeline.compute.bridge.moves import DayPair, moves_between
from kpi_pipeline.compute.bridge.standings import StandingDay
from kpi_pipeline.compute.evaluation_days import window_first
from kpi_pipeline.compute.months import month_of
from kpi_pipeline.compute.rollup.shards import BATCH_ROWS
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings


class KeptPair(NamedTuple):
    """Two days whose standings are kept.

    Attributes:
        source: Names the documents of the bridge between them.
        opening: The first.
        closing: The last.
    """

    source: str
    opening: KeptDay
    closing: KeptDay


def bridge_documents(
    kept: KeptStandings, pairs: Sequence[KeptPair], window_months: int
) -> Iterator[tuple[str, bytes]]:
    """The documents of bridges, as they are stored.

    Args:
        kept: Has the standings.
        pairs: The days of each bridge.
        window_months: Months of the window of billing.

    Yields:
        The name and the stored value of each document, those of a bridge one after another.

    Raises:
        SumTooLarge: If amounts sum to more than 64 bits.
        OSError: If standings cannot be read.
    """
    openings, closings = (
        dict(zip((pair.source for pair in pairs), kept.sums(days, window_months), strict=True))
        for days in ([pair.opening for pair in pairs], [pair.closing for pair in pairs])
    )
    for batch in _batches(kept, pairs, window_months):
        for (pair, _), moves in zip(batch, moves_between(days for _, days in batch), strict=True):
            for part, data in published_parts(openings[pair.source], closings[pair.source], moves).items():
                name = document_name(pair.source, part)
                yield name, encode(data, {"product": LISTED_WITH, "list": name})


def _batches(
    kept: KeptStandings, pairs: Sequence[KeptPair], window_months: int
) -> Iterator[list[tuple[KeptPair, DayPair]]]:
    """Bridges with their days, as many as are computed at once: planning takes longer than a few rows."""
    batch: list[tuple[KeptPair, DayPair]] = []
    for pair in pairs:
        batch.append((pair, _day_pair(kept, pair, window_months)))
        if sum(days.closing.rows.num_rows for _, days in batch) >= BATCH_ROWS:
            yield batch
            batch = []
    yield batch


def _day_pair(kept: KeptStandings, pair: KeptPair, window_months: int) -> DayPair:
    """What may differ between two days: what is in the same files does not, unless the window passed it."""
    _, opening, closing = pair
    months = _passed_months(opening.day, closing.day, window_months)

    def differing(one: KeptDay, other: KeptDay) -> StandingDay:
        rows = kept.rows((one.names - other.names) | one.names_of(months))
        return StandingDay(rows, one.day, window_months)

    longer = closing.payment_term_days - opening.payment_term_days
    return DayPair(differing(opening, closing), differing(closing, opening), longer)


def _passed_months(opens_on: date, closes_on: date, window_months: int) -> set[int]:
    """The months of issue of what comes into the window of billing from one day to another, or leaves it."""
    first, last = (month_of(window_first(day, window_months)) for day in (opens_on, closes_on))
    return {*range(first, last + 1), *range(month_of(opens_on), month_of(closes_on) + 1)}

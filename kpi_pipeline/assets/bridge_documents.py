"""The documents of bridges, computed from the standings that are kept of their two days."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.cache.bridges import document_name
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.compute.bridge.documents import published_parts
from kpi_pipeline.compute.bridge.moves import DayPair, changed_ids, ids_beyond, moved_rows, moves_of
from kpi_pipeline.compute.bridge.standings import StandingDay
from kpi_pipeline.compute.evaluation_days import window_first
from kpi_pipeline.compute.months import month_of
from kpi_pipeline.compute.rollup.shards import BATCH_ROWS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.resources.kept_moves import EarlierMoves, KeptMoves
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings


class KeptPair(NamedTuple):
    """Two days whose standings are kept.

    Attributes:
        source: Names the documents of the bridge between them.
        opening: The first.
        closing: The last.
        changes: Whether the last may be read again, and what moved is kept until then.
    """

    source: str
    opening: KeptDay
    closing: KeptDay
    changes: bool = False


class _Compared(NamedTuple):
    """A pair, and what is compared of it.

    Attributes:
        pair: The pair.
        days: The rows that are compared.
        others: What moved of the other certificates; None where all are compared.
        arrived: Ids that are there on the last day alone.
        left: Folded ids that are there on the first day alone.
    """

    pair: KeptPair
    days: DayPair
    others: pa.Table | None
    arrived: frozenset[str]
    left: frozenset[str]


def bridge_documents(
    kept: KeptStandings, pairs: Sequence[KeptPair], window_months: int, *, follows: bool = True
) -> Iterator[tuple[str, bytes]]:
    """The documents of bridges, as they are stored.

    Args:
        kept: Has the standings.
        pairs: The days of each bridge.
        window_months: Months of the window of billing.
        follows: Whether they may follow from sums and moves that were kept.

    Yields:
        The name and the stored value of each document, those of a bridge one after another.

    Raises:
        SumTooLarge: If amounts sum to more than 64 bits.
        OSError: If standings cannot be read.
    """
    definition = digest_of(code_digest(*COMPUTING), window_months)
    openings, closings = (
        dict(
            zip(
                (pair.source for pair in pairs),
                kept.sums(days, window_months, definition, follows=follows),
                strict=True,
            )
        )
        for days in ([pair.opening for pair in pairs], [pair.closing for pair in pairs])
    )
    kept_moves = KeptMoves(kept.folder, definition, reads=follows)
    for batch in _batches(kept, kept_moves, pairs, window_months):
        rows = _moved_rows(batch)
        for at, (pair, _, _, *ids) in enumerate(batch):
            if pair.changes:
                own = rows.filter(pc.equal(rows["pair"], at)).drop_columns(["pair"])
                # Without them the next publication takes longer.
                with suppress(OSError):
                    kept_moves.save(pair.opening, pair.closing, EarlierMoves(own, pair.closing.names, *ids))
        for (pair, *_), moves in zip(batch, moves_of(rows, len(batch)), strict=True):
            for part, data in published_parts(openings[pair.source], closings[pair.source], moves).items():
                name = document_name(pair.source, part)
                yield name, encode(data, {"product": LISTED_WITH, "list": name})


def _moved_rows(batch: Sequence[_Compared]) -> pa.Table:
    """What moved between the days of each pair."""
    rows = moved_rows([compared.days for compared in batch])
    tables = [rows]
    for at, compared in enumerate(batch):
        if compared.others is not None:
            number = pa.array(np.full(compared.others.num_rows, at, np.int32))
            tables.append(
                compared.others.append_column("pair", number).select(rows.column_names).cast(rows.schema)
            )
    return pa.concat_tables(tables)


def _batches(
    kept: KeptStandings, kept_moves: KeptMoves, pairs: Sequence[KeptPair], window_months: int
) -> Iterator[list[_Compared]]:
    """Bridges with their days, as many as are computed at once: planning takes longer than a few rows."""
    batch: list[_Compared] = []
    for pair in pairs:
        batch.append(_compared(kept, kept_moves, pair, window_months))
        if sum(compared.days.closing.rows.num_rows for compared in batch) >= BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _compared(kept: KeptStandings, kept_moves: KeptMoves, pair: KeptPair, window_months: int) -> _Compared:
    """What may differ between two days: what is in the same files does not, unless the window passed it.

    Where moves were kept when the last day was known otherwise, the certificates alone may differ of which it
    is known otherwise.
    """
    _, opening, closing, _ = pair
    months = _passed_months(opening.day, closing.day, window_months)
    earlier = kept_moves.load(opening, closing) if pair.changes else None
    followed = None if earlier is None else _followed(kept, pair, earlier)
    if followed is None:
        first = kept.rows((opening.names - closing.names) | opening.names_of(months))
        last = kept.rows((closing.names - opening.names) | closing.names_of(months))
        others, arrived, left = None, frozenset[str](), frozenset[str]()
        if pair.changes:
            arrived = frozenset(ids_beyond(last, first).to_pylist())
            left = frozenset(map(fold, ids_beyond(first, last).to_pylist()))
    else:
        first, last, others, arrived, left = followed
    days = DayPair(
        StandingDay(first, opening.day, window_months),
        StandingDay(last, closing.day, window_months),
        closing.payment_term_days - opening.payment_term_days,
    )
    return _Compared(pair, days, others, arrived, left)


def _followed(
    kept: KeptStandings, pair: KeptPair, earlier: EarlierMoves
) -> tuple[pa.Table, pa.Table, pa.Table, frozenset[str], frozenset[str]] | None:
    """The certificates of which the last day is known otherwise than when moves were kept.

    Returns:
        Their rows on both days, the moves of all others, and the ids that are there on one day alone. None
        where one of them is no longer there, or may be another one of the first day, spelled otherwise.
    """
    _, opening, closing, _ = pair
    gone, come = earlier.closing - closing.names, closing.names - earlier.closing
    months = {part.month for part in closing.parts if part.name in come}
    try:
        before, after = kept.rows(gone), kept.rows(come)
        first = kept.rows(opening.names_of(months))
    except FileNotFoundError:
        return None
    changed = changed_ids(before, after)
    on_first, known, there = (
        frozenset(changed.filter(pc.is_in(changed, rows["certificate_id"])).to_pylist())
        for rows in (first, before, after)
    )
    ids = frozenset(changed.to_pylist())
    # Who is not among those of the first day's same months may be there in other ones.
    alone = ids - on_first
    is_told = there == ids and on_first <= known and alone & known <= earlier.arrived
    if not is_told or not earlier.left.isdisjoint(map(fold, alone)):
        return None
    is_concerned = pc.is_in(earlier.rows["certificate_id"], changed)
    return (
        first.filter(pc.is_in(first["certificate_id"], changed)),
        after.filter(pc.is_in(after["certificate_id"], changed)),
        earlier.rows.filter(pc.invert(is_concerned)),
        earlier.arrived | alone,
        earlier.left,
    )


def _passed_months(opens_on: date, closes_on: date, window_months: int) -> set[int]:
    """The months of issue of what comes into the window of billing from one day to another, or leaves it."""
    first, last = (month_of(window_first(day, window_months)) for day in (opens_on, closes_on))
    return {*range(first, last + 1), *range(month_of(opens_on), month_of(closes_on) + 1)}

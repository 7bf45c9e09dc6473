"""The bridges that a generation holds, and the standings of days that they are computed from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.assets.bridge_documents import KeptPair, bridge_documents
from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.cache.batches import batches as parted
from kpi_pipeline.cache.bridges import BRIDGES, NO_BRIDGES, BridgeDay, BridgeEntry, BridgeIndex
from kpi_pipeline.cache.codec import CorruptPayload, encode
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Attachments, Publisher
from kpi_pipeline.compute.bridge.standings import standings_by_shard
from kpi_pipeline.compute.listing.rows import DAY, listed_on_days, listed_rows
from kpi_pipeline.compute.months import month_end, month_of, month_text
from kpi_pipeline.compute.rollup.shards import BATCH_ROWS, Shard, batches
from kpi_pipeline.model.bridge import KEPT_DAYS, KEPT_MONTH_ENDS, SINCE_LAST_DAY, SINCE_MONTH_END
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings, StandingPart

_WALKED_BACK: Final = "walked back"

MOST_WALKED_BACK: Final = 3_000_000
"""Certificates times days that are reconstructed before a publication, which readers wait for: of more, each
day's first publication reconstructs some, the days that today's figures are compared with in any case."""


class _Span(NamedTuple):
    """The days of a bridge."""

    name: str
    opens_on: date
    closes_on: date


@dataclass
class Bridges:
    """The bridges of one reading of the source.

    Attributes:
        shards: Its certificates, by month of issue.
        sources: A digest of all that the standings of each shard come from.
        as_of: The business date.
        thresholds: Days and amounts of the definitions.
        origin: Names the source: the standings of another one are not compared.
        window_months: Months of the window of billing.
        opens_on: The last day before the business date of which standings are kept; else the day before.
        earlier: The standings that are kept of days before the business date, by day.
        is_first: Whether none are kept of the business date yet.
        today: By source, the file of the standings of a shard on the business date.
    """

    shards: Sequence[Shard]
    sources: Sequence[str]
    as_of: date
    thresholds: Thresholds
    origin: str
    window_months: int
    kept: KeptStandings = field(init=False)
    opens_on: date = field(init=False)
    earlier: dict[date, KeptDay] = field(init=False)
    is_first: bool = field(init=False)
    today: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.kept = KeptStandings.of(self.origin)
        before = self.kept.load(self.as_of)
        self.is_first = before is None
        self.today = {} if before is None else {part.source: part.name for part in before.parts}
        self.opens_on = self._last_day()
        days = {self.opens_on, *self._month_ends()}
        found = {day: self.kept.load(day) for day in {*days, *self._recent()}}
        self.earlier = {day: kept for day, kept in found.items() if kept is not None}
        self.earlier |= self._walk_back(self._to_walk_back(days.difference(self.earlier)))

    @property
    def digest(self) -> str:
        """A digest of all that the bridges come from."""
        days = [(day, kept.digest, kept.known_on) for day, kept in sorted(self.earlier.items())]
        return digest_of(self.sources, days, self.thresholds.payment_term_days, self.window_months)

    def put(self, sources: Mapping[int, str], listed: pa.Table) -> None:
        """Keep the standings of some shards on the business date.

        Args:
            sources: By month of issue, their sources.
            listed: Their rows, as `listing.rows.listed_rows` gives them.
        """
        found = {month: self.kept.store_part(month, rows) for month, rows in standings_by_shard(listed)}
        self.today.update({source: found.get(month, "") for month, source in sources.items()})

    def attachments(
        self, publisher: Publisher, live: ManifestEntry | None, damaged: frozenset[str] = frozenset()
    ) -> Attachments:
        """What a generation holds of bridges, once the standings of all shards are put.

        Args:
            publisher: Reads the cache.
            live: The generation from which unchanged documents are reused; None where all are computed.
            damaged: Names of what is gone or corrupt of it.
        """
        today = self._keep_today()
        days = {**self.earlier, self.as_of: today}
        entries = [
            self._entry(span, days[span.opens_on], days[span.closes_on])
            for span in self._spans()
            if {span.opens_on, span.closes_on} <= days.keys()
            and (span.closes_on == self.as_of or days[span.closes_on].names)
        ]
        held = tuple(BridgeDay(day, days[day].known_on, days[day].digest) for day in sorted(days))
        index = BridgeIndex(tuple(entries), held, self.origin, self.window_months)
        reused = {
            one.source for one in bridge_index(publisher, live).bridges if damaged.isdisjoint(one.documents)
        }
        wanted = {one.source: one for one in entries}
        computed = [
            KeptPair(source, days[one.opens_on], days[one.closes_on], changes=one.closes_on == self.as_of)
            for source, one in wanted.items()
            if source not in reused
        ]
        names = [name for source, one in wanted.items() if source in reused for name in one.documents]
        head = encode(index.as_dict(), {"product": LISTED_WITH, "list": BRIDGES})
        origin = live.generation if live is not None and names else ""
        return Attachments(
            [
                (BRIDGES, head),
                # What a generation holds that nothing is reused from rests on nothing that was kept of moves.
                *bridge_documents(self.kept, computed, self.window_months, follows=live is not None),
            ],
            tuple(names),
            origin,
        )

    @property
    def month_ends(self) -> list[KeptDay]:
        """The standings of the month ends before the business date that are kept, the earliest first."""
        return [self.earlier[day] for day in reversed(self._month_ends()) if day in self.earlier]

    def _entry(self, span: _Span, opening: KeptDay, closing: KeptDay) -> BridgeEntry:
        source = digest_of(
            code_digest(*COMPUTING),
            *(opening.digest, closing.digest, span.opens_on, span.closes_on),
            self.window_months,
        )
        return BridgeEntry(
            span.name, span.opens_on, span.closes_on, opening.known_on, closing.known_on, source
        )

    def _keep_today(self) -> KeptDay:
        parts = tuple(
            StandingPart(shard.month, source, self.today.get(source, ""))
            for shard, source in zip(self.shards, self.sources, strict=True)
        )
        today = KeptDay(self.as_of, self.thresholds.payment_term_days, parts)
        before = self.kept.load(self.as_of)
        if today != before:
            self.kept.save(today)
            oldest = self.as_of - timedelta(KEPT_DAYS)
            recent = (day for day in self.kept.days() if day >= oldest)
            self.kept.prune({*recent, *self._month_ends()}, self.as_of, before)
        return today

    def _to_walk_back(self, missing: Collection[date]) -> list[date]:
        needed = {self.opens_on, self._month_ends()[0]}.intersection(missing)
        further = sorted(set(missing) - needed, reverse=True)
        room = MOST_WALKED_BACK // max(sum(shard.count for shard in self.shards), 1) - len(needed)
        if room < len(further):
            # Later readings of a day, which follow a change, do not wait for the past.
            room = max(room, 1) if self.is_first else 0
        return sorted([*needed, *further[:room]])

    def _walk_back(self, days: Sequence[date]) -> dict[date, KeptDay]:
        """The standings of days that were not kept, by the dates and the log of the certificates of today."""
        parts: dict[date, list[StandingPart]] = {day: [] for day in days}
        for shards, own in product(batches(self.shards), _at_once(days, self.shards)):
            listed = listed_on_days(_certificates(shards), own, self.thresholds, self.window_months)
            for place, day in enumerate(own):
                of_day = listed.filter(pc.equal(listed[DAY], place))
                found = {
                    month: self.kept.store_part(month, rows) for month, rows in standings_by_shard(of_day)
                }
                parts[day] += [
                    StandingPart(one.month, _WALKED_BACK, found.get(one.month, "")) for one in shards
                ]
        term = self.thresholds.payment_term_days
        kept = {day: KeptDay(day, term, tuple(own), self.as_of) for day, own in parts.items()}
        for one in kept.values():
            self.kept.save(one)
        return kept

    def _last_day(self) -> date:
        return max(self._recent(), default=self.as_of - timedelta(1))

    def _recent(self) -> list[date]:
        """The days before the business date that are kept because they are recent."""
        first = self.as_of - timedelta(KEPT_DAYS)
        return [day for day in self.kept.days() if first <= day < self.as_of]

    def _month_ends(self) -> list[date]:
        """The month ends before the business date that are kept, the last first."""
        month = month_of(self.as_of)
        return [month_end(month - ago) for ago in range(1, KEPT_MONTH_ENDS + 1)]

    def _spans(self) -> list[_Span]:
        ends = self._month_ends()
        return [
            _Span(SINCE_LAST_DAY, self.opens_on, self.as_of),
            _Span(SINCE_MONTH_END, ends[0], self.as_of),
            *(_Span(month_text(month_of(last)), first, last) for last, first in pairwise(ends)),
        ]


def listed_batches(
    shards: Sequence[Shard], day: date, thresholds: Thresholds, window_months: int
) -> Iterator[tuple[list[Shard], pa.Table]]:
    """Shards, as many as are computed at once, with their rows of the list as of a day."""
    for batch in batches([shard for shard in shards if shard.count]):
        yield batch, listed_rows(_certificates(batch), day, thresholds, window_months)


def _certificates(shards: Sequence[Shard]) -> pa.Table:
    return pa.concat_tables([shard.rows().select(CERTIFICATE_SCHEMA.names) for shard in shards])


def _at_once(days: Sequence[date], shards: Sequence[Shard]) -> list[list[date]]:
    """Days, as many as are computed at once: planning takes longer than a few rows."""
    rows = min(sum(shard.count for shard in shards), BATCH_ROWS)
    return list(parted(days, max(BATCH_ROWS // max(rows, 1), 1)))


def bridge_index(publisher: Publisher, entry: ManifestEntry | None) -> BridgeIndex:
    """The index of a generation's bridges; an empty one where it has none that can be read."""
    payload = None if entry is None else publisher.payload(entry.generation, BRIDGES)
    try:
        return NO_BRIDGES if payload is None else BridgeIndex.of(payload.data())
    except CorruptPayload:
        return NO_BRIDGES

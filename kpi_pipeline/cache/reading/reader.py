"""Answers from the cache. Never computes, never writes a payload, never waits long."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from copy import copy
from typing import Any, Self, cast

import redis

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import payload_key, sealed_key, watch_list_key
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.cache.reading.answer import Answer, NothingPublished
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.cache.reading.entry_states import EntryStates
from kpi_pipeline.cache.reading.history_view import POLL_S, NoMonthEnd
from kpi_pipeline.cache.reading.listing.certificates import CertificateBlocks
from kpi_pipeline.cache.reading.listing.live import LiveList
from kpi_pipeline.cache.reading.live_catalogues import LiveCatalogues
from kpi_pipeline.cache.reading.live_entries import LiveEntries
from kpi_pipeline.cache.reading.live_readings_view import LiveReadingsView
from kpi_pipeline.cache.reading.manifest_view import Entries, ManifestView, replaced_by
from kpi_pipeline.cache.reading.month_ends import MonthEnds
from kpi_pipeline.cache.reading.payloads import MEMORY_BYTES, Payloads
from kpi_pipeline.cache.reading.policy_view import POLL_S as POLICY_POLL_S
from kpi_pipeline.cache.reading.policy_view import PolicyView
from kpi_pipeline.cache.reading.source_readings import SourceReadingsView
from kpi_pipeline.cache.reading.status import (
    alarm_counts,
    entry_status,
    last_agreements,
    last_report,
    readings_status,
    server_status,
)
from kpi_pipeline.cache.watch_list import WatchList, parse_watch_list
from kpi_pipeline.model.agreement import Agreements
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.performance import Performance, Window
from kpi_pipeline.model.pipeline_report import PipelineReport
from kpi_pipeline.model.readings import SourceReadings
from kpi_pipeline.model.scopes import WHOLE_FIRM, Policy

__all__ = ["Answer", "CacheReader", "CacheUnavailable", "NoMonthEnd", "NothingPublished"]


class CacheReader:
    """Reads payloads, catalogues and the manifest for serving. Threads may share it.

    In all methods `product` is one of `model.dimensions.PRODUCTS`, and `filter` selects certificates. All
    that it reads is published for one scope: whoever reads for somebody takes the one of their scope.

    While Redis cannot be reached it goes on with the last manifest and the payloads it holds, whose
    state follows the clock. When Redis has lost them it does the same, and they are stale. So is what Redis
    shows again after a later reading was seen.

    Args:
        client: From `connection.connect_reader`: its timeouts bound how long an answer takes.
        poll_s: How old the manifest may be, in seconds.
        history_poll_s: How old the history may be, in seconds.
        clock: The present, in seconds since the epoch.
        steady: Seconds that only grow: by them figures age too, should the clock be set back.
        memory_bytes: Bytes of payloads to hold at most.
        on_change: Called with the live generations whenever the manifest has changed.
        on_lost_catalogue: Called with a product whenever the catalogue of its live generation is requested
            and is gone or corrupt.

    Attributes:
        scope: For which it reads.
        month_ends: The figures of the past.
        live_list: The list of certificates, and what is published beside it.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        poll_s: float = 0.25,
        history_poll_s: float = POLL_S,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        memory_bytes: int = MEMORY_BYTES,
        on_change: Callable[[Collection[str]], object] = lambda _: None,
        on_lost_catalogue: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._poll_s = poll_s
        self._history_poll_s = history_poll_s
        self._clock = clock
        self._steady = steady
        self._on_change = on_change
        self._read_client = ReadClient(client)
        self._alarms = Alarms(client)
        self._payloads = Payloads(self._read_client, self._alarms, memory_bytes)
        self._readings = SourceReadingsView(self._read_client)
        self._policy = PolicyView(self._read_client, self._alarms)
        # By scope: what is held of all of them is one memory.
        self._live: dict[str, frozenset[str]] = {}
        self._read_for(WHOLE_FIRM, on_lost_catalogue)

    def within(self, scope: str, on_lost_catalogue: Callable[[str], object]) -> Self:
        """The reader of a scope: nothing that it reads depends on what is outside of that.

        Args:
            scope: Of `model.scopes.Scope.id`.
            on_lost_catalogue: As of the class.
        """
        reader = copy(self)
        reader._read_for(scope, on_lost_catalogue)
        return reader

    def forget(self, scope: str) -> None:
        """Hold nothing more of a scope whose reader is not used any more."""
        self._live.pop(scope, None)

    def _read_for(self, scope: str, on_lost_catalogue: Callable[[str], object]) -> None:
        self.scope = scope
        self._states = EntryStates(self._clock, self._steady)
        self._view = ManifestView(self._read_client, self._alarms, self._forget_replaced, scope)
        self._entries = LiveEntries(self._view, self._read_client, self._poll_s)
        # A list each: that of the present, and one of the past, is what a process holds.
        certificates, earlier = (
            CertificateBlocks(self._read_client, self._alarms, self._payloads) for _ in range(2)
        )
        self.month_ends = MonthEnds(
            self._read_client, self._alarms, self._payloads, earlier, self._history_poll_s, scope
        )
        self.live_list = LiveList(self._entries, certificates, self._payloads, self._states)
        self._live_readings = LiveReadingsView(self._clock)
        self._catalogues = LiveCatalogues(
            self._read_client, self._alarms, self._payloads, self._entries, self._states, on_lost_catalogue
        )

    def answer(self, product: str, filter: Filter) -> Answer:
        """Look one variant up in the live generation.

        Raises:
            NothingPublished: If Redis holds no generation of the product.
            CacheUnavailable: If Redis cannot be reached and no fitting payload is held.
        """
        entry = self._entries.of(product)
        answered, payload, miss = filter, None, None
        if self._states.of(entry) is not AnswerState.EXPIRED:
            try:
                entry, answered, payload, miss = self._find(entry, filter)
            except CacheUnavailable:
                answered, payload = self._payloads.held_wider(entry, filter)
                miss = MissReason.UNREACHABLE
                if payload is None:
                    raise
        state, reachable = self.state_of(entry), not self._read_client.failing
        if state is AnswerState.EXPIRED:
            self._payloads.count("expired")
            return Answer(state, None, entry, filter, reachable, MissReason.EXPIRED)
        if miss is not None:
            if payload is not None and answered == filter:
                return Answer(AnswerState.STALE, payload, entry, answered, reachable, miss)
            self._payloads.count("missing")
            state = AnswerState.MISSING
        return Answer(state, payload, entry, answered, reachable, miss)

    def hold(self, product: str, filters: Collection[Filter]) -> None:
        """Read the live generation's answers to several filters at once: `answer` then has them.

        What is not there, or cannot be read, is left to `answer`.

        Raises:
            NothingPublished: If Redis holds no generation of the product.
        """
        with suppress(CacheUnavailable):
            self._payloads.hold(self._entries.of(product), filters)

    def own(self, product: str, filter: Filter) -> Answer | None:
        """What `answer` gives where the live generation holds the variant itself.

        Returns:
            None where `answer` is to be called: the generation has expired, or has no such payload.

        Raises:
            NothingPublished: If Redis holds no generation of the product.
            CacheUnavailable: If Redis cannot be reached and the payload is not held.
        """
        entry = self._entries.of(product)
        state = self.state_of(entry)
        if state is AnswerState.EXPIRED:
            return None
        payload = self._payloads.exact(entry, filter)
        if payload is None:
            return None
        return Answer(state, payload, entry, filter, not self._read_client.failing)

    def state_of(self, entry: ManifestEntry) -> AnswerState:
        """The state of the answers of a live generation; what Redis has lost or taken back is not fresh."""
        state = self._states.of(entry)
        is_doubtful = entry.product in self._view.lost | self._view.older
        return AnswerState.STALE if is_doubtful and state is AnswerState.FRESH else state

    def is_sealed(self, entry: ManifestEntry) -> bool:
        """Whether the pipeline cannot add answers to a live generation: it was rolled back to, and what it
        was computed from is gone.

        Raises:
            CacheUnavailable: If Redis cannot be reached.
        """
        if entry.rolled_back_at is None:
            return False
        return self._read_client.call(lambda client: bool(client.exists(sealed_key(entry.generation))))

    def sibling(self, entry: ManifestEntry, filter: Filter) -> Payload | None:
        """Another variant of a generation that has answered a reader, if it is there.

        It is not counted as a lookup, and it is no miss when it is not there.
        """
        return self._payloads.uncounted(entry, filter)

    def catalogue(self, product: str) -> Mapping[str, Any]:
        """The catalogue of a product's live generation: dimensions with values, KPIs, charts.

        While it cannot be read, the last one known is given.

        Raises:
            NothingPublished: If there is none.
            CacheUnavailable: If Redis cannot be reached and none is known.
        """
        return self._catalogues.of(self._entries.of(product))[1]

    def catalogue_generation(self, product: str) -> str:
        """The generation that `catalogue` is of; raises as that does."""
        return self._catalogues.of(self._entries.of(product))[0]

    def watch_list(self, entry: ManifestEntry) -> WatchList | None:
        """The certificates that alerts watch, as of a generation; None where it has no list.

        Raises:
            CacheUnavailable: If Redis cannot be reached.
            CorruptPayload: If what is kept is no list.
        """
        key = watch_list_key(entry.generation)
        text = cast("bytes | None", self._read_client.call(lambda client: client.get(key)))
        return None if text is None else parse_watch_list(text)

    def manifest(self) -> dict[str, ManifestEntry]:
        """The live entry of each product.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        return dict(self._entries.all())

    def readings(self) -> SourceReadings:
        """What was last read of the source, and what is not published of it; within a scope, only whether it
        can be probed.
        """
        readings = self._readings.readings(time.monotonic() - self._poll_s)
        if self.scope != WHOLE_FIRM:
            return SourceReadings(failing_since=readings.failing_since)
        return readings

    def policy(self) -> Policy | None:
        """Who may see which part of the firm; None where no policy is published.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
            CorruptPolicy: If it cannot be read.
        """
        return self._policy.policy(time.monotonic() - POLICY_POLL_S)

    def pipeline_report(self) -> PipelineReport | None:
        """What the pipeline reported last of its own state; None where it is not known."""
        return last_report(self._read_client)

    def agreements(self) -> Agreements:
        """What the last audits of figures found, and which products are held because of it."""
        return last_agreements(self._read_client)

    def performance(self, window: Window) -> Performance:
        """What was measured within a window.

        Raises:
            CacheUnavailable: If Redis cannot be reached.
        """
        return self._read_client.call(
            lambda client: PerformanceCounters(client, clock=self._clock).read(window)
        )

    @property
    def reachable(self) -> bool:
        """Whether Redis could be reached when last tried."""
        return not self._read_client.failing

    def now(self) -> float:
        """The present, in seconds since the epoch."""
        return self._clock()

    def live_readings(self, answered: ManifestEntry | None = None) -> LiveReadings:
        """Of which readings of the source the live figures are.

        Args:
            answered: The generation that has answered a reader: it may differ from the live one of its
                product.

        Raises:
            CacheUnavailable: If Redis cannot be reached and has never been.
        """
        entries = self._entries.all()
        if answered is not None and entries.get(answered.product) is not answered:
            return LiveReadings.of({**entries, answered.product: answered}, self._clock())
        return self._live_readings.of(entries)

    def status(self) -> dict[str, Any]:
        """The cache's health as plain JSON, whether Redis can be reached or not.

        Returns:
            `products`: by product its entry with `state` and `age_s`; `redis`: `reachable`,
            `latency_ms`, `used_memory` in bytes, `version`, `keys`; `memory`: what this process
            holds; `reads`: how its lookups were answered since it started; `alarms`: counts of
            all processes by name; `source`: of `readings`; `live_readings`: of `LiveReadings`.
        """
        try:
            entries = self.manifest()
        except CacheUnavailable:
            entries = {}
        now = self._clock()
        return {
            "products": {
                product: entry_status(entry, self.state_of(entry), now) for product, entry in entries.items()
            },
            "redis": server_status(self._read_client),
            "memory": self._payloads.size(),
            "reads": self._payloads.reads(),
            "alarms": alarm_counts(self._read_client),
            "source": readings_status(self.readings()),
            "live_readings": LiveReadings.of(entries, now).as_dict(),
        }

    def _find(
        self, entry: ManifestEntry, requested: Filter
    ) -> tuple[ManifestEntry, Filter, Payload | None, MissReason | None]:
        for live in self._entries.from_entry(entry):
            payload = self._payloads.exact(live, requested)
            if payload is not None:
                return live, requested, payload, None
            answered, payload, miss = self._payloads.wider(live, requested)
        if miss is MissReason.VANISHED and self._entries.has(live):
            key = payload_key(live.generation, live.variant(requested))
            self._alarms.sound(
                "payload_vanished", key, "a live generation has lost keys: refresh the product"
            )
        if miss is not MissReason.NOT_PRECOMPUTED:
            for replaced in replaced_by(live, self._read_client, self._alarms, self._states):
                former = self._payloads.exact(replaced, requested)
                if former is not None:
                    return replaced, requested, former, miss
        if payload is None:
            answered, payload = self._payloads.held_wider(live, requested)
        return live, answered, payload, miss

    def _forget_replaced(self, entries: Entries) -> None:
        self._live[self.scope] = frozenset(entry.generation for entry in entries.values())
        self._states.follow(entries.values())
        live = frozenset().union(*list(self._live.values()))
        self._payloads.keep_only(live)
        self._on_change(live)

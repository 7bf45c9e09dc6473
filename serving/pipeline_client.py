"""Requests to the pipeline. Their failure never keeps a reader from an answer."""

import logging
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from datetime import date
from typing import Final, Self, TypeVar

import redis

from kpi_pipeline.cache.connection import FAILURES
from kpi_pipeline.cache.keys import publication
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.reading.client import Breaker
from kpi_pipeline.cache.reading.reader import CacheUnavailable
from kpi_pipeline.cache.requests.deliveries import Backlog
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, Task, TaskStatus
from kpi_pipeline.cache.usage.buffer import UsageBuffer, outcome_of
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.performance import AnswerKind, Outcome
from kpi_pipeline.model.scopes import WHOLE_FIRM
from serving.shared_calls import SharedCalls

_LOG: Final = logging.getLogger(__name__)
_PAUSE_S: Final = 1.0

Result = TypeVar("Result")
LookupListener = Callable[[str, Outcome, MissReason | None, int], object]
"""Is told of each lookup, or of how many equal ones there were."""


class PipelineClient:
    """Writes requests into Redis and reads their progress. Threads may share it.

    Args:
        client: From `connection.connect_reader`: its timeouts bound how long a reader waits.
        on_lookup: Called with the product of each lookup, how it was answered, the reason of a miss, and how
            many equal ones there were.
    """

    def __init__(self, client: redis.Redis, on_lookup: LookupListener = lambda *_: None) -> None:
        self._on_lookup = on_lookup
        self._requests = Requests(client)
        self._usage_counters = UsageCounters(client)
        self._usage_buffer = UsageBuffer(client)
        # Apart from the reader's: a server that refuses writes, full or a replica, can still be read.
        self._breaker = Breaker(_PAUSE_S)
        self._refresh_at: dict[str, float] = {}
        self._submissions = SharedCalls[Task | None]()
        self.scope = WHOLE_FIRM

    def within(self, scope: str) -> Self:
        """The same for the readers of a scope: their requests are of it, and they see no tasks of others."""
        within = copy(self)
        within.scope = scope
        return within

    def submit(self, kind: RequestKind, product: str, filter: Filter) -> Task | None:
        """Request something; None where Redis takes no requests.

        Equal requests of one moment wait for Redis together.

        Args:
            kind: What to do.
            product: Of which product.
            filter: For which certificates.
        """
        return self._submissions.call(
            (kind, product, filter, self.scope),
            lambda: self._attempt(lambda: self._requests.submit(kind, product, filter, self.scope)),
        )

    def want(self, product: str, filter: Filter) -> Task | None:
        """Request a variant that is missing, and count the request; None where Redis takes no requests."""
        wanted = publication(product, self.scope)
        self._attempt(lambda: self._usage_counters.add_request(wanted, filter))
        return self.submit(RequestKind.WARM, product, filter)

    def want_bridge(self, product: str, opens_on: date, closes_on: date) -> Task | None:
        """Request a bridge between two days that is missing; None where Redis takes no requests."""
        kind, days = RequestKind.BRIDGE, (opens_on, closes_on)
        return self._attempt(lambda: self._requests.submit(kind, product, EVERYTHING, self.scope, days=days))

    def _attempt(self, write: Callable[[], Result]) -> Result | None:
        """Write something; None when Redis refused it, or did so a moment ago, or cannot be reached."""
        if not self._breaker.admits():
            return None
        try:
            result = write()
        except FAILURES as error:
            if not self._breaker.failing:
                _LOG.warning("the pipeline takes no requests: %s", error)
            self._breaker.failed()
            return None
        self._breaker.succeeded()
        return result

    def count(
        self, product: str, filter: Filter, miss: MissReason | None, *, stale: bool = False, times: int = 1
    ) -> None:
        """Count a lookup, or several equal ones; the counts are written a moment later.

        Args:
            product: Of which product.
            filter: The requested filter.
            miss: Why it was a miss; None for a hit.
            stale: Whether it was a hit of stale figures.
            times: How many there were.
        """
        self._usage_buffer.count(product, filter, miss, stale=stale, times=times, scope=self.scope)
        self._on_lookup(product, outcome_of(miss, stale=stale), miss, times)

    def measure(self, kind: AnswerKind, seconds: Sequence[float], size: int) -> None:
        """Count answers, how long each took and the bytes of all; the counts are written a moment later."""
        self._usage_buffer.measure(kind, seconds, size)

    def refresh(self, product: str) -> None:
        """Request a new generation of a product, at most once a second: many readers see it is stale."""
        now = time.monotonic()
        stale = publication(product, self.scope)
        if now < self._refresh_at.get(stale, 0.0):
            return
        self._refresh_at[stale] = now + _PAUSE_S
        self.submit(RequestKind.REFRESH, product, EVERYTHING)

    def backlog(self) -> Backlog:
        """The requests that the pipeline has yet to do.

        Raises:
            CacheUnavailable: If Redis cannot be read.
        """
        try:
            return self._requests.backlog()
        except FAILURES as error:
            raise CacheUnavailable(f"the requests cannot be read: {error}") from error

    def status(self, task_id: str) -> TaskStatus | None:
        """The progress of a request; None when there is no such request, or no longer, or it is of others.

        Raises:
            CacheUnavailable: If Redis cannot be read.
        """
        try:
            status = self._requests.status(task_id)
        except FAILURES as error:
            raise CacheUnavailable(f"the state of a request cannot be read: {error}") from error
        if status is None or self.scope == WHOLE_FIRM:
            return status
        # Why a run failed tells of all that it read.
        return replace(status, reason=None) if status.scope == self.scope else None

"""What a request looks up, and the figures that were found for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.filters import Filter
from serving.freshness_headers import (
    RETRY_S,
    freshness_headers,
    historic_headers,
    historic_meta,
    live_meta,
    readings_headers,
)

NO_READINGS: Final = LiveReadings({}, mixed=False)
"""Those of the past."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a request looks up, read from its parameters.

    Attributes:
        product: One of `dimensions.PRODUCTS`.
        as_of: The date of the past; None for the present.
        filter: Which certificates.
        read_by: The generation by whose catalogue the parameters were read; empty where there are none.
    """

    product: str
    as_of: date | None
    filter: Filter
    read_by: str


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The figures for one request.

    Attributes:
        lookup: What was looked up.
        state: `fresh`, `stale`, `historic`, or `missing`: then the figures are those of a wider filter.
        payload: The figures.
        entry: The generation they come from.
        answer: The filter that the figures answer.
        reachable: Whether Redis could be reached when last tried.
        task_id: The task that computes what is missing; None when there is none.
        now: When it was looked up, in seconds since the epoch.
        readings: The readings of the source that the products show now; none for the past.
    """

    lookup: Lookup
    state: AnswerState
    payload: Payload
    entry: ManifestEntry
    answer: Filter
    reachable: bool
    task_id: str | None
    now: float
    readings: LiveReadings

    @property
    def requested(self) -> Mapping[str, Sequence[str]]:
        """The chosen values of the requested filter by dimension."""
        return self.lookup.filter.as_dict()

    @property
    def answered(self) -> Mapping[str, Sequence[str]]:
        """Those of the filter that the figures answer."""
        return self.answer.as_dict()

    @property
    def requested_as_of(self) -> date | None:
        """The requested date of the past; None for the present."""
        return self.lookup.as_of

    @property
    def status(self) -> int:
        """The HTTP status."""
        return 202 if self.state is AnswerState.MISSING else 200

    def headers(self) -> dict[str, str]:
        """The headers that say how fresh the figures are."""
        if self.state is AnswerState.HISTORIC:
            return historic_headers(self.entry)
        headers = {
            **freshness_headers(self.entry, self.state, self.now),
            **readings_headers(self.entry, self.readings),
        }
        if self.state is AnswerState.MISSING:
            headers["Retry-After"] = str(RETRY_S)
        if not self.reachable:
            headers["X-Cache-Reachable"] = "no"
        return headers

    def meta(self) -> dict[str, Any]:
        """The live members of `meta`."""
        if self.requested_as_of is not None:
            return historic_meta(self.entry, self.requested_as_of)
        meta = {
            **live_meta(self.entry, self.state, self.now),
            "reading": self.entry.reading,
            **self.readings.meta(self.entry.product),
        }
        if self.state is AnswerState.MISSING:
            meta["essential"] = True
            meta["asked_filter"] = self.requested
            meta["task"] = task_reference(self.task_id)
        return meta


def task_reference(task_id: str | None) -> dict[str, str] | None:
    """A task as answers name it: its id and the address of its state."""
    return {"id": task_id, "status_url": status_url(task_id)} if task_id else None


def status_url(task_id: str) -> str:
    """The address of the state of a task."""
    return f"/manager/dashboard/status/{task_id}"

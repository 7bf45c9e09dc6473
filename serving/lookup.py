"""From query parameters to what the cache answers; the routes only dress it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry
from kpi_pipeline.cache.reading.query import parse_filter
from kpi_pipeline.cache.reading.reader import NothingPublished
from kpi_pipeline.cache.requests.tasks import RequestKind
from serving.as_of import requested_as_of
from serving.cache_access import Connection
from serving.freshness import (
    RETRY_S,
    freshness_headers,
    historic_headers,
    historic_meta,
    iso,
    live_meta,
)
from serving.problem_types import EXPIRED, FILTER_NOT_KEPT, NOT_READY, ProblemType, Text
from serving.problems import Problem

_NO_PARAMETERS: Final[Mapping[str, Any]] = {"dimensions": ()}


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Figures for one question.

    Attributes:
        state: `fresh`, `stale`, `historic`, or `missing`: then the figures are those of a wider filter.
        payload: The figures.
        entry: The generation they come from.
        requested: The filter asked for.
        answered: The filter that the figures answer.
        reachable: Whether Redis could be reached when last tried.
        task_id: The request for what is missing; None when there is none.
        now: The present, in seconds since the epoch.
        requested_as_of: The date of the past that was asked for; None for the present.
    """

    state: AnswerState
    payload: Payload
    entry: ManifestEntry
    requested: Mapping[str, Sequence[str]]
    answered: Mapping[str, Sequence[str]]
    reachable: bool
    task_id: str | None
    now: float
    requested_as_of: date | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return 202 if self.state is AnswerState.MISSING else 200

    def headers(self) -> dict[str, str]:
        """The headers that tell how new the figures are."""
        if self.state is AnswerState.HISTORIC:
            return historic_headers(self.entry)
        headers = freshness_headers(self.entry, self.state, self.now)
        if self.state is AnswerState.MISSING:
            headers["Retry-After"] = str(RETRY_S)
        if not self.reachable:
            headers["X-Cache-Reachable"] = "no"
        return headers

    def meta(self) -> dict[str, Any]:
        """The live members of `meta`."""
        if self.requested_as_of is not None:
            return historic_meta(self.entry, self.requested_as_of)
        meta = live_meta(self.entry, self.state, self.now)
        if self.state is AnswerState.MISSING:
            meta["essential"] = True
            meta["asked_filter"] = self.requested
            meta["task"] = task_reference(self.task_id)
        return meta


def look_up(
    connection: Connection,
    product: str,
    parameters: Sequence[tuple[str, str]],
    *,
    ahead: bool = False,
) -> LookupResult:
    """Look up what the cache answers, and ask the pipeline for what is missing or old.

    Args:
        connection: The cache.
        product: What is asked for.
        parameters: The filter as query parameters, and the date if the past is asked for.
        ahead: Whether it is only about to be asked: what is missing is then no question yet.

    Raises:
        Problem: If the date is none, the figures have expired, or neither they nor wider ones are there.
        QueryError: If a parameter is unknown.
        NoMonthEnd: If the past is asked for and no month end of it is kept.
        NothingPublished: If the product has never been published.
        CacheUnavailable: If Redis cannot be reached and the figures are not held.
        CorruptPayload: If the catalogue, by which the parameters are read, is none.
    """
    as_of, parameters = requested_as_of(parameters)
    if as_of is not None:
        return _look_up_as_of(connection, product, as_of, parameters)
    reader, pipeline_client = connection.reader, connection.pipeline_client
    known = _stored_catalogue(connection, product) if parameters else _NO_PARAMETERS
    requested = parse_filter(parameters, known)
    answer = reader.answer(product, requested)
    is_question = not (ahead and answer.state is AnswerState.MISSING)
    if is_question:
        pipeline_client.count(product, requested, answer.miss, stale=answer.state is AnswerState.STALE)
    task_id = None
    if answer.state is AnswerState.EXPIRED and answer.entry is not None:
        raise expired(connection, answer.entry)
    if answer.state is AnswerState.MISSING and answer.reachable and is_question:
        pipeline_client.attempt(lambda _, usage_counters: usage_counters.add_request(product, requested))
        task = pipeline_client.attempt(
            lambda requests, _: requests.submit(RequestKind.WARM, product, requested)
        )
        task_id = task.id if task else None
    if answer.state is AnswerState.STALE and answer.reachable:
        pipeline_client.refresh(product)
    if answer.payload is None or answer.entry is None:
        raise _come_back(NOT_READY, task=task_reference(task_id))
    return LookupResult(
        state=answer.state,
        payload=answer.payload,
        entry=answer.entry,
        requested=requested.as_dict(),
        answered=answer.answered.as_dict(),
        reachable=answer.reachable,
        task_id=task_id,
        now=time.time(),
    )


def _look_up_as_of(
    connection: Connection, product: str, as_of: date, parameters: Sequence[tuple[str, str]]
) -> LookupResult:
    """Look up what a month end answers. Nothing is asked of the pipeline: the past is not recomputed."""
    known = connection.catalogues.stored_as_of(product, as_of) if parameters else _NO_PARAMETERS
    requested = parse_filter(parameters, known)
    answer = connection.reader.answer_as_of(product, as_of, requested)
    if answer.payload is None or answer.entry is None:
        raise Problem(FILTER_NOT_KEPT, members={"asked_filter": requested.as_dict()})
    return LookupResult(
        state=answer.state,
        payload=answer.payload,
        entry=answer.entry,
        requested=requested.as_dict(),
        answered=requested.as_dict(),
        reachable=answer.reachable,
        task_id=None,
        now=time.time(),
        requested_as_of=as_of,
    )


def expired(connection: Connection, entry: ManifestEntry) -> Problem:
    """The problem of figures that are too old to be shown; a new generation is asked for.

    Args:
        connection: The cache.
        entry: The generation that has expired.
    """
    connection.pipeline_client.refresh(entry.product)
    since = iso(entry.stale_until)
    cause = Text(f"Los datos valían hasta {since}.", f"The figures were good until {since}.")
    return _come_back(EXPIRED, cause, generation=entry.generation, stale_until=since)


def unreadable(connection: Connection, product: str) -> Problem:
    """The problem of figures that are stored and make no sense; a new generation is asked for.

    Args:
        connection: The cache.
        product: What was asked for.
    """
    connection.pipeline_client.refresh(product)
    return _come_back(NOT_READY)


def task_reference(task_id: str | None) -> dict[str, str] | None:
    """A request as answers name it: its id and where its state can be asked."""
    return {"id": task_id, "status_url": status_url(task_id)} if task_id else None


def status_url(task_id: str) -> str:
    """Where the state of a request can be asked."""
    return f"/manager/dashboard/status/{task_id}"


def _stored_catalogue(connection: Connection, product: str) -> Mapping[str, Any]:
    try:
        return connection.catalogues.stored(product)
    except NothingPublished:
        # An expired generation may have lost its keys, and that it has expired is what matters then.
        entry = connection.reader.manifest().get(product)
        if entry is not None and entry.state_at(time.time()) is AnswerState.EXPIRED:
            raise expired(connection, entry) from None
        raise


def _come_back(kind: ProblemType, cause: Text | None = None, **members: Any) -> Problem:
    return Problem(kind, cause, members=members, headers={"Retry-After": str(RETRY_S)})

"""From query parameters to the figures that the cache holds for them."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.cache.reading.answer import Answer
from kpi_pipeline.cache.reading.reader import NothingPublished
from kpi_pipeline.model.access import RequestedWork
from kpi_pipeline.model.filter_parameters import FILTER_NAMES, FILTERS_ALONE, parse_filter
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.model.query_parameters import AcceptedParameters
from serving.access.control import require_product, require_rate
from serving.as_of import AS_OF, AS_OF_PARAMETER, requested_as_of
from serving.cache_access import Connection, current_settings
from serving.dates import moment_text
from serving.lookup_result import NO_READINGS, Lookup, LookupResult, task_reference
from serving.metrics.answer_buffer import Counted
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import EXPIRED, FILTER_NOT_KEPT, FILTER_ROLLED_BACK, NOT_READY
from serving.problems import RETRY, Problem

_DATE_ALONE: Final = AcceptedParameters((), (AS_OF_PARAMETER,))
NO_PARAMETERS: Final[Mapping[str, Any]] = {"dimensions": ()}
"""The catalogue by which no parameters are read."""

FIGURE_PARAMETERS: Final = AcceptedParameters(FILTER_NAMES, (AS_OF_PARAMETER,))
"""What the address of a product's figures accepts."""


def look_up(
    connection: Connection,
    product: str,
    parameters: Sequence[tuple[str, str]],
    *,
    ahead: bool = False,
) -> LookupResult:
    """Look up figures, and request from the pipeline what is missing or stale.

    Args:
        connection: The cache.
        product: One of `dimensions.PRODUCTS`.
        parameters: The filter as query parameters, and the date of the past if there is one.
        ahead: Whether the reader has not requested it yet: a miss is then neither counted nor computed.

    Raises:
        Problem: If the reader may not read the product or has requested too much that is missing, the figures
            have expired, or neither they nor wider ones are there.
        InvalidDate: If the date is none.
        QueryError: If a parameter is unknown.
        NoMonthEnd: If no month end is kept on or before the date.
        NothingPublished: If the product has never been published.
        CacheUnavailable: If Redis cannot be reached and the figures are not held.
        CorruptPayload: If the catalogue, by which the parameters are read, is invalid.
    """
    require_product(product)
    as_of, parameters = requested_as_of(parameters)
    if as_of is not None:
        return _look_up_as_of(connection, product, as_of, parameters)
    reader, pipeline_client = connection.reader, connection.pipeline_client
    lookup = live_lookup(connection, product, parameters, FIGURE_PARAMETERS)
    requested = lookup.filter
    answer = reader.answer(product, requested)
    is_request = not (ahead and answer.state is AnswerState.MISSING)
    if is_request:
        is_stale = answer.state is AnswerState.STALE and answer.miss is None
        pipeline_client.count(product, requested, answer.miss, stale=is_stale)
    task_id = None
    if answer.state is AnswerState.EXPIRED and answer.entry is not None:
        raise expired(connection, answer.entry)
    if answer.state is AnswerState.MISSING and answer.reachable and answer.entry is not None:
        refuse_sealed(connection, answer.entry, requested)
    if answer.state is AnswerState.MISSING and answer.reachable and is_request:
        require_rate(RequestedWork.MISSING)
        task = pipeline_client.want(product, requested)
        task_id = task.id if task else None
    if answer.state is AnswerState.STALE and answer.reachable:
        pipeline_client.refresh(product)
    if answer.payload is None or answer.entry is None:
        raise _retry_later(NOT_READY, task=task_reference(task_id))
    return _result(connection, lookup, answer, answer.payload, answer.entry, task_id)


def look_up_again(connection: Connection, lookup: Lookup) -> LookupResult | None:
    """Look up figures whose parameters were read before.

    Nothing is counted for the pipeline or requested from it: `used_again` is for what is sent.

    Returns:
        None where `look_up` is to be called: the figures themselves are not there, have expired, or the
        parameters are to be read anew.

    Raises:
        NoMonthEnd: If no month end is kept on or before the date.
        NothingPublished: If the product has never been published.
        CacheUnavailable: If Redis cannot be reached and the figures are not held.
    """
    reader, product = connection.reader, lookup.product
    if lookup.as_of is None:
        if lookup.read_by and reader.catalogue_generation(product) != lookup.read_by:
            return None
        answer = reader.own(product, lookup.filter)
    else:
        if lookup.read_by and reader.month_ends.entry(product, lookup.as_of).generation != lookup.read_by:
            return None
        answer = reader.month_ends.own(product, lookup.as_of, lookup.filter)
    if answer is None or answer.payload is None or answer.entry is None:
        return None
    return _result(connection, lookup, answer, answer.payload, answer.entry)


def used_again(connection: Connection, result: LookupResult) -> Counted | None:
    """Request from the pipeline what is stale in a result of `look_up_again` that is sent, as `look_up` does.

    Returns:
        What is to be counted; None for the past, which is not counted.
    """
    if result.lookup.as_of is not None:
        return None
    product, is_stale = result.lookup.product, result.state is AnswerState.STALE
    if is_stale and result.reachable:
        connection.pipeline_client.refresh(product)
    return Counted(connection.reader.scope, product, result.lookup.filter, is_stale)


def of_the_present(parameters: Sequence[tuple[str, str]], kind: ProblemType) -> Sequence[tuple[str, str]]:
    """Query parameters of what is kept of the present alone, without an empty date.

    Args:
        parameters: As they were sent.
        kind: The problem of a date of the past.

    Raises:
        Problem: If they request the past.
        InvalidDate: If the date is none.
    """
    as_of, parameters = requested_as_of(parameters)
    if as_of is not None:
        members = {"parameter": AS_OF, "value": as_of.isoformat()}
        raise Problem(kind, members=members, blamed=lambda name, _: name == AS_OF)
    return parameters


def refuse_parameters(parameters: Sequence[tuple[str, str]]) -> None:
    """Refuse query parameters where the path says all but the date.

    Args:
        parameters: Those that are left of the address, its date taken out.

    Raises:
        QueryError: If there are any; names the date as what is accepted.
    """
    parse_filter(parameters, NO_PARAMETERS, _DATE_ALONE)


def live_result(
    connection: Connection, lookup: Lookup, entry: ManifestEntry, state: AnswerState, payload: Payload
) -> LookupResult:
    """What was looked up in a live generation; where that is stale, a refresh is requested."""
    reader = connection.reader
    if state is AnswerState.STALE and reader.reachable:
        connection.pipeline_client.refresh(lookup.product)
    answer = Answer(state, payload, entry, lookup.filter, reader.reachable)
    return _result(connection, lookup, answer, payload, entry)


def historic_result(
    connection: Connection, lookup: Lookup, entry: ManifestEntry, payload: Payload
) -> LookupResult:
    """What was looked up in a month end."""
    reachable = connection.reader.reachable
    answer = Answer(AnswerState.HISTORIC, payload, entry, lookup.filter, reachable)
    return _result(connection, lookup, answer, payload, entry)


def live_lookup(
    connection: Connection,
    product: str,
    parameters: Sequence[tuple[str, str]],
    accepted: AcceptedParameters = FILTERS_ALONE,
) -> Lookup:
    """What query parameters look up of the present; raises as `look_up` does.

    Args:
        connection: The cache.
        product: One of `dimensions.PRODUCTS`.
        parameters: The filter as query parameters.
        accepted: What the address accepts.
    """
    if not parameters:
        return Lookup(product, None, parse_filter((), NO_PARAMETERS), "")
    # The generation first: it is another one than that of a catalogue which is published meanwhile.
    read_by, catalogue = _stored_catalogue(connection, product)
    return Lookup(product, None, parse_filter(parameters, catalogue, accepted), read_by)


def historic_lookup(
    connection: Connection,
    product: str,
    as_of: date,
    parameters: Sequence[tuple[str, str]],
    accepted: AcceptedParameters,
) -> Lookup:
    """What query parameters look up of a month end; as of `live_lookup`, by the catalogue of that time.

    Raises:
        NoMonthEnd: If no month end is kept on or before the date.
    """
    read_by, catalogue = "", NO_PARAMETERS
    if parameters:
        read_by = connection.reader.month_ends.entry(product, as_of).generation
        catalogue = connection.catalogues.stored_as_of(product, as_of)
    return Lookup(product, as_of, parse_filter(parameters, catalogue, accepted), read_by)


def _look_up_as_of(
    connection: Connection, product: str, as_of: date, parameters: Sequence[tuple[str, str]]
) -> LookupResult:
    """Look up the figures of a month end. Nothing is requested from the pipeline: the past stays."""
    lookup = historic_lookup(connection, product, as_of, parameters, FIGURE_PARAMETERS)
    requested = lookup.filter
    answer = connection.reader.month_ends.answer(product, as_of, requested)
    if answer.payload is None or answer.entry is None:
        if answer.miss is not MissReason.NOT_PRECOMPUTED:
            raise lost()
        raise Problem(FILTER_NOT_KEPT, members={"asked_filter": requested.as_dict()})
    return _result(connection, lookup, answer, answer.payload, answer.entry)


def _result(
    connection: Connection,
    lookup: Lookup,
    answer: Answer,
    payload: Payload,
    entry: ManifestEntry,
    task_id: str | None = None,
) -> LookupResult:
    """What was looked up now, given that the answer of the cache has a payload and its entry."""
    return LookupResult(
        lookup=lookup,
        state=answer.state,
        payload=payload,
        entry=entry,
        answer=answer.answered,
        reachable=answer.reachable,
        task_id=task_id,
        now=time.time(),
        readings=connection.reader.live_readings(entry) if lookup.as_of is None else NO_READINGS,
    )


def refuse_sealed(connection: Connection, entry: ManifestEntry, requested: Filter) -> None:
    """Refuse a filter that a generation lacks to which nothing can be added.

    Raises:
        Problem: If that is so.
        CacheUnavailable: If Redis cannot be reached.
    """
    if connection.reader.is_sealed(entry):
        raise Problem(FILTER_ROLLED_BACK, members={"asked_filter": requested.as_dict()})


def expired(connection: Connection, entry: ManifestEntry) -> Problem:
    """The problem of a generation that is too old to be shown; a new one is requested."""
    connection.pipeline_client.refresh(entry.product)
    since = moment_text(entry.stale_until, current_settings().timezone)
    cause = Text(f"Las cifras valían hasta el {since.es}.", f"The figures were valid until {since.en}.")
    stale_until = as_iso(entry.stale_until)
    return _retry_later(EXPIRED, cause, generation=entry.generation, stale_until=stale_until)


def unreadable(connection: Connection, product: str) -> Problem:
    """The problem of stored figures of a product that are invalid; a new generation is requested."""
    connection.pipeline_client.refresh(product)
    return _retry_later(NOT_READY)


def lost() -> Problem:
    """The problem of what a month end has lost: it is restored."""
    return _retry_later(NOT_READY)


def _stored_catalogue(connection: Connection, product: str) -> tuple[str, Mapping[str, Any]]:
    """The generation of a product's catalogue, and that catalogue."""
    try:
        return connection.reader.catalogue_generation(product), connection.catalogues.stored(product)
    except NothingPublished:
        # An expired generation may have lost its keys, and that it has expired is what matters then.
        entry = connection.reader.manifest().get(product)
        if entry is not None and connection.reader.state_of(entry) is AnswerState.EXPIRED:
            raise expired(connection, entry) from None
        raise


def _retry_later(kind: ProblemType, cause: Text | None = None, **members: Any) -> Problem:
    return Problem(kind, cause, members=members, headers=RETRY)

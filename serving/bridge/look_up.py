"""From query parameters to a bridge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from kpi_pipeline.cache.bridges import BRIDGES, BridgeEntry, BridgeIndex, Moved, MovedCertificates
from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.access import RequestedWork
from kpi_pipeline.model.listing import LISTED_WITH
from serving.access.control import require_product, require_rate
from serving.bridge.parameters import (
    BRIDGE_PARAMETERS,
    BridgeRequest,
    chosen_bridge,
    read_bridge_request,
    require_currency,
    single_value,
)
from serving.cache_access import Connection
from serving.lookup import expired, live_lookup, live_result, of_the_present, unreadable
from serving.lookup_result import Lookup, LookupResult
from serving.problem_types.figures import BRIDGE_NOT_KEPT


@dataclass(frozen=True, slots=True)
class BridgeResult:
    """A bridge.

    Attributes:
        request: What is requested besides the filter.
        figures: The generation, its state and the filter.
        bridge: The two days.
        index: All that can be chosen from.
        currencies: The figures of each currency, as they are published; none where the bridge is being
            computed.
        places: The places of the certificates that are requested, the largest change first.
        moved: The certificates; None where none are requested.
    """

    request: BridgeRequest
    figures: LookupResult
    bridge: BridgeEntry
    index: BridgeIndex
    currencies: Sequence[Mapping[str, Any]]
    places: Sequence[int]
    moved: MovedCertificates | None

    @property
    def is_missing(self) -> bool:
        """Whether the bridge is being computed."""
        return self.figures.state is AnswerState.MISSING

    @property
    def digest(self) -> str:
        """Of what it shows: equal for equal ones."""
        asked = (self.figures.lookup.filter.identity, self.bridge, self.request.parameters())
        return blake2b(f"{self.figures.payload.digest} {asked}".encode(), digest_size=16).hexdigest()

    def certificates(self) -> list[Moved]:
        """The page of the certificates that is requested."""
        first, last = self.request.offset, self.request.offset + self.request.limit
        return self.all_certificates(self.places[first:last])

    def all_certificates(self, places: Sequence[int] | None = None) -> list[Moved]:
        """All certificates that are requested, or those at some places."""
        if self.moved is None:
            return []
        return [self.moved.row(place) for place in (self.places if places is None else places)]


def look_up_bridge(connection: Connection, parameters: Sequence[tuple[str, str]]) -> BridgeResult:
    """Look a bridge up, and request from the pipeline what is missing or stale.

    Args:
        connection: The cache.
        parameters: The filter and what is to be seen, as query parameters.

    Raises:
        Problem: If the reader may not read it or has requested too much that is missing, a parameter is
            invalid, the past is requested, or bridges have expired or are not there.
        InvalidDate: If the date is none.
        QueryError: If a filter is unknown.
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and the bridge is not held.
    """
    require_product(LISTED_WITH)
    parameters = of_the_present(parameters, BRIDGE_NOT_KEPT)
    request, filters = read_bridge_request(parameters)
    lookup = live_lookup(connection, LISTED_WITH, filters, BRIDGE_PARAMETERS)
    dimension, value = single_value(lookup.filter)
    reader = connection.reader
    try:
        entry, index = reader.live_list.bridges()
        state = reader.state_of(entry)
        if state is AnswerState.EXPIRED:
            raise expired(connection, entry)
        if index is None:
            raise unreadable(connection, LISTED_WITH)
        bridge = chosen_bridge(request, index)
        wanted = [bridge.document(dimension), *([bridge.document(request.figure)] if request.figure else [])]
        payloads = [
            payload for name in wanted if (payload := reader.live_list.document(entry, name)) is not None
        ]
        if len(payloads) < len(wanted):
            if bridge.name:
                raise unreadable(connection, LISTED_WITH)
            figures = _requested(connection, lookup, entry, bridge)
            return BridgeResult(request, figures, bridge, index, (), (), None)
        data = payloads[0].data()
        currencies = data["values"].get(value, []) if dimension else data["currencies"]
        if request.currency:
            today = [one.code for one in connection.catalogues.of(LISTED_WITH).currencies]
            # One that is in the data no more may be in an earlier bridge.
            known = dict.fromkeys([*today, *(one["currency"] for one in currencies)])
            require_currency(request.currency, tuple(known))
        moved: MovedCertificates | None = None
        places: tuple[int, ...] = ()
        if request.figure:
            moved = MovedCertificates(payloads[1].data())
            places = tuple(moved.select(dimension, value, request.part, request.currency))
    except (CorruptPayload, KeyError) as error:
        raise unreadable(connection, LISTED_WITH) from error
    figures = live_result(connection, lookup, entry, state, payloads[0])
    return BridgeResult(request, figures, bridge, index, currencies, places, moved)


def _requested(
    connection: Connection, lookup: Lookup, entry: ManifestEntry, bridge: BridgeEntry
) -> LookupResult:
    """The figures of a bridge that is not there yet, which is requested from the pipeline."""
    task_id = None
    if connection.reader.reachable:
        require_rate(RequestedWork.MISSING)
        task = connection.pipeline_client.want_bridge(LISTED_WITH, bridge.opens_on, bridge.closes_on)
        task_id = task.id if task else None
    index = connection.reader.live_list.document(entry, BRIDGES)
    if index is None:
        raise unreadable(connection, LISTED_WITH)
    missing = live_result(connection, lookup, entry, AnswerState.MISSING, index)
    return replace(missing, task_id=task_id)

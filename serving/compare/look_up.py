"""From query parameters to the figures of some values: one read of the cache for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.compare import COMPARED_WITH, FEWEST_COMPARED
from kpi_pipeline.model.filter_parameters import FILTER_NAMES
from kpi_pipeline.model.labels import Text
from serving.access.control import require_product
from serving.access.identity import current_identity
from serving.as_of import AS_OF, requested_as_of
from serving.cache_access import Connection
from serving.compare.parameters import (
    COMPARE_PARAMETERS,
    CompareRequest,
    fewest_fault,
    filter_of,
    read_compared,
    within,
)
from serving.lookup import historic_lookup, live_lookup, look_up, unreadable
from serving.lookup_result import LookupResult
from serving.problem_types.figures import FILTER_NOT_KEPT
from serving.problems import Problem

_TRIES: Final = 3
_PAST_IS_WHOLE: Final = Text(
    "Al cierre de un mes, los valores se comparan sin otro filtro.",
    "As of a month end, values are compared without a further filter.",
)


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """One of the values that are set side by side.

    Attributes:
        value: The value, or the period.
        figures: Its figures; those of a wider filter where its own are being computed.
    """

    value: str
    figures: LookupResult

    @property
    def is_missing(self) -> bool:
        """Whether its own figures are being computed."""
        return self.figures.state is AnswerState.MISSING


@dataclass(frozen=True, slots=True)
class CompareResult:
    """Values side by side, all of one generation.

    Attributes:
        request: What is compared.
        values: The values, in the order in which they are requested.
    """

    request: CompareRequest
    values: tuple[ComparedValue, ...]

    @property
    def figures(self) -> LookupResult:
        """Those of the first value, or of one that is missing: how fresh all are."""
        return next((one.figures for one in self.values if one.is_missing), self.values[0].figures)

    @property
    def is_missing(self) -> bool:
        """Whether the figures of some are being computed."""
        return any(one.is_missing for one in self.values)

    @property
    def digest(self) -> str:
        """Of what it shows: equal for equal ones."""
        shown = [(one.value, one.figures.payload.digest) for one in self.values]
        return blake2b(f"{self.request} {shown}".encode(), digest_size=16).hexdigest()


def compared_product() -> str:
    """The product whose answers the present reader compares."""
    identity = current_identity()
    return next((one for one in COMPARED_WITH if identity.may_read(one)), COMPARED_WITH[-1])


def compare_request(connection: Connection, parameters: Sequence[tuple[str, str]]) -> CompareRequest:
    """What query parameters request to be compared; fewer values than that takes are no problem yet.

    Raises:
        Problem: If the reader may not read it, a parameter is invalid, or the past is requested under a
            filter.
        InvalidDate: If the date is none.
        NoMonthEnd: If no month end is kept on or before the date.
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and the catalogue is not held.
    """
    product = compared_product()
    require_product(product)
    as_of, parameters = requested_as_of(parameters)
    given, others = COMPARE_PARAMETERS.taken_from(parameters)
    request = read_compared(given, connection.catalogues.on(product, as_of), as_of)
    if as_of is None:
        lookup = live_lookup(connection, product, others, COMPARE_PARAMETERS)
    else:
        lookup = historic_lookup(connection, product, as_of, others, COMPARE_PARAMETERS)
        if lookup.filter.terms:
            # Month ends keep single values: each of those that are compared is one.
            members = {"asked_filter": lookup.filter.as_dict()}
            raise Problem(
                FILTER_NOT_KEPT, _PAST_IS_WHOLE, members=members, blamed=lambda name, _: name in FILTER_NAMES
            )
    return within(request, lookup.filter, others)


def look_up_comparison(connection: Connection, request: CompareRequest) -> CompareResult:
    """Look the figures of all values up, and request from the pipeline what is missing or stale.

    Raises:
        Problem: If there are fewer than two values; and as `look_up` does, with its other errors.
    """
    product = compared_product()
    catalogue = connection.catalogues.on(product, request.as_of)
    if len(request.values) < FEWEST_COMPARED:
        raise fewest_fault(request, catalogue)
    filters = [filter_of(request, value, catalogue) for value in request.values]
    date_of = [] if request.as_of is None else [(AS_OF, request.as_of.isoformat())]
    for _ in range(_TRIES):
        if request.as_of is None:
            asked = [live_lookup(connection, product, one).filter for one in filters]
            connection.reader.hold(product, asked)
        found = [look_up(connection, product, [*one, *date_of]) for one in filters]
        # A generation may have gone live between two of them.
        if len({one.entry.generation for one in found}) == 1:
            compared = zip(request.values, found, strict=True)
            return CompareResult(request, tuple(ComparedValue(*one) for one in compared))
    raise unreadable(connection, product)

"""From query parameters to the figures of some values: one read of the cache for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.compare import COMPARED_WITH, FEWEST_COMPARED
from serving.access.control import require_product
from serving.access.identity import current_identity
from serving.cache_access import Connection
from serving.compare.parameters import (
    COMPARE_PARAMETERS,
    CompareRequest,
    fewest_fault,
    filter_of,
    read_compared,
    split_parameters,
    within,
)
from serving.lookup import LookupResult, live_lookup, look_up, of_the_present, unreadable
from serving.problem_types import COMPARISON_NOT_KEPT

_TRIES: Final = 3


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
        Problem: If the reader may not read it, a parameter is invalid, or the past is requested.
        InvalidDate: If the date is none.
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and the catalogue is not held.
    """
    product = compared_product()
    require_product(product)
    given, others = split_parameters(of_the_present(parameters, COMPARISON_NOT_KEPT))
    request = read_compared(given, connection.catalogues.of(product))
    filter_ = live_lookup(connection, product, others, COMPARE_PARAMETERS).filter
    return within(request, filter_, others)


def look_up_comparison(connection: Connection, request: CompareRequest) -> CompareResult:
    """Look the figures of all values up, and request from the pipeline what is missing or stale.

    Raises:
        Problem: If there are fewer than two values; and as `look_up` does, with its other errors.
    """
    product = compared_product()
    catalogue = connection.catalogues.of(product)
    if len(request.values) < FEWEST_COMPARED:
        raise fewest_fault(request, catalogue)
    filters = [filter_of(request, value, catalogue) for value in request.values]
    for _ in range(_TRIES):
        asked = [live_lookup(connection, product, one).filter for one in filters]
        connection.reader.hold(product, asked)
        found = [look_up(connection, product, one) for one in filters]
        # A generation may have gone live between two of them.
        if len({one.entry.generation for one in found}) == 1:
            compared = zip(request.values, found, strict=True)
            return CompareResult(request, tuple(ComparedValue(*one) for one in compared))
    raise unreadable(connection, product)

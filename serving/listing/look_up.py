"""From query parameters to a selection of the list of certificates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.listing.certificates import ListedCertificates, ListPage
from kpi_pipeline.cache.reading.listing.query import Selection
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.cache.reading.month_ends import has_list
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd
from kpi_pipeline.model.listing import LISTED_WITH
from serving.access.control import require_product
from serving.as_of import AS_OF, requested_as_of
from serving.cache_access import Connection
from serving.listing.parameters import (
    read_list_request,
    refuse_of_today,
    require_currency,
    require_expected,
)
from serving.listing.request import LIST_PARAMETERS, ListRequest
from serving.lookup import (
    expired,
    historic_lookup,
    historic_result,
    live_lookup,
    live_result,
    lost,
    unreadable,
)
from serving.lookup_result import LookupResult
from serving.problem_types.figures import LIST_NOT_KEPT
from serving.problems import Problem


@dataclass(frozen=True, slots=True)
class ListResult:
    """A selection of the list.

    Attributes:
        request: How it is to be seen.
        figures: The generation, its state and the filter; the payload is the list's index.
        certificates: The list.
    """

    request: ListRequest
    figures: LookupResult
    certificates: ListedCertificates

    @property
    def selection(self) -> Selection:
        """Which certificates."""
        asked = self.request
        return Selection(
            self.figures.lookup.filter,
            asked.standings,
            asked.search,
            asked.days,
            asked.currency,
            asked.reasons,
            asked.expected,
            asked.work_list,
        )

    @property
    def digest(self) -> str:
        """Of what a page of it holds: equal for equal ones."""
        asked = f"{self.figures.lookup.filter.identity} {self.request.parameters()}"
        return blake2b(f"{self.certificates.index.digest} {asked}".encode(), digest_size=16).hexdigest()

    def page(self) -> ListPage:
        """The page that is requested."""
        request = self.request
        return self.certificates.page(self.selection, request.order, request.offset, request.limit)

    def rows(self) -> Iterator[Row]:
        """All certificates of the selection, in their order."""
        return self.certificates.rows(self.selection, self.request.order)


def look_up_list(connection: Connection, parameters: Sequence[tuple[str, str]]) -> ListResult:
    """Look the list up, and request newer figures from the pipeline where it is stale.

    Args:
        connection: The cache.
        parameters: The filter, how the list is to be seen, and the date of the past if there is one, as
            query parameters.

    Raises:
        Problem: If a parameter is invalid, the month end has no list, or the list has expired or is not
            there.
        InvalidDate: If the date is none.
        NoMonthEnd: If no month end is kept on or before the date.
        QueryError: If a filter is unknown.
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and the list is not held.
    """
    require_product(LISTED_WITH)
    as_of, parameters = requested_as_of(parameters)
    request, filters = read_list_request(parameters)
    if as_of is not None:
        return _of_month_end(connection, as_of, request, filters)
    lookup = live_lookup(connection, LISTED_WITH, filters, LIST_PARAMETERS)
    _require_currency(connection, request, None)
    reader = connection.reader
    entry, certificates = reader.live_list.certificates()
    state = reader.state_of(entry)
    if state is AnswerState.EXPIRED:
        raise expired(connection, entry)
    if certificates is None:
        raise unreadable(connection, LISTED_WITH)
    require_expected(request.expected, certificates.outlooks.stretches)
    figures = live_result(connection, lookup, entry, state, certificates.index)
    return ListResult(request, figures, certificates)


def is_list_kept(connection: Connection, as_of: date, shown: date) -> bool:
    """Whether a request of the past finds the list of the day that figures are of.

    Args:
        connection: The cache.
        as_of: The requested date.
        shown: The month end of the figures: products may keep different ones.
    """
    try:
        entry = connection.reader.month_ends.entry(LISTED_WITH, as_of)
    except (NoMonthEnd, CacheUnavailable):
        return False
    return has_list(entry) and entry.as_of == shown


def _of_month_end(
    connection: Connection, as_of: date, request: ListRequest, filters: Sequence[tuple[str, str]]
) -> ListResult:
    """The list of a month end. Nothing is requested from the pipeline: the past stays."""
    entry, certificates = connection.reader.month_ends.certificates(as_of)
    if not has_list(entry):
        members = {"parameter": AS_OF, "value": as_of.isoformat()}
        raise Problem(LIST_NOT_KEPT, members=members, blamed=lambda name, _: name == AS_OF)
    lookup = historic_lookup(connection, LISTED_WITH, as_of, filters, LIST_PARAMETERS)
    _require_currency(connection, request, as_of)
    refuse_of_today(request)
    if certificates is None:
        raise lost()
    figures = historic_result(connection, lookup, entry, certificates.index)
    return ListResult(request, figures, certificates)


def _require_currency(connection: Connection, request: ListRequest, as_of: date | None) -> None:
    if request.currency:
        known = connection.catalogues.on(LISTED_WITH, as_of).currencies
        require_currency(request.currency, [one.code for one in known])

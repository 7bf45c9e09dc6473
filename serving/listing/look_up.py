"""From query parameters to a selection of the list of certificates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.listing.certificates import ListedCertificates, ListPage
from kpi_pipeline.cache.reading.listing.query import Selection
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.listing import LISTED_WITH
from serving.access.control import require_product
from serving.cache_access import Connection
from serving.listing.parameters import read_list_request, require_currency, require_expected
from serving.listing.request import LIST_PARAMETERS, ListRequest
from serving.lookup import expired, live_lookup, live_result, of_the_present, unreadable
from serving.lookup_result import LookupResult
from serving.problem_types import LIST_NOT_KEPT


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
            asked.expected,
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
        parameters: The filter and how the list is to be seen, as query parameters.

    Raises:
        Problem: If a parameter is invalid, the past is requested, or the list has expired or is not there.
        InvalidDate: If the date is none.
        QueryError: If a filter is unknown.
        NothingPublished: If nothing has been published.
        CacheUnavailable: If Redis cannot be reached and the list is not held.
    """
    require_product(LISTED_WITH)
    parameters = of_the_present(parameters, LIST_NOT_KEPT)
    request, filters = read_list_request(parameters)
    lookup = live_lookup(connection, LISTED_WITH, filters, LIST_PARAMETERS)
    if request.currency:
        known = connection.catalogues.of(LISTED_WITH).currencies
        require_currency(request.currency, [one.code for one in known])
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

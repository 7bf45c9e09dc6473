"""What a page is written from: the pages that there are, the catalogue of one, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.reading.reader import NoMonthEnd, NothingPublished
from serving.access.identity import current_identity
from serving.cache_access import Connection
from serving.catalogue import CATALOGUE_SOURCES, Catalogue, Page
from serving.lookup import unreadable
from serving.lookup_result import LookupResult
from serving.pages.earlier_quarters import EarlierQuarter
from serving.pages.filters.form import part_heading, part_label
from serving.pages.published.figures import Figures, published_kpis, read_figures
from serving.pages.published.kpi_values import KpiValue
from serving.pages.selection import Selection, parts
from serving.pages.writing import Writer


@dataclass(frozen=True, slots=True)
class PageData:
    """What a page, or a file of its figures, is written from.

    Attributes:
        page: What it shows.
        catalogue: By which it is read.
        result: The answer of the cache.
        figures: The figures of that answer, checked.
        earlier: By quarter that its flows are compared with, the KPIs of that.
    """

    page: Page
    catalogue: Catalogue
    result: LookupResult
    figures: Figures
    earlier: Mapping[str, Mapping[str, Sequence[KpiValue]]] = field(default_factory=dict)


def pages_on(connection: Connection, as_of: date | None) -> Sequence[Page]:
    """The pages that there are for a reader, or that there were on a date of the past.

    Args:
        connection: The cache.
        as_of: That date; None for the present.

    Raises:
        NothingPublished: If no product has a catalogue.
        NoMonthEnd: If no month end is kept on or before the date.
        CorruptPayload: If what is kept is no catalogue.
    """
    if as_of is None:
        return _for_reader(_live_catalogue(connection).pages)
    failure: Exception | None = None
    for product in CATALOGUE_SOURCES:
        try:
            return _for_reader(connection.catalogues.as_of(product, as_of).pages)
        except (NoMonthEnd, NothingPublished, CorruptPayload) as error:
            failure = failure or error
    raise failure or NothingPublished(CATALOGUE_SOURCES[0])


def catalogue_of(connection: Connection, page: Page, as_of: date | None) -> Catalogue:
    """The catalogue of a page, live or on a date of the past; raises as `pages_on` does."""
    if as_of is not None:
        return connection.catalogues.as_of(page.product, as_of)
    return _live_catalogue(connection)


def page_data(
    connection: Connection, page: Page, result: LookupResult, earlier: Sequence[EarlierQuarter] = ()
) -> PageData:
    """Read what a page is written from, checked; raises as `pages_on` does.

    Args:
        connection: The cache.
        page: What it shows.
        result: Its figures.
        earlier: The quarters that these are compared with.

    Raises:
        Problem: If the figures are stored and make no sense; then new ones are requested.
    """
    catalogue = catalogue_of(connection, page, result.requested_as_of)
    try:
        figures = read_figures(result.payload.data(), page, catalogue)
    except CorruptPayload as error:
        raise unreadable(connection, page.product) from error
    kpis = {one.quarter: published_kpis(one.payload) for one in earlier}
    return PageData(page, catalogue, result, figures, {name: held for name, held in kpis.items() if held})


def filter_label(catalogue: Catalogue, selection: Selection, writer: Writer) -> str:
    """A filter as people read it, such as `Client: ACME, State: Paid`.

    Args:
        catalogue: By which it is read.
        selection: The chosen values by dimension.
        writer: Has the labels.
    """
    labels = [
        f"{part_heading(catalogue, part, writer)}: {part_label(part, writer)}"
        for part in parts(catalogue, selection)
    ]
    return ", ".join(labels) or writer.texts["everything"]


def _live_catalogue(connection: Connection) -> Catalogue:
    product, _ = connection.catalogues.any()
    return connection.catalogues.of(product)


def _for_reader(pages: Sequence[Page]) -> Sequence[Page]:
    identity = current_identity()
    return [page for page in pages if identity.may_read(page.product)]

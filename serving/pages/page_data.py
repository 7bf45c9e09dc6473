"""What a page is written from: which pages there are, the catalogue by which one is read, and its figures."""

from collections.abc import Sequence
from datetime import date

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.reading.reader import NoMonthEnd, NothingPublished
from serving.cache_access import Connection
from serving.catalogue import CATALOGUE_SOURCES, Catalogue, Page
from serving.lookup import LookupResult, unreadable
from serving.pages.figures import Figures, read_figures
from serving.pages.filters.form import PageAddress, chips
from serving.pages.filters.parts import Selection
from serving.pages.writing import Writer


def pages_on(connection: Connection, as_of: date | None) -> Sequence[Page]:
    """The pages that there are, or that there were on a date of the past.

    Args:
        connection: The cache.
        as_of: That date; None for the present.

    Raises:
        NothingPublished: If no product has a catalogue.
        NoMonthEnd: If no month end is kept on or before the date.
        CorruptPayload: If what is kept is no catalogue.
    """
    if as_of is None:
        return _live_catalogue(connection).pages
    failure: Exception | None = None
    for product in CATALOGUE_SOURCES:
        try:
            return connection.catalogues.as_of(product, as_of).pages
        except (NoMonthEnd, NothingPublished, CorruptPayload) as error:
            failure = failure or error
    raise failure or NothingPublished(CATALOGUE_SOURCES[0])


def catalogue_of(connection: Connection, page: Page, as_of: date | None) -> Catalogue:
    """The catalogue by which a page is read; raises as `pages_on` does.

    Args:
        connection: The cache.
        page: Which page.
        as_of: The date of the past that is asked for; None for the present.
    """
    if as_of is not None:
        return connection.catalogues.as_of(page.product, as_of)
    return _live_catalogue(connection)


def figures_of(connection: Connection, page: Page, catalogue: Catalogue, result: LookupResult) -> Figures:
    """The figures of a page, checked.

    Raises:
        Problem: If they are stored and make no sense; then new ones are asked for.
    """
    try:
        return read_figures(result.payload.data(), page, catalogue)
    except CorruptPayload as error:
        raise unreadable(connection, page.product) from error


def filter_in_words(catalogue: Catalogue, selection: Selection, writer: Writer) -> str:
    """What a filter says, as people read it.

    Args:
        catalogue: By which it is read.
        selection: The chosen values by dimension.
        writer: Has the words.
    """
    chosen = chips(catalogue, selection, writer.language, writer.formats, PageAddress("", None))
    if not chosen:
        return writer.texts["everything"]
    return ", ".join(f"{chip.dimension}: {chip.label}" for chip in chosen)


def _live_catalogue(connection: Connection) -> Catalogue:
    product, _ = connection.catalogues.any()
    return connection.catalogues.of(product)

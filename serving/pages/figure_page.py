"""What all pages with figures have in common: their parameters, what they are written with and show alike."""

from typing import Any, Final

from flask import request

from serving.cache_access import Connection, current_connection, current_settings
from serving.catalogue import Catalogue
from serving.freshness_headers import age_s
from serving.listing.look_up import is_list_kept
from serving.lookup_result import LookupResult
from serving.pages.addresses import PageAddress
from serving.pages.context import PageContext
from serving.pages.drill_down import DrillDown
from serving.pages.filters.form import option_counts
from serving.pages.formats import ago
from serving.pages.live_state import TASK_PARAMETER, Refreshing, refreshing
from serving.pages.page_data import pages_on
from serving.pages.page_facts import facts_of
from serving.pages.page_frame import page_frame
from serving.pages.selection import Counts, Selection
from serving.pages.writing import writer_for
from serving.responses import LANGUAGE_PARAMETER, reader_language

_OWN_PARAMETERS: Final = (LANGUAGE_PARAMETER, TASK_PARAMETER)


def page_parameters() -> list[tuple[str, str]]:
    """The query parameters that say which figures the present request is for.

    Raises:
        UnknownLanguage: If its language is none, before anything is requested of the pipeline.
    """
    reader_language()
    return [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN_PARAMETERS]


def page_context(
    catalogue: Catalogue,
    selection: Selection,
    address: PageAddress,
    linked: PageAddress,
    counts: Counts | None = None,
) -> PageContext:
    """What a page is written with in the language of the present request.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        address: Of the page.
        linked: Of the page to which names in it lead.
        counts: From `filters.form.option_counts`; None for those of all certificates.
    """
    as_of = linked.as_of
    has_past_list = as_of is not None and is_list_kept(current_connection(), as_of, catalogue.as_of)
    drill_down = DrillDown(catalogue, selection, linked, has_past_list=has_past_list)
    writer = writer_for(reader_language(), catalogue, current_settings().timezone, drill_down)
    if counts is None:
        counts = option_counts(catalogue, None, {})
    return PageContext(catalogue, selection, address, writer, counts)


def followed_refresh(connection: Connection, now: float) -> Refreshing | None:
    """The refresh that the address of the present request names; see `live_state.refreshing`."""
    return refreshing(connection.pipeline_client, request.args.get(TASK_PARAMETER, ""), now)


def common_values(
    connection: Connection,
    result: LookupResult,
    context: PageContext,
    *,
    page: str,
    figures_url: str,
    itself: PageAddress | None = None,
) -> dict[str, Any]:
    """What the templates show alike of pages that are written anew for each request.

    Args:
        connection: The cache.
        result: The figures.
        context: What the page is written with.
        page: Its name.
        figures_url: The address of the same figures in the API.
        itself: As of `page_frame`.
    """
    refresh = followed_refresh(connection, result.now)
    pages = pages_on(connection, context.address.as_of)
    return {
        **page_frame(connection, pages, result, context, refresh, itself),
        "page_name": page,
        "reload_s": None,
        "ago": ago(age_s(result.entry, result.now), context.language),
        "task": None,
        # The whole product is refreshed: what these pages show is not precomputed for a filter.
        "refreshed": (),
        "facts": facts_of(result, page=page, figures_url=figures_url, refresh=refresh, context=context),
    }

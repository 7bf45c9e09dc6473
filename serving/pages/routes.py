"""The pages: each one read from the cache, written out on the server, useful without JavaScript."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request

from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.reader import CacheUnavailable
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.settings import Settings
from serving.as_of import requested_as_of
from serving.cache_access import CacheAccess, Connection
from serving.catalogue import Catalogue, Page
from serving.freshness import age_s
from serving.lookup import LookupResult, look_up, task_reference
from serving.negotiation import LANGUAGES, choose_language
from serving.pages.addresses import HOME_PATH, LANGUAGE_PARAMETER, SYSTEM_PATH, page_path, requested_language
from serving.pages.downloads.links import DownloadLinks
from serving.pages.figures import Figures, published_options
from serving.pages.filters.drill_down import DrillDown
from serving.pages.filters.form import (
    Counts,
    PageAddress,
    chips,
    choices,
    option_counts,
)
from serving.pages.filters.parts import Parameters, parameters_of
from serving.pages.filters.period_choice import month_end_options, period_choice
from serving.pages.formats import Formats
from serving.pages.live_state import live_state
from serving.pages.page_data import catalogue_of, figures_of, filter_in_words, pages_on
from serving.pages.page_facts import page_facts
from serving.pages.page_view import page_view
from serving.pages.refreshing import RELOAD_S, TASK_PARAMETER, Refreshing, refreshing
from serving.pages.writing import Writer
from serving.problem_types import NOT_FOUND
from serving.problems import Problem

AHEAD_HEADER: Final = "X-Ahead"
"""Sent with the question for a page that a reader may be about to open."""

_REFRESH_S: Final = 3
_OWN_PARAMETERS: Final = (LANGUAGE_PARAMETER, TASK_PARAMETER)


def page_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Routes of the pages that the catalogue declares.

    Args:
        access: The cache.
        settings: They tell the time zone.
    """
    routes = Blueprint("pages", __name__)
    timezone = ZoneInfo(settings.timezone)

    @routes.get(HOME_PATH)
    @routes.get("/manager/<path>")
    def page(**_: str) -> Response:
        return _answer(access.current(), timezone)

    return routes


def _answer(connection: Connection, timezone: ZoneInfo) -> Response:
    as_of, _ = requested_as_of(list(request.args.items(multi=True)))
    pages = pages_on(connection, as_of)
    page = next((one for one in pages if page_path(one.name) == request.path), None)
    if page is None:
        raise Problem(NOT_FOUND)
    parameters = [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN_PARAMETERS]
    result = look_up(connection, page.product, parameters, ahead=AHEAD_HEADER in request.headers)
    refresh = refreshing(connection.pipeline_client, request.args.get(TASK_PARAMETER, ""))
    catalogue = catalogue_of(connection, page, result.requested_as_of)
    figures = figures_of(connection, page, catalogue, result)
    written = render_template(
        "page.html",
        **_context(connection, pages, page, catalogue, result, refresh, figures, timezone),
    )
    return _dressed(written, result)


def _dressed(written: str, result: LookupResult) -> Response:
    response = make_response(written, result.status, result.headers())
    # The page tells its own age, which is true only at the moment it is made.
    response.headers["Cache-Control"] = (
        "no-store" if result.state is AnswerState.MISSING else "private, no-cache"
    )
    response.headers["Vary"] = "Accept-Language"
    return response


def _reload_s(result: LookupResult, refresh: Refreshing | None) -> int | None:
    """Seconds after which a page without scripts looks again; None when nothing is awaited."""
    if refresh is not None and refresh.state == "running":
        return RELOAD_S
    return _REFRESH_S if result.state is AnswerState.MISSING else None


def _context(
    connection: Connection,
    pages: Sequence[Page],
    page: Page,
    catalogue: Catalogue,
    result: LookupResult,
    refresh: Refreshing | None,
    figures: Figures,
    timezone: ZoneInfo,
) -> dict[str, Any]:
    in_address = requested_language()
    language = choose_language(in_address or "", request.headers.get("Accept-Language", ""))
    as_of = result.requested_as_of
    formats = Formats(language, {one.code: one.decimals for one in catalogue.currencies}, timezone)
    address = PageAddress(request.path, in_address, as_of)
    writer = Writer(language, formats, catalogue, DrillDown(catalogue, result.requested, address))
    texts = writer.texts
    requested = parameters_of(catalogue, result.requested)
    counts = option_counts(catalogue, figures.options, _wider_counts(connection, result))
    other = next(one for one in LANGUAGES if one != language)
    return {
        "language": language,
        "requested_language": in_address,
        "other_language": other,
        "other_language_url": PageAddress(request.path, other, as_of).of(requested),
        "page_name": page.name,
        "product": page.product,
        "page_path": request.path,
        "title": writer.label(page),
        "links": _links(pages, page, address, requested, writer),
        "live": live_state(result, refresh, formats, texts),
        "reload_s": _reload_s(result, refresh),
        "refresh": refresh,
        "missing": result.state is AnswerState.MISSING,
        "stale": result.state is AnswerState.STALE,
        "historic": result.state is AnswerState.HISTORIC,
        "as_of": formats.day(result.entry.as_of),
        "computed": texts["computed"].format(moment=formats.moment(result.entry.computed_at)),
        "ago": formats.ago(age_s(result.entry, result.now)),
        "filter_words": filter_in_words(catalogue, result.answered, writer),
        "system_url": PageAddress(SYSTEM_PATH, in_address).of(()),
        "downloads": DownloadLinks(page.name, requested, as_of, language),
        "task": task_reference(result.task_id),
        "requested": requested,
        "when": period_choice(catalogue, result.requested, counts, language, formats, address),
        "choices": choices(catalogue, result.requested, counts, language, formats, address),
        "chips": chips(catalogue, result.requested, language, formats, address),
        "facts": page_facts(page, result, refresh, language, requested, catalogue, timezone.key),
        "clear_url": address.of(()),
        "present_url": PageAddress(request.path, in_address).of(()),
        "month_ends": month_end_options(
            _month_ends(connection, page),
            result.entry.as_of if as_of is not None else None,
            texts["present"],
            formats,
        ),
        "view": page_view(page, figures, result.answered, writer),
    }


def _wider_counts(connection: Connection, result: LookupResult) -> dict[str, Counts | None]:
    """By a dimension that the filter names, the counts of the variant that leaves it free, if it is there."""
    requested = Filter.of(result.requested)
    return {
        name: published_options(connection.reader.sibling(result.entry, requested.without(name)))
        for name, _ in requested.terms
    }


def _links(
    pages: Sequence[Page], page: Page, address: PageAddress, requested: Parameters, writer: Writer
) -> list[tuple[str, str, bool]]:
    """The navigation: label and address of each page under the same filter, and whether it is this one."""
    return [
        (
            writer.label(one),
            PageAddress(page_path(one.name), address.language, address.as_of).of(requested),
            one.name == page.name,
        )
        for one in pages
    ]


def _month_ends(connection: Connection, page: Page) -> Sequence[date]:
    try:
        return connection.reader.month_ends(page.product)
    except CacheUnavailable:
        return ()

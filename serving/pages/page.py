"""The pages: each one read from the cache, written out on the server, useful without JavaScript."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.settings import Settings
from serving.cache_access import CacheAccess, Connection
from serving.catalogues import CATALOGUE_SOURCES, Catalogue, Page
from serving.freshness import age_s
from serving.negotiation import LANGUAGES, choose_language
from serving.pages.addresses import HOME_PATH, LANGUAGE_PARAMETER, asked_language, page_path
from serving.pages.figures import Figures, read_figures
from serving.pages.filter_form import (
    PageAddress,
    chips,
    choices,
    month_end_options,
    option_counts,
    period_links,
)
from serving.pages.filter_parts import Parameters, parameters_of
from serving.pages.formats import Formats
from serving.pages.page_facts import page_facts
from serving.pages.page_view import page_view
from serving.pages.refreshing import RELOAD_S, TASK_PARAMETER, Refreshing, refreshing
from serving.pages.writing import Writer
from serving.problem_types import NOT_FOUND
from serving.problems import Problem
from serving.questions import Reply, reply_to, task_reference, unreadable
from serving.time_travel import asked_as_of

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
    pages = _pages(connection)
    page = next((one for one in pages if page_path(one.name) == request.path), None)
    if page is None:
        raise Problem(NOT_FOUND)
    parameters = [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN_PARAMETERS]
    reply = reply_to(connection, page.product, parameters)
    refresh = refreshing(connection.asking, request.args.get(TASK_PARAMETER, ""))
    catalogue = _catalogue(connection, page, reply.asked_as_of)
    figures = _figures(connection, page, catalogue, reply)
    written = render_template(
        "page.html",
        **_context(connection, pages, page, catalogue, reply, figures, timezone),
        refresh=refresh,
    )
    return _dressed(written, reply, refresh)


def _dressed(written: str, reply: Reply, refresh: Refreshing | None) -> Response:
    response = make_response(written, reply.status, reply.headers())
    # The page tells its own age, which is true only at the moment it is made.
    response.headers["Cache-Control"] = (
        "no-store" if reply.state is AnswerState.MISSING else "private, no-cache"
    )
    response.headers["Vary"] = "Accept-Language"
    if reply.state is AnswerState.MISSING:
        response.headers["Refresh"] = str(_REFRESH_S)
    if refresh is not None and refresh.state == "running":
        response.headers["Refresh"] = str(RELOAD_S)
    return response


def _figures(connection: Connection, page: Page, catalogue: Catalogue, reply: Reply) -> Figures:
    try:
        return read_figures(reply.payload.data(), page, catalogue)
    except CorruptPayload as error:
        raise unreadable(connection, page.product) from error


def _context(
    connection: Connection,
    pages: Sequence[Page],
    page: Page,
    catalogue: Catalogue,
    reply: Reply,
    figures: Figures,
    timezone: ZoneInfo,
) -> dict[str, Any]:
    asked_for = asked_language()
    language = choose_language(asked_for or "", request.headers.get("Accept-Language", ""))
    as_of = reply.asked_as_of
    formats = Formats(language, {one.code: one.decimals for one in catalogue.currencies}, timezone)
    writer = Writer(language, formats, catalogue)
    texts = writer.texts
    address = PageAddress(request.path, asked_for, as_of)
    asked = parameters_of(catalogue, reply.asked)
    counts = option_counts(catalogue, figures.options, {})
    other = next(one for one in LANGUAGES if one != language)
    return {
        "language": language,
        "asked_language": asked_for,
        "other_language": other,
        "other_language_url": PageAddress(request.path, other, as_of).of(asked),
        "page_name": page.name,
        "product": page.product,
        "page_path": request.path,
        "title": writer.label(page),
        "links": _links(pages, page, address, asked, writer),
        "state": reply.state.value if reply.reachable else "offline",
        "missing": reply.state is AnswerState.MISSING,
        "stale": reply.state is AnswerState.STALE,
        "historic": reply.state is AnswerState.HISTORIC,
        "as_of": formats.day(reply.entry.as_of),
        "computed": texts["computed"].format(
            moment=formats.moment(reply.entry.computed_at), ago=formats.ago(age_s(reply.entry, reply.now))
        ),
        "task": task_reference(reply.task_id),
        "asked": asked,
        "wider": _in_words(catalogue, reply.answered, writer),
        "periods": period_links(catalogue, reply.asked, counts, language, address),
        "choices": choices(catalogue, reply.asked, counts, language, formats),
        "chips": chips(catalogue, reply.asked, language, formats, address),
        "facts": page_facts(page, reply, language, asked, catalogue),
        "clear_url": address.of(()),
        "present_url": PageAddress(request.path, asked_for).of(()),
        "month_ends": month_end_options(
            _month_ends(connection, page),
            reply.entry.as_of if as_of is not None else None,
            texts["present"],
            formats,
        ),
        "view": page_view(page, figures, reply.answered, writer),
    }


def _links(
    pages: Sequence[Page], page: Page, address: PageAddress, asked: Parameters, writer: Writer
) -> list[tuple[str, str, bool]]:
    """The navigation: label and address of each page under the same filter, and whether it is this one."""
    return [
        (
            writer.label(one),
            PageAddress(page_path(one.name), address.language, address.as_of).of(asked),
            one.name == page.name,
        )
        for one in pages
    ]


def _pages(connection: Connection) -> Sequence[Page]:
    """The pages that there are, or that there were on the date of the past that is asked for."""
    as_of, _ = asked_as_of(list(request.args.items(multi=True)))
    if as_of is None:
        return _live_catalogue(connection).pages
    failure: Exception | None = None
    for product in CATALOGUE_SOURCES:
        try:
            return connection.catalogues.as_of(product, as_of).pages
        except (NoMonthEnd, NothingPublished, CorruptPayload) as error:
            failure = failure or error
    raise failure or NothingPublished(CATALOGUE_SOURCES[0])


def _live_catalogue(connection: Connection) -> Catalogue:
    product, _ = connection.catalogues.any()
    return connection.catalogues.of(product)


def _catalogue(connection: Connection, page: Page, as_of: date | None) -> Catalogue:
    if as_of is not None:
        return connection.catalogues.as_of(page.product, as_of)
    return _live_catalogue(connection)


def _month_ends(connection: Connection, page: Page) -> Sequence[date]:
    try:
        return connection.reader.month_ends(page.product)
    except CacheUnavailable:
        return ()


def _in_words(catalogue: Catalogue, selection: Mapping[str, Sequence[str]], writer: Writer) -> str:
    chosen = chips(catalogue, selection, writer.language, writer.formats, PageAddress(request.path, None))
    if not chosen:
        return writer.texts["everything"]
    return ", ".join(f"{chip.dimension}: {chip.label}" for chip in chosen)

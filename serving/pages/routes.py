"""The pages: one read of the cache each, written on the server, useful without JavaScript."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.access import Permission
from serving.access.identity import current_identity
from serving.as_of import requested_as_of
from serving.cache_access import Connection, current_connection, current_settings
from serving.catalogue import Page
from serving.kept.current import current_kept
from serving.lookup import look_up
from serving.lookup_result import LookupResult, task_reference
from serving.pages.addresses import HOME_PATH, PageAddress, page_path
from serving.pages.cards.html import CardWriter
from serving.pages.compare_links import quarter_comparison
from serving.pages.context import PageContext
from serving.pages.downloads.links import DownloadLinks
from serving.pages.earlier_quarters import EarlierQuarter, earlier_quarters
from serving.pages.figure_page import followed_refresh, page_context, page_parameters
from serving.pages.filters.form import chips, choices, option_counts
from serving.pages.filters.period_choice import month_end_options
from serving.pages.kept_pages import AGO_PLACE, CSRF_PLACE, NOW_PLACE, KeptPage, PageShortcut, page_reply
from serving.pages.live_state import RELOAD_S, TASK_PARAMETER, Refreshing
from serving.pages.page_data import PageData, filter_label, page_data, pages_on
from serving.pages.page_facts import page_facts
from serving.pages.page_frame import page_frame
from serving.pages.page_view import page_view
from serving.pages.published.figures import published_options
from serving.pages.selection import parameters_of
from serving.pages.standing import month_ends, standing_of
from serving.problem_types.requests import NOT_FOUND
from serving.problems import Problem
from serving.responses import reader_language, requested_encoding, requested_language

AHEAD_HEADER: Final = "X-Ahead"
"""Sent with the request for a page that a reader may be about to open."""

_REFRESH_S: Final = 3

routes: Final = Blueprint("pages", __name__)


@routes.get(HOME_PATH)
@routes.get("/manager/<path>")
def page(**_: str) -> Response:
    """One of the pages that the catalogue declares."""
    language = reader_language()  # before anything is requested of the pipeline
    connection = current_connection()
    as_of = requested_as_of(list(request.args.items(multi=True)))[0]
    pages = pages_on(connection, as_of)
    shown = next((page for page in pages if page_path(page.name) == request.path), None)
    if shown is None:
        raise Problem(NOT_FOUND)
    parameters = page_parameters()
    result = look_up(connection, shown.product, parameters, ahead=AHEAD_HEADER in request.headers)
    earlier = earlier_quarters(connection, result)
    kept, rule = current_kept(), request.url_rule
    if result.state is AnswerState.MISSING or TASK_PARAMETER in request.args or rule is None:
        data = page_data(connection, shown, result, earlier)
        written = KeptPage.of(_written(connection, pages, data, _siblings(connection, result)), None, "")
    else:
        shortcut = PageShortcut(
            rule.rule, kept, shown.name, requested_language(), result.lookup, current_settings().timezone
        )
        written = _kept_page(connection, pages, shown, result, earlier, shortcut)
        kept.remember(shortcut)
    csrf = current_identity().csrf
    return page_reply(kept, written, result, language, requested_encoding(), csrf).as_response()


def _kept_page(
    connection: Connection,
    pages: Sequence[Page],
    shown: Page,
    result: LookupResult,
    earlier: Sequence[EarlierQuarter],
    shortcut: PageShortcut,
) -> KeptPage:
    """The page as it is kept, or as it is written now; of several who request it one writes it."""
    memory = shortcut.kept.memory
    key = shortcut.key(request.headers.get("Accept-Language", ""), current_identity())
    standing = standing_of(connection, result, shortcut.timezone, earlier)
    kept = memory.get(key, KeptPage)
    if kept is not None and kept.standing == standing:
        return kept
    with memory.turn(key):
        kept = memory.get(key, KeptPage)
        if kept is not None and kept.standing == standing:
            return kept
        siblings = _siblings(connection, result)
        text = _written(connection, pages, page_data(connection, shown, result, earlier), siblings)
        generation = "" if result.state is AnswerState.HISTORIC else result.entry.generation
        kept = KeptPage.of(text, standing, generation)
        # A sibling that is not there may be added to the generation; what was read meanwhile may be newer.
        is_whole = None not in siblings.values()
        if is_whole and standing == standing_of(connection, result, shortcut.timezone, earlier):
            memory.put(key, kept)
    return kept


def _written(
    connection: Connection,
    pages: Sequence[Page],
    data: PageData,
    siblings: Mapping[str, Payload | None],
) -> str:
    """The text of a page, with its places."""
    return render_template("page.html", **_values(connection, pages, data, siblings))


def _reload_s(result: LookupResult, refresh: Refreshing | None) -> int | None:
    """Seconds after which a page without scripts reloads; None when nothing is awaited."""
    if refresh is not None and refresh.state == "running":
        return RELOAD_S
    return _REFRESH_S if result.state is AnswerState.MISSING else None


def _context(data: PageData, siblings: Mapping[str, Payload | None]) -> PageContext:
    result = data.result
    address = PageAddress(request.path, requested_language(), result.requested_as_of)
    counts = option_counts(
        data.catalogue,
        data.figures.options,
        {name: published_options(sibling) for name, sibling in siblings.items()},
    )
    return page_context(data.catalogue, result.requested, address, address, counts)


def _values(
    connection: Connection, pages: Sequence[Page], data: PageData, siblings: Mapping[str, Payload | None]
) -> dict[str, Any]:
    """What the template of a page shows."""
    page, result = data.page, data.result
    context = _context(data, siblings)
    address, writer, texts, formats = context.address, context.writer, context.texts, context.formats
    refresh = followed_refresh(connection, result.now)
    requested = parameters_of(data.catalogue, result.requested)
    return {
        **page_frame(connection, pages, result, context, refresh),
        "page_name": page.name,
        "title": writer.label(page),
        "reload_s": _reload_s(result, refresh),
        "ago": AGO_PLACE,
        "csrf": CSRF_PLACE if current_identity().csrf else "",
        "filter_label": filter_label(data.catalogue, result.answered, writer),
        "downloads": DownloadLinks(page.name, requested, address.as_of, context.language)
        if current_identity().may(Permission.DOWNLOAD)
        else None,
        "task": task_reference(result.task_id),
        "refreshed": requested,
        "choices": choices(context),
        "chips": chips(context),
        "facts": {**page_facts(data, refresh, context), "now": NOW_PLACE},
        "clear_url": address.of(()),
        "present_url": replace(address, as_of=None).of(()),
        "quarters": None if address.as_of else quarter_comparison(context),
        "month_ends": month_end_options(
            month_ends(connection, page.product),
            result.entry.as_of if address.as_of is not None else None,
            texts["present"],
            formats,
        ),
        "view": page_view(data, writer),
        "cards": CardWriter(writer),
        "list": None,
    }


def _siblings(connection: Connection, result: LookupResult) -> dict[str, Payload | None]:
    """By a dimension that the filter names, the variant that leaves it free, if it is there."""
    requested = result.lookup.filter
    return {
        name: connection.reader.sibling(result.entry, requested.without(name)) for name, _ in requested.terms
    }

"""The manager's page: one read from the cache, written out on the server, useful without JavaScript."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reader import CacheUnavailable
from kpi_pipeline.settings import Settings
from serving.cache_access import CacheAccess, Connection
from serving.catalogues import Catalogue
from serving.freshness import age_s
from serving.negotiation import LANGUAGES, Language, choose_language
from serving.pages.dashboard_view import dashboard_view
from serving.pages.figures import Figures, read_figures
from serving.pages.filter_form import (
    DASHBOARD_PATH,
    chips,
    choices,
    dashboard_url,
    month_end_options,
)
from serving.pages.formats import Formats
from serving.pages.refreshing import RELOAD_S, TASK_PARAMETER, Refreshing, refreshing
from serving.pages.texts import texts_in
from serving.questions import Reply, reply_to, task_reference, unreadable

_PRODUCT: Final = "dashboards"
_REFRESH_S: Final = 3
_LANGUAGE_PARAMETER: Final = "lang"
_OWN_PARAMETERS: Final = (_LANGUAGE_PARAMETER, TASK_PARAMETER)


def dashboard_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Route of the manager's page.

    Args:
        access: The cache.
        settings: They tell the time zone.
    """
    routes = Blueprint("dashboard", __name__)
    timezone = ZoneInfo(settings.timezone)

    @routes.get(DASHBOARD_PATH)
    def dashboard() -> Response:
        connection = access.current()
        parameters = [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN_PARAMETERS]
        reply = reply_to(connection, _PRODUCT, parameters)
        refresh = refreshing(connection.asking, request.args.get(TASK_PARAMETER, ""))
        page = _page(connection, reply, _figures(connection, reply), timezone, refresh)
        response = make_response(page, reply.status, reply.headers())
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

    return routes


def _figures(connection: Connection, reply: Reply) -> Figures:
    try:
        return read_figures(reply.payload.data())
    except CorruptPayload as error:
        raise unreadable(connection, _PRODUCT) from error


def _page(
    connection: Connection, reply: Reply, figures: Figures, timezone: ZoneInfo, refresh: Refreshing | None
) -> str:
    asked_language = _asked_language()
    language = choose_language(asked_language or "", request.headers.get("Accept-Language", ""))
    as_of = reply.asked_as_of
    catalogue = _catalogue(connection, as_of)
    formats = Formats(language, {one.code: one.decimals for one in catalogue.currencies}, timezone)
    other = next(one for one in LANGUAGES if one != language)
    return render_template(
        "dashboard.html",
        language=language,
        asked_language=asked_language,
        other_language=other,
        other_language_url=dashboard_url(reply.asked, other, as_of),
        state=reply.state.value if reply.reachable else "offline",
        missing=reply.state is AnswerState.MISSING,
        stale=reply.state is AnswerState.STALE,
        as_of=formats.day(reply.entry.as_of),
        computed=texts_in(language)["computed"].format(
            moment=formats.moment(reply.entry.computed_at), ago=formats.ago(age_s(reply.entry, reply.now))
        ),
        task=task_reference(reply.task_id),
        refresh=refresh,
        asked=reply.asked,
        wider=_in_words(catalogue, reply.answered, language, formats),
        choices=choices(catalogue, reply.asked, language, formats),
        chips=chips(catalogue, reply.asked, language, asked_language, formats, as_of),
        clear_url=dashboard_url({}, asked_language, as_of),
        historic=reply.state is AnswerState.HISTORIC,
        present_url=dashboard_url({}, asked_language),
        month_ends=month_end_options(
            _month_ends(connection),
            reply.entry.as_of if as_of is not None else None,
            texts_in(language)["present"],
            formats,
        ),
        view=dashboard_view(figures, catalogue, language, formats),
    )


def _catalogue(connection: Connection, as_of: date | None) -> Catalogue:
    if as_of is not None:
        return connection.catalogues.as_of(_PRODUCT, as_of)
    product, _ = connection.catalogues.any()
    return connection.catalogues.of(product)


def _month_ends(connection: Connection) -> Sequence[date]:
    try:
        return connection.reader.month_ends(_PRODUCT)
    except CacheUnavailable:
        return ()


def _asked_language() -> Language | None:
    """The language that the address asks for, if it asks for one of ours."""
    asked = request.args.get(_LANGUAGE_PARAMETER, "").casefold()
    return next((language for language in LANGUAGES if language == asked), None)


def _in_words(
    catalogue: Catalogue, selection: Mapping[str, Sequence[str]], language: Language, formats: Formats
) -> str:
    chosen = chips(catalogue, selection, language, None, formats)
    if not chosen:
        return texts_in(language)["everything"]
    return ", ".join(f"{chip.dimension}: {chip.label}" for chip in chosen)

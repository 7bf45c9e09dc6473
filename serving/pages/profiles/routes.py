"""The pages of clients and projects: written on the server, useful without JavaScript."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.cache.open_items import OpenItemsDay
from kpi_pipeline.model.filter_parameters import FILTER_SPELLINGS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.pages import PROFILE, PROFILED
from serving.cache_access import Connection, current_connection
from serving.kept.unkept import page_answer
from serving.pages.addresses import (
    API_PATH,
    CERTIFICATES_PATH,
    HOME_PATH,
    MANAGER_PATH,
    PageAddress,
    page_path,
)
from serving.pages.cards.html import CardWriter
from serving.pages.context import PageContext
from serving.pages.figure_page import common_values, page_context, page_parameters
from serving.pages.filters.period_choice import month_end_options
from serving.pages.page_data import page_data
from serving.pages.page_view import page_view
from serving.pages.profiles.view import habit_chart, profile_view
from serving.pages.selection import Parameters
from serving.pages.standing import month_ends
from serving.problem_types.requests import NOT_FOUND
from serving.problems import Problem
from serving.profile.look_up import ProfileResult, look_up_profile, profile_path
from serving.profile.statement import statement_days
from serving.responses import requested_language

routes: Final = Blueprint("profile_pages", __name__)


@routes.get(f"{MANAGER_PATH}/clients/<path:name>", defaults={"part": "clients"}, endpoint="client")
@routes.get(f"{MANAGER_PATH}/projects/<path:name>", defaults={"part": "projects"}, endpoint="project")
def profile(part: str, name: str) -> Response:
    """A client or a project."""
    parameters, connection = page_parameters(), current_connection()
    result = look_up_profile(connection, part, name, parameters)
    return page_answer(result.figures, render_template("profile.html", **_values(connection, result)))


@routes.get(page_path(PROFILE.name))
def profile_of_filter() -> AnyResponse:
    """From a filter by a single client or project, as forms send it, to its profile."""
    others: list[tuple[str, str]] = []
    found: list[tuple[str, str]] = []
    for name, value in request.args.items(multi=True):
        dimension = FILTER_SPELLINGS.get(fold(name), "")
        is_own = dimension in PROFILED and value.strip()
        (found if is_own else others).append((dimension if is_own else name, value))
    if len(found) != 1:
        raise Problem(NOT_FOUND)
    return redirect(PageAddress(profile_path(MANAGER_PATH, *found[0]), None).of(others))


def _context(connection: Connection, result: ProfileResult, path: str) -> PageContext:
    """What the page is written with, where its names lead to another page."""
    figures = result.figures
    requested, as_of = figures.requested, figures.requested_as_of
    catalogue = connection.catalogues.on(LISTED_WITH, as_of)
    own_path = profile_path(MANAGER_PATH, result.dimension, result.value)
    address = PageAddress(own_path, requested_language(), as_of)
    return page_context(catalogue, requested, address, replace(address, path=path))


def _statement_days(connection: Connection, result: ProfileResult) -> Sequence[OpenItemsDay]:
    """The month ends of which there are statements; none where today's figures do not have the client."""
    today = connection.catalogues.of(LISTED_WITH).dimensions
    is_known = any(
        one.name == result.dimension and any(value.value == result.value for value in one.values)
        for one in today
    )
    return statement_days(connection) if is_known else ()


def _values(connection: Connection, result: ProfileResult) -> dict[str, Any]:
    """What the template shows."""
    figures, context = result.figures, _context(connection, result, HOME_PATH)
    data = page_data(connection, context.catalogue.profile, figures)
    own: Parameters = [(result.dimension, result.value)]
    api_path = profile_path(API_PATH, result.dimension, result.value)
    (label,) = (
        context.writer.label(one) for one in context.catalogue.dimensions if one.name == result.dimension
    )
    title = context.texts["profile_title"].format(dimension=label, value=result.value)
    common = common_values(
        connection,
        figures,
        context,
        page=PROFILE.name,
        figures_url=replace(context.address, path=api_path, language=None).of(()),
    )
    return {
        **common,
        # The address has the name already.
        "other_language_url": replace(context.address, language=common["other_language"]).of(()),
        "title": title,
        "filter_label": title,
        "downloads": None,
        "refreshed": own,
        "present_url": replace(context.address, as_of=None).of(()),
        "month_ends": month_end_options(
            month_ends(connection, LISTED_WITH),
            None if figures.requested_as_of is None else figures.entry.as_of,
            context.texts["present"],
            context.formats,
        ),
        "quarters": None,
        "view": replace(page_view(data, context.writer, habit_chart(data, context)), tables=[]),
        "cards": CardWriter(context.writer),
        "profile": profile_view(
            result,
            data,
            _statement_days(connection, result),
            _context(connection, result, CERTIFICATES_PATH),
        ),
    }

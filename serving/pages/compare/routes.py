"""The page of values side by side: one read of the cache, written on the server."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template

from kpi_pipeline.model.compare import FEWEST_COMPARED, is_month
from kpi_pipeline.model.dimensions import MONTH
from serving.as_of import AS_OF
from serving.cache_access import Connection, current_connection
from serving.compare.look_up import (
    CompareResult,
    compare_request,
    compared_product,
    look_up_comparison,
)
from serving.compare.parameters import CompareRequest
from serving.kept.unkept import page_answer
from serving.lookup import look_up
from serving.lookup_result import LookupResult
from serving.pages.addresses import COMPARE_API_PATH, COMPARE_PATH, PageAddress
from serving.pages.compare.figures import figures_of
from serving.pages.compare.files import COMPARE_FILES
from serving.pages.compare.view import CompareWriter
from serving.pages.compare_links import compared_label, value_label
from serving.pages.context import PageContext
from serving.pages.figure_page import common_values, page_context, page_parameters
from serving.pages.filters.form import Option, chips
from serving.pages.filters.period_choice import month_end_options
from serving.pages.selection import parameters_of
from serving.pages.standing import month_ends
from serving.responses import requested_language

PAGE: Final = "compare"
_RELOAD_S: Final = 3

routes: Final = Blueprint("compare", __name__)


@routes.get(COMPARE_PATH)
def compare() -> Response:
    """Values side by side, or what can be chosen."""
    parameters, connection = page_parameters(), current_connection()
    asked = compare_request(connection, parameters)
    result = look_up_comparison(connection, asked) if len(asked.values) >= FEWEST_COMPARED else None
    as_of = [] if asked.as_of is None else [(AS_OF, asked.as_of.isoformat())]
    figures = look_up(connection, compared_product(), as_of) if result is None else result.figures
    body = render_template("compare.html", **_values(connection, asked, result, figures))
    return page_answer(figures, body)


def _values(
    connection: Connection, asked: CompareRequest, result: CompareResult | None, figures: LookupResult
) -> dict[str, Any]:
    """What the template shows."""
    product, language = figures.lookup.product, requested_language()
    catalogue = connection.catalogues.on(product, asked.as_of)
    selection = asked.filter.as_dict()
    address = PageAddress(COMPARE_PATH, language, asked.as_of, tuple(asked.parameters()))
    context = page_context(catalogue, selection, address, replace(address, kept=()))
    filter_parameters = parameters_of(catalogue, selection)
    api = replace(address, path=COMPARE_API_PATH, language=None).of(filter_parameters)
    figures_url = api if result else replace(address, path=COMPARE_API_PATH, language=None, kept=()).of(())
    labels = [value_label(asked.dimension, value, context.writer) for value in asked.values]
    title = context.texts["compare"]
    held = [] if result is None else figures_of(connection, result)
    return {
        **common_values(connection, figures, context, page=PAGE, figures_url=figures_url),
        # What is missing is a column, not the page.
        "missing": False,
        "title": title,
        "filter_label": compared_label(labels, selection, context),
        "reload_s": _RELOAD_S if result is not None and result.is_missing else None,
        "present_url": replace(address, as_of=None).of(()),
        "month_ends": _month_ends(connection, asked, figures, context),
        "chips": chips(context),
        "clear_url": address.of(()),
        "filter_parameters": filter_parameters,
        "compare_dimension": asked.dimension,
        "compare_as_of": "" if asked.as_of is None else asked.as_of.isoformat(),
        "compare": CompareWriter(asked, context, COMPARE_FILES).view(result, held),
    }


def _month_ends(
    connection: Connection, asked: CompareRequest, figures: LookupResult, context: PageContext
) -> list[Option]:
    """The month ends that can be chosen: none under a filter or of quarters, which they do not keep."""
    is_single = asked.dimension != MONTH.name or all(map(is_month, asked.values))
    kept = month_ends(connection, figures.lookup.product) if is_single and not asked.filter.terms else ()
    shown = None if asked.as_of is None else figures.entry.as_of
    return month_end_options(kept, shown, context.texts["present"], context.formats)

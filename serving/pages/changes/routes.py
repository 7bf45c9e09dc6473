"""The page of what changed between two days: one look-up, written on the server."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template

from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS
from kpi_pipeline.model.listing import LISTED_WITH
from serving.bridge.look_up import BridgeResult, look_up_bridge
from serving.bridge.parameters import fault
from serving.cache_access import Connection, current_connection
from serving.kept.unkept import page_answer
from serving.lookup_result import task_reference
from serving.pages.addresses import CHANGES_API_PATH, CHANGES_PATH, PageAddress
from serving.pages.changes.end_lists import EndLists
from serving.pages.changes.view import BridgeWriter
from serving.pages.context import PageContext
from serving.pages.downloads.bridge_files import BRIDGE_FILES
from serving.pages.figure_page import common_values, page_context, page_parameters
from serving.pages.filters.form import chips
from serving.pages.page_data import filter_label
from serving.pages.selection import parameters_of
from serving.responses import requested_language

PAGE: Final = "changes"

FILTER: Final = "filter"
"""The parameter of the page's form: a filter as `dimension=value`."""

_RELOAD_S: Final = 3
"""Seconds after which a page without scripts looks again for a bridge that is being computed."""

routes: Final = Blueprint("changes", __name__)


@routes.get(CHANGES_PATH)
def changes() -> Response:
    """What changed."""
    parameters, connection = _parameters(), current_connection()
    result = look_up_bridge(connection, parameters)
    body = render_template("changes.html", **_values(connection, result))
    return page_answer(result.figures, body)


def _parameters() -> list[tuple[str, str]]:
    """The query parameters, the filter of the form among them as any other."""
    pairs: list[tuple[str, str]] = []
    for name, value in page_parameters():
        if name == FILTER:
            dimension, is_filter, chosen = value.partition("=")
            if value and (not is_filter or dimension not in BRIDGE_DIMENSIONS):
                raise fault(FILTER, value, [f"{one}=…" for one in BRIDGE_DIMENSIONS])
            pairs += [(dimension, chosen)] if is_filter else []
        else:
            pairs.append((name, value))
    return pairs


def _context(connection: Connection, result: BridgeResult) -> PageContext:
    catalogue, requested = connection.catalogues.of(LISTED_WITH), result.figures.requested
    kept = tuple(result.request.listing().parameters())
    address = PageAddress(CHANGES_PATH, requested_language(), kept=kept)
    return page_context(catalogue, requested, address, address)


def _values(connection: Connection, result: BridgeResult) -> dict[str, Any]:
    """What the template shows."""
    figures, context = result.figures, _context(connection, result)
    address = context.address
    figures_url = replace(address, path=CHANGES_API_PATH, language=None)
    return {
        **common_values(
            connection,
            figures,
            context,
            page=PAGE,
            figures_url=figures_url.of(parameters_of(context.catalogue, figures.requested)),
            itself=replace(address, kept=tuple(result.request.parameters())),
        ),
        "title": context.texts["changes"],
        "reload_s": _RELOAD_S if result.is_missing else None,
        "missing_text": context.texts["bridge_missing"],
        "filter_label": filter_label(context.catalogue, figures.answered, context.writer),
        "task": task_reference(figures.task_id),
        "present_url": "",
        "chips": chips(context),
        "clear_url": address.of(()),
        "bridge": BridgeWriter(
            result, context, EndLists.of(connection, result, context), BRIDGE_FILES
        ).view(),
    }

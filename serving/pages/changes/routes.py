"""The page of what changed between two days: one look-up, written on the server."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.moments import as_iso
from serving.bridge.look_up import BridgeResult, look_up_bridge
from serving.bridge.parameters import fault
from serving.cache_access import Connection, current_connection, current_settings
from serving.freshness_headers import age_s
from serving.kept.unkept import page_answer
from serving.lookup_result import task_reference
from serving.pages.addresses import CHANGES_API_PATH, CHANGES_PATH, PageAddress
from serving.pages.changes.view import BridgeWriter
from serving.pages.context import PageContext
from serving.pages.downloads.bridge_files import BRIDGE_FILES
from serving.pages.drill_down import DrillDown
from serving.pages.filters.form import option_counts
from serving.pages.formats import ago
from serving.pages.live_state import TASK_PARAMETER, refreshing
from serving.pages.page_data import filter_label, pages_on
from serving.pages.page_facts import facts_of
from serving.pages.page_frame import page_frame
from serving.pages.selection import parameters_of
from serving.pages.writing import writer_for
from serving.responses import LANGUAGE_PARAMETER, reader_language, requested_language

PAGE: Final = "changes"

FILTER: Final = "filter"
"""The parameter of the page's form: a filter as `dimension=value`."""

_RELOAD_S: Final = 3
"""Seconds after which a page without scripts looks again for a bridge that is being computed."""

_OWN_PARAMETERS: Final = (LANGUAGE_PARAMETER, TASK_PARAMETER)

routes: Final = Blueprint("changes", __name__)


@routes.get(CHANGES_PATH)
def changes() -> Response:
    """What changed."""
    reader_language()  # before anything is requested of the pipeline
    connection = current_connection()
    result = look_up_bridge(connection, _parameters())
    body = render_template("changes.html", **_values(connection, result))
    return page_answer(result.figures, body)


def _parameters() -> list[tuple[str, str]]:
    """The query parameters, the filter of the form among them as any other."""
    pairs: list[tuple[str, str]] = []
    for name, value in request.args.items(multi=True):
        if name == FILTER:
            dimension, is_filter, chosen = value.partition("=")
            if value and (not is_filter or dimension not in BRIDGE_DIMENSIONS):
                raise fault(FILTER, value, [f"{one}=…" for one in BRIDGE_DIMENSIONS])
            pairs += [(dimension, chosen)] if is_filter else []
        elif name not in _OWN_PARAMETERS:
            pairs.append((name, value))
    return pairs


def _context(connection: Connection, result: BridgeResult) -> PageContext:
    catalogue, requested = connection.catalogues.of(LISTED_WITH), result.figures.requested
    kept = tuple(result.request.listing().parameters())
    address = PageAddress(CHANGES_PATH, requested_language(), kept=kept)
    drill_down = DrillDown(catalogue, requested, address)
    writer = writer_for(reader_language(), catalogue, current_settings().timezone, drill_down)
    return PageContext(catalogue, requested, address, writer, option_counts(catalogue, None, {}))


def _values(connection: Connection, result: BridgeResult) -> dict[str, Any]:
    """What the template shows."""
    figures, context = result.figures, _context(connection, result)
    address, writer = context.address, context.writer
    refresh = refreshing(connection.pipeline_client, request.args.get(TASK_PARAMETER, ""), figures.now)
    figures_url = replace(address, path=CHANGES_API_PATH, language=None)
    facts = facts_of(
        figures,
        page=PAGE,
        figures_url=figures_url.of(parameters_of(context.catalogue, figures.requested)),
        refresh=refresh,
        context=context,
    )
    itself = replace(address, kept=tuple(result.request.parameters()))
    return {
        **page_frame(connection, pages_on(connection, None), figures, context, refresh, itself),
        "page_name": PAGE,
        "title": context.texts["changes"],
        "reload_s": _RELOAD_S if result.is_missing else None,
        "missing_text": context.texts["bridge_missing"],
        "ago": ago(age_s(figures.entry, figures.now), context.language),
        "filter_label": filter_label(context.catalogue, figures.answered, writer),
        "task": task_reference(figures.task_id),
        # The whole product is refreshed: bridges are computed together.
        "refreshed": (),
        "facts": {**facts, "now": as_iso(figures.now)},
        "present_url": "",
        "bridge": BridgeWriter(result, context, BRIDGE_FILES).view(),
    }

"""The page of the list of certificates: one look-up, written on the server, useful without JavaScript."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.moments import as_iso
from serving.cache_access import Connection, current_connection, current_settings
from serving.freshness_headers import age_s
from serving.kept.current import current_kept
from serving.listing.look_up import ListResult, look_up_list
from serving.pages.addresses import (
    CERTIFICATES_API_PATH,
    CERTIFICATES_PATH,
    PageAddress,
)
from serving.pages.certificates.view import ListWriter
from serving.pages.context import PageContext
from serving.pages.downloads.about import list_label
from serving.pages.downloads.certificate_files import CERTIFICATE_FILES
from serving.pages.drill_down import DrillDown
from serving.pages.filters.form import chips, choices, option_counts
from serving.pages.formats import ago
from serving.pages.live_state import TASK_PARAMETER, refreshing
from serving.pages.page_data import pages_on
from serving.pages.page_facts import facts_of
from serving.pages.page_frame import page_frame
from serving.pages.selection import parameters_of
from serving.pages.writing import writer_for
from serving.responses import LANGUAGE_PARAMETER, reader_language, requested_language

PAGE: Final = "certificates"

_OWN_PARAMETERS: Final = (LANGUAGE_PARAMETER, TASK_PARAMETER)

routes: Final = Blueprint("certificate_list", __name__)


@routes.get(CERTIFICATES_PATH)
def certificate_list() -> Response:
    """A page of the list."""
    reader_language()  # before anything is requested of the pipeline
    connection = current_connection()
    parameters = [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN_PARAMETERS]
    result = look_up_list(connection, parameters)
    asked = result.request
    if asked.offset:
        # Fewer certificates than when the address was written: the last page that there is.
        last = max(result.certificates.totals(result.selection).count - 1, 0) // asked.limit * asked.limit
        result = replace(result, request=asked.at(min(asked.offset, last)))
    body = render_template("certificates.html", **_values(connection, result))
    headers = [
        (name, "private, no-cache" if name == "Cache-Control" else value)
        for name, value in current_kept().stamps.of(result.figures).headers
    ]
    headers.append(("Vary", "Accept-Language, Accept-Encoding"))
    return Response(body, headers=headers, mimetype="text/html")


def _context(connection: Connection, result: ListResult) -> PageContext:
    catalogue, requested = connection.catalogues.of(LISTED_WITH), result.figures.requested
    kept = tuple(result.request.at(0).parameters())
    address = PageAddress(CERTIFICATES_PATH, requested_language(), kept=kept)
    drill_down = DrillDown(catalogue, requested, address)
    writer = writer_for(reader_language(), catalogue, current_settings().timezone, drill_down)
    return PageContext(catalogue, requested, address, writer, option_counts(catalogue, None, {}))


def _values(connection: Connection, result: ListResult) -> dict[str, Any]:
    """What the template shows."""
    figures, context = result.figures, _context(connection, result)
    address, writer = context.address, context.writer
    listing = ListWriter(result, context, CERTIFICATE_FILES)
    refresh = refreshing(connection.pipeline_client, request.args.get(TASK_PARAMETER, ""), figures.now)
    figures_url = replace(address, path=CERTIFICATES_API_PATH, language=None)
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
        "title": context.texts["certificate_list"],
        "reload_s": None,
        "ago": ago(age_s(figures.entry, figures.now), context.language),
        "filter_label": list_label(result, writer),
        "task": None,
        # The whole product is refreshed: the list is not precomputed for a filter.
        "refreshed": (),
        "choices": [*choices(context), *listing.choices()],
        "chips": [*chips(context), *listing.chips()],
        "facts": {**facts, "now": as_iso(figures.now)},
        "clear_url": PageAddress(CERTIFICATES_PATH, address.language).of(()),
        "present_url": "",
        "month_ends": (),
        "list": listing.view(),
    }

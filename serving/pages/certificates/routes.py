"""The pages of certificates: one look-up each, written on the server, useful without JavaScript."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.moments import as_iso
from serving.cache_access import Connection, current_connection, current_settings
from serving.freshness_headers import age_s
from serving.kept.unkept import page_answer
from serving.listing.detail import CertificateDetail, certificate_path, look_up_certificate
from serving.listing.look_up import ListResult, look_up_list
from serving.pages.addresses import (
    CERTIFICATES_API_PATH,
    CERTIFICATES_PATH,
    PageAddress,
)
from serving.pages.certificates.detail_view import detail_view
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
    return _page(result, render_template("certificates.html", **_values(connection, result)))


@routes.get(f"{CERTIFICATES_PATH}/<path:project>/<number>")
def certificate(project: str, number: str) -> Response:
    """One certificate."""
    reader_language()  # before anything is requested of the pipeline
    connection = current_connection()
    parameters = [pair for pair in request.args.items(multi=True) if pair[0] not in _OWN_PARAMETERS]
    found = look_up_certificate(connection, project, number, parameters)
    return _page(found.listed, render_template("certificate.html", **_detail_values(connection, found)))


def _page(result: ListResult, body: str) -> Response:
    return page_answer(result.figures, body)


def _context(result: ListResult, connection: Connection, path: str) -> PageContext:
    catalogue, requested = connection.catalogues.of(LISTED_WITH), result.figures.requested
    kept = tuple(result.request.at(0).parameters())
    address = PageAddress(path, requested_language(), kept=kept)
    # Names lead to the list.
    drill_down = DrillDown(catalogue, requested, replace(address, path=CERTIFICATES_PATH))
    writer = writer_for(reader_language(), catalogue, current_settings().timezone, drill_down)
    return PageContext(catalogue, requested, address, writer, option_counts(catalogue, None, {}))


def _shared_values(
    connection: Connection, result: ListResult, context: PageContext, api_path: str, itself: PageAddress
) -> dict[str, Any]:
    """What the templates of the list and of a certificate show alike."""
    figures, address = result.figures, context.address
    refresh = refreshing(connection.pipeline_client, request.args.get(TASK_PARAMETER, ""), figures.now)
    figures_url = replace(address, path=api_path, language=None)
    facts = facts_of(
        figures,
        page=PAGE,
        figures_url=figures_url.of(parameters_of(context.catalogue, figures.requested)),
        refresh=refresh,
        context=context,
    )
    return {
        **page_frame(connection, pages_on(connection, None), figures, context, refresh, itself),
        "page_name": PAGE,
        "reload_s": None,
        "ago": ago(age_s(figures.entry, figures.now), context.language),
        "task": None,
        # The whole product is refreshed: the list is not precomputed for a filter.
        "refreshed": (),
        "facts": {**facts, "now": as_iso(figures.now)},
    }


def _values(connection: Connection, result: ListResult) -> dict[str, Any]:
    """What the template of the list shows."""
    context = _context(result, connection, CERTIFICATES_PATH)
    listing = ListWriter(result, context, CERTIFICATE_FILES)
    itself = replace(context.address, kept=tuple(result.request.parameters()))
    return {
        **_shared_values(connection, result, context, CERTIFICATES_API_PATH, itself),
        "title": context.texts["certificate_list"],
        "filter_label": list_label(result, context.writer),
        "choices": [*choices(context), *listing.choices()],
        "chips": [*chips(context), *listing.chips()],
        "clear_url": PageAddress(CERTIFICATES_PATH, context.address.language).of(()),
        "present_url": "",
        "month_ends": (),
        "list": listing.view(),
    }


def _detail_values(connection: Connection, found: CertificateDetail) -> dict[str, Any]:
    """What the template of a certificate shows."""
    project, number = found.text("project"), found.text("number")
    path, api_path = (
        certificate_path(base, project, number) for base in (CERTIFICATES_PATH, CERTIFICATES_API_PATH)
    )
    context = _context(found.listed, connection, path)
    view = detail_view(found, context)
    return {
        **_shared_values(connection, found.listed, context, api_path, context.address),
        "title": view.title,
        "filter_label": view.title,
        "list_url": PageAddress(CERTIFICATES_PATH, context.address.language).of(()),
        "certificate": view,
    }

"""The pages of certificates: one look-up each, written on the server, useful without JavaScript."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.model.listing import LISTED_WITH
from serving.cache_access import Connection, current_connection
from serving.kept.unkept import page_answer
from serving.listing.detail import CertificateDetail, certificate_path, look_up_certificate
from serving.listing.look_up import ListResult, look_up_list
from serving.listing.parameters import canonical_parameters
from serving.pages.addresses import (
    CERTIFICATES_API_PATH,
    CERTIFICATES_PATH,
    PageAddress,
    with_query,
)
from serving.pages.certificates.detail_view import detail_view
from serving.pages.certificates.view import ListWriter
from serving.pages.context import PageContext
from serving.pages.downloads.about import list_label, list_title
from serving.pages.downloads.certificate_files import CERTIFICATE_FILES
from serving.pages.figure_page import common_values, page_context, page_parameters
from serving.pages.filters.form import Option, chips, choices
from serving.pages.filters.period_choice import month_end_options
from serving.pages.selection import parameters_of
from serving.pages.standing import listed_month_ends
from serving.responses import requested_language

PAGE: Final = "certificates"

routes: Final = Blueprint("certificate_list", __name__)


@routes.get(CERTIFICATES_PATH)
def certificate_list() -> AnyResponse:
    """A page of the list, at the one address that it has."""
    given = list(request.args.items(multi=True))
    if (canonical := canonical_parameters(given)) != given:
        return redirect(with_query(CERTIFICATES_PATH, canonical))
    parameters, connection = page_parameters(), current_connection()
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
    parameters, connection = page_parameters(), current_connection()
    found = look_up_certificate(connection, project, number, parameters)
    return _page(found.listed, render_template("certificate.html", **_detail_values(connection, found)))


def _page(result: ListResult, body: str) -> Response:
    return page_answer(result.figures, body)


def _context(result: ListResult, connection: Connection, path: str) -> PageContext:
    figures, kept = result.figures, tuple(result.request.at(0).parameters())
    catalogue, requested = connection.catalogues.on(LISTED_WITH, figures.requested_as_of), figures.requested
    address = PageAddress(path, requested_language(), figures.requested_as_of, kept)
    # Names lead to the list.
    return page_context(catalogue, requested, address, replace(address, path=CERTIFICATES_PATH))


def _shared_values(
    connection: Connection, result: ListResult, context: PageContext, api_path: str, itself: PageAddress
) -> dict[str, Any]:
    """What the templates of the list and of a certificate show alike."""
    figures = result.figures
    figures_url = replace(context.address, path=api_path, language=None)
    return common_values(
        connection,
        figures,
        context,
        page=PAGE,
        figures_url=figures_url.of(parameters_of(context.catalogue, figures.requested)),
        itself=itself,
    )


def _values(connection: Connection, result: ListResult) -> dict[str, Any]:
    """What the template of the list shows."""
    context = _context(result, connection, CERTIFICATES_PATH)
    listing = ListWriter(result, context, CERTIFICATE_FILES)
    itself = replace(context.address, kept=tuple(result.request.parameters()))
    return {
        **_shared_values(connection, result, context, CERTIFICATES_API_PATH, itself),
        "title": list_title(result.request, context.writer),
        "filter_label": list_label(result, context.writer),
        "choices": [*choices(context), *listing.choices()],
        "chips": [*chips(context), *listing.chips()],
        "clear_url": replace(context.address, kept=()).of(()),
        "present_url": _present_url(context, itself),
        "month_ends": _month_ends(connection, result, context),
        "list": listing.view(),
    }


def _present_url(context: PageContext, itself: PageAddress) -> str:
    """The same page of the present."""
    return replace(itself, as_of=None).of(parameters_of(context.catalogue, context.selection))


def _month_ends(connection: Connection, result: ListResult, context: PageContext) -> list[Option]:
    """The month ends that can be chosen: those with a list, none for what is of today alone."""
    figures = result.figures
    shown = None if figures.requested_as_of is None else figures.entry.as_of
    days = () if result.request.derived else listed_month_ends(connection)
    return month_end_options(days, shown, context.texts["present"], context.formats)


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
        "present_url": _present_url(context, context.address),
        "list_url": replace(context.address, path=CERTIFICATES_PATH).of(()),
        "certificate": view,
    }

"""The page of the list of certificates: one look-up, written on the server, useful without JavaScript."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from kpi_pipeline.model.labels import LANGUAGES
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.moments import as_iso
from serving.cache_access import Connection, current_connection, current_settings
from serving.freshness_headers import age_s
from serving.kept.current import current_kept
from serving.listing.look_up import ListResult, look_up_list
from serving.pages.addresses import (
    CERTIFICATES_API_PATH,
    CERTIFICATES_PATH,
    SYSTEM_PATH,
    PageAddress,
    page_path,
)
from serving.pages.certificates.view import ListWriter
from serving.pages.context import PageContext
from serving.pages.downloads.about import list_label
from serving.pages.downloads.certificate_files import CERTIFICATE_FILES
from serving.pages.drill_down import DrillDown
from serving.pages.filters.form import chips, choices, option_counts
from serving.pages.filters.period_choice import period_choice
from serving.pages.formats import ago
from serving.pages.live_state import TASK_PARAMETER, live_state, refreshing
from serving.pages.page_data import pages_on
from serving.pages.page_facts import facts_of
from serving.pages.reading_notices import reading_notices
from serving.pages.selection import parameters_of
from serving.pages.source_notices import held_notice, refused_notices
from serving.pages.standing import shown_source
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
    address, writer, texts, formats = context.address, context.writer, context.texts, context.formats
    catalogue, entry = context.catalogue, figures.entry
    requested = parameters_of(catalogue, figures.requested)
    listing = ListWriter(result, context, CERTIFICATE_FILES)
    refresh = refreshing(connection.pipeline_client, request.args.get(TASK_PARAMETER, ""), figures.now)
    readings, pages = shown_source(connection, figures), pages_on(connection, None)
    other = next(language for language in LANGUAGES if language != context.language)
    plain = PageAddress("", address.language)
    facts = facts_of(
        figures,
        page=PAGE,
        figures_url=replace(address, path=CERTIFICATES_API_PATH, language=None).of(requested),
        refresh=refresh,
        context=context,
    )
    return {
        "language": context.language,
        "requested_language": address.language,
        "other_language": other,
        "other_language_url": replace(address, language=other, kept=tuple(result.request.parameters())).of(
            requested
        ),
        "page_name": PAGE,
        "product": LISTED_WITH,
        "page_path": CERTIFICATES_PATH,
        "title": texts["certificate_list"],
        "links": [
            *(
                (writer.label(one), replace(plain, path=page_path(one.name)).of(requested), False)
                for one in pages
            ),
            (texts["certificate_list"], address.of(requested), True),
        ],
        "live": live_state(figures, refresh, writer),
        "reload_s": None,
        "refresh": refresh,
        "missing": False,
        "stale": figures.state.value == "stale",
        "historic": False,
        "held": held_notice(readings, writer),
        "readings": reading_notices(figures.readings, LISTED_WITH, pages, writer),
        "refused": [] if entry.rolled_back_at is not None else refused_notices(readings, writer),
        "as_of": formats.day(entry.as_of),
        "computed": texts["computed"].format(moment=formats.moment(entry.computed_at)),
        "ago": ago(age_s(entry, figures.now), context.language),
        "filter_label": list_label(result, writer),
        "system_url": PageAddress(SYSTEM_PATH, address.language).of(()),
        "task": None,
        # The whole product is refreshed: the list is not precomputed for a filter.
        "refreshed": (),
        "when": period_choice(context),
        "choices": [*choices(context), *listing.choices()],
        "chips": [*chips(context), *listing.chips()],
        "facts": {**facts, "now": as_iso(figures.now)},
        "clear_url": replace(plain, path=CERTIFICATES_PATH).of(()),
        "present_url": "",
        "month_ends": (),
        "list": listing.view(),
    }

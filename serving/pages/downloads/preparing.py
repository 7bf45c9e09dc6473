"""The answer in place of a file whose figures are being computed: for programs JSON, for people a page."""

from typing import Final

from flask import Response, render_template, request

from kpi_pipeline.model.labels import LANGUAGES
from serving.freshness_headers import RETRY_S
from serving.lookup_result import LookupResult
from serving.problems import RequestedPage
from serving.responses import json_response, prefers_page, reader_language

_VARY: Final = "Accept, Accept-Language"


def preparing_answer(figures: LookupResult) -> Response:
    """Answer the present request for a file that is not there yet.

    A page loads its own address again until the file comes; the browser then keeps it and stays on the page.

    Args:
        figures: What is known of its figures: they are missing.
    """
    headers = {**figures.headers(), "Vary": _VARY}
    if not prefers_page(request.headers.get("Accept", "")):
        return json_response({"data": None, "meta": figures.meta()}, figures.status, headers)
    language, page = reader_language(), RequestedPage.of_request()
    other = next(one for one in LANGUAGES if one != language)
    body = render_template(
        "preparing.html",
        language=language,
        other_language=other,
        other_language_url=page.in_language(other),
        reload_s=RETRY_S,
        file_url=page.in_language(language),
    )
    return Response(body, figures.status, headers, mimetype="text/html")

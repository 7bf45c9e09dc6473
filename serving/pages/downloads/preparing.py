"""The answer in place of a file whose figures are being computed: for programs JSON, for people a page."""

from typing import Final

from flask import Response

from serving.freshness_headers import RETRY_S
from serving.lookup_result import LookupResult
from serving.problems import is_for_programs
from serving.requested_page import RequestedPage
from serving.responses import json_response

_VARY: Final = "Accept, Accept-Language"


def preparing_answer(figures: LookupResult) -> Response:
    """Answer the present request for a file that is not there yet.

    A page loads its own address again until the file comes; the browser then keeps it and stays on the page.

    Args:
        figures: What is known of its figures: they are missing.
    """
    headers = {**figures.headers(), "Vary": _VARY}
    if is_for_programs():
        return json_response({"data": None, "meta": figures.meta()}, figures.status, headers)
    page = RequestedPage.of_request()
    body = page.message("preparing.html", reload_s=RETRY_S, file_url=page.in_language(page.language))
    return Response(body, figures.status, headers, mimetype="text/html")

"""The OpenAPI document, and a page on which to try the operations that it describes."""

from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template

from serving.access.identity import current_identity
from serving.api.openapi.document import encoded_document
from serving.api.openapi.operations import DOCUMENT_PATH, EXPLORER_PATH
from serving.api.openapi.swagger_ui import ASSETS_PATH, swagger_ui_files, swagger_ui_urls
from serving.responses import immutable_response, not_modified, reader_language, requested_encoding

routes: Final = Blueprint("openapi", __name__)


@routes.get(DOCUMENT_PATH)
def openapi() -> Response:
    """The document."""
    encoded = encoded_document()
    headers = {"ETag": f'"{encoded.digest}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if (unchanged := not_modified(headers)) is not None:
        return unchanged
    encoding = requested_encoding()
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(encoded.bodies[encoding], headers=headers, content_type="application/json")


@routes.get(EXPLORER_PATH)
def explorer() -> Response:
    """The page."""
    page = render_template(
        "api.html",
        language=reader_language(),
        urls=swagger_ui_urls(),
        document_path=DOCUMENT_PATH,
        csrf=current_identity().csrf,
    )
    return make_response(page, {"Cache-Control": "no-store", "Vary": "Accept-Language"})


@routes.get(f"{ASSETS_PATH}/<digest>/<name>")
def asset(digest: str, name: str) -> Response:
    """One file of the page."""
    file = swagger_ui_files().get(f"{ASSETS_PATH}/{digest}/{name}")
    if file is None:
        abort(404)
    return immutable_response(file.digest, file.mimetype, file.bodies.__getitem__)

"""Files that the pipeline publishes for pages, each at an address that never changes what it gives."""

from typing import Final

from flask import Blueprint, Response, abort, request

from serving.cache_access import CacheAccess
from serving.freshness import IMMUTABLE
from serving.negotiation import choose_encoding

_PREFIX: Final = "/static/published"


def published_file_path(digest: str) -> str:
    """Where the file of a digest is."""
    return f"{_PREFIX}/{digest}"


def published_file_routes(access: CacheAccess) -> Blueprint:
    """The route of published files.

    Args:
        access: The cache.
    """
    routes = Blueprint("published_files", __name__)

    @routes.get(f"{_PREFIX}/<digest>")
    def published_file(digest: str) -> Response:
        file = access.current().files.read(digest)
        if file is None:
            abort(404)
        headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{digest}"', "Vary": "Accept-Encoding"}
        if request.if_none_match.contains_raw(headers["ETag"]):
            return Response(status=304, headers=headers)
        encoding = choose_encoding(request.headers.get("Accept-Encoding", ""))
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        return Response(file.body(encoding), headers=headers, mimetype=file.mimetype)

    return routes

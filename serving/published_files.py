"""Files that the pipeline publishes for pages, each at an address that never changes what it gives."""

from typing import Final

from flask import Blueprint, Response, abort

from serving.cache_access import CacheAccess
from serving.immutable import immutable_answer

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
        return immutable_answer(digest, file.mimetype, file.body)

    return routes

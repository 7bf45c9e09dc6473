"""Style sheets and pictures of the pages, addressed by the hash of their content."""

from hashlib import blake2b
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, request

from serving.freshness import IMMUTABLE

_FOLDER: Final = Path(__file__).with_name("static")


class Assets:
    """The files, read once: a changed file is a new address after a restart."""

    def __init__(self) -> None:
        contents = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir())}
        self._urls = {name: f"/static/{_digest(content)}/{name}" for name, content in contents.items()}
        self._contents = {self._urls[name]: content for name, content in contents.items()}

    def url(self, name: str) -> str:
        """The address of a file.

        Raises:
            KeyError: If there is no such file.
        """
        return self._urls[name]

    def routes(self) -> Blueprint:
        """The route under which the files are served."""
        routes = Blueprint("assets", __name__)

        @routes.get("/static/<digest>/<name>")
        def asset(digest: str, name: str) -> Response:
            content = self._contents.get(f"/static/{digest}/{name}")
            if content is None:
                abort(404)
            headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{digest}"'}
            if request.if_none_match.contains_raw(headers["ETag"]):
                return Response(status=304, headers=headers)
            return Response(content, headers=headers, mimetype=guess_type(name)[0])

        return routes


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()

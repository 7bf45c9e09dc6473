"""Compression of what is not stored compressed: pages, style sheets and scripts."""

from typing import Final

import zstandard
from flask import Flask, Response, request
from isal import igzip

from serving.negotiation import Encoding, choose_encoding

_SMALLEST: Final = 1_024
"""Bytes below which compressing is not worth it."""


def compressed(content: bytes, encoding: Encoding) -> bytes:
    """A body in an encoding that a client accepts."""
    if encoding == "zstd":
        return zstandard.compress(content)
    if encoding == "gzip":
        return igzip.compress(content)
    return content


def compress_pages(app: Flask) -> None:
    """Let every page be sent in the best encoding that its reader accepts."""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype != "text/html" or "Content-Encoding" in response.headers:
            return response
        response.vary.add("Accept-Encoding")
        encoding = choose_encoding(request.headers.get("Accept-Encoding", ""))
        if encoding != "identity" and (response.content_length or 0) >= _SMALLEST:
            response.set_data(compressed(response.get_data(), encoding))
            response.headers["Content-Encoding"] = encoding
        return response

"""Answers whose address is the hash of their content: what they say never changes."""

from collections.abc import Callable

from flask import Response, request

from serving.freshness import IMMUTABLE
from serving.negotiation import Encoding, choose_encoding


def immutable_answer(digest: str, mimetype: str, body: Callable[[Encoding], bytes]) -> Response:
    """Answer for ever, or confirm that the client has it.

    Args:
        digest: Of the content.
        mimetype: Its media type.
        body: Gives the content in an encoding.
    """
    headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{digest}"', "Vary": "Accept-Encoding"}
    if request.if_none_match.contains_raw(headers["ETag"]):
        return Response(status=304, headers=headers)
    encoding = choose_encoding(request.headers.get("Accept-Encoding", ""))
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body(encoding), headers=headers, mimetype=mimetype)

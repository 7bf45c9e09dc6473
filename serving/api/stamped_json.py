"""JSON answers that state how fresh their figures are, and confirm what a client has of them."""

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, request

from serving.freshness_headers import entity_tag
from serving.kept.current import current_kept
from serving.lookup_result import LookupResult
from serving.responses import compressed, has_tag, requested_encoding


def stamped_json(figures: LookupResult, digest: str, document: Callable[[], dict[str, Any]]) -> Response:
    """Answer the present request.

    Args:
        figures: Of which generation the answer is.
        digest: Of what the answer holds: equal for equal ones.
        document: Makes it; not called where the client has it.
    """
    stamp = current_kept().stamps.of(figures)
    tag = entity_tag(f"{digest}-{stamp.mark}", figures.state)
    headers = [*stamp.headers, ("Vary", "Accept-Encoding"), ("ETag", tag)]
    if has_tag(request.headers.get("If-None-Match", ""), tag):
        return Response(status=304, headers=headers)
    encoding = requested_encoding()
    if encoding != "identity":
        headers.append(("Content-Encoding", encoding))
    body = compressed(orjson.dumps(document()), encoding)
    return Response(body, headers=headers, content_type="application/json")

"""The figures of each product: stored bytes passed through, completed with their live meta."""

from functools import partial
from hashlib import blake2b
from typing import Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from serving.cache_access import current_connection
from serving.freshness_headers import entity_tag
from serving.lookup import LookupResult, look_up, unreadable
from serving.pages.addresses import API_PATH, PRODUCT_PATHS
from serving.responses import not_modified, requested_encoding

routes: Final = Blueprint("products", __name__, url_prefix=API_PATH)


def _figures(product: str) -> Response:
    connection = current_connection()
    result = look_up(connection, product, list(request.args.items(multi=True)))
    headers = result.headers()
    headers["Vary"] = "Accept-Encoding"
    if result.state is not AnswerState.MISSING:  # a wider answer is never confirmed as unchanged
        headers["ETag"] = entity_tag(_identity(result), result.state)
        if (unchanged := not_modified(headers)) is not None:
            return unchanged
    encoding = requested_encoding()
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    try:
        body = result.payload.body(encoding, result.meta())
    except CorruptPayload as error:
        raise unreadable(connection, product) from error
    return Response(body, result.status, headers, content_type="application/json")


def _identity(result: LookupResult) -> str:
    """What differs between two bodies, but for the seconds that pass: a confirmed one has newer times."""
    entry, readings = result.entry, result.readings
    marks = readings.as_dict() if readings.mixed or readings.rolled_back else ""
    told = blake2b(f"{entry.reading} {marks}".encode(), digest_size=8).hexdigest()
    return f"{result.payload.digest}-{entry.as_of}-{entry.verified_at:.0f}-{told}"


for _path, _product in PRODUCT_PATHS.items():
    routes.add_url_rule(f"/{_path}", _path, partial(_figures, _product))

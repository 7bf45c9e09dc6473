"""The figures of each product: stored bytes passed through, finished with their live meta."""

from functools import partial
from typing import Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.manifest import AnswerState
from serving.cache_access import CacheAccess
from serving.freshness import entity_tag
from serving.lookup import look_up, unreadable
from serving.negotiation import choose_encoding

PRODUCT_PATHS: Final = {
    "kpis": "kpis",
    "dashboard": "dashboards",
    "charts": "charts",
    "financials": "financials",
}
"""Last part of each address, and the product it gives."""

_LAST_PARTS: Final = {product: path for path, product in PRODUCT_PATHS.items()}


_PREFIX: Final = "/manager/api"


def product_path(product: str) -> str:
    """Where the figures of a product are.

    Raises:
        KeyError: If there is no such product.
    """
    return f"{_PREFIX}/{_LAST_PARTS[product]}"


def product_routes(access: CacheAccess) -> Blueprint:
    """Routes under /manager/api, one a product.

    Args:
        access: The cache.
    """
    routes = Blueprint("products", __name__, url_prefix=_PREFIX)
    for path, product in PRODUCT_PATHS.items():
        routes.add_url_rule(f"/{path}", path, partial(_figures, access, product))
    return routes


def _figures(access: CacheAccess, product: str) -> Response:
    connection = access.current()
    result = look_up(connection, product, list(request.args.items(multi=True)))
    headers = result.headers()
    headers["Vary"] = "Accept-Encoding"
    if result.state is not AnswerState.MISSING:  # what only stands in is never confirmed as unchanged
        headers["ETag"] = entity_tag(f"{result.payload.digest}-{result.entry.as_of}", result.state)
        if request.if_none_match.contains_raw(headers["ETag"]):
            return Response(status=304, headers=headers)
    encoding = choose_encoding(request.headers.get("Accept-Encoding", ""))
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    try:
        body = result.payload.body(encoding, result.meta())
    except CorruptPayload as error:
        raise unreadable(connection, product) from error
    return Response(body, result.status, headers, content_type="application/json")

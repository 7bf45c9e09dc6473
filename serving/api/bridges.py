"""Bridges between two days as JSON, and the certificates of a part."""

from dataclasses import asdict
from typing import Any, Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.bridges import BridgeEntry, Moved
from kpi_pipeline.model.listing import LISTED_WITH
from serving.api.stamped_json import stamped_json
from serving.bridge.look_up import BridgeResult, look_up_bridge
from serving.cache_access import current_connection
from serving.pages.addresses import CHANGES_API_PATH
from serving.responses import json_response

routes: Final = Blueprint("bridges", __name__)


@routes.get(CHANGES_API_PATH)
def bridge() -> Response:
    """A bridge, and a page of the certificates of a figure or part where they are requested."""
    result = look_up_bridge(current_connection(), list(request.args.items(multi=True)))
    if result.is_missing:
        return json_response(_document(result), result.figures.status, result.figures.headers())
    return stamped_json(result.figures, result.digest, lambda: _document(result))


def _document(result: BridgeResult) -> dict[str, Any]:
    asked, figures = result.request, result.figures
    data = {
        "comparison": _comparison(result.bridge),
        "comparisons": [_comparison(one) for one in result.index.bridges],
        "days": [{"day": one.day, "known_on": one.known_on} for one in result.index.days],
        "currencies": result.currencies,
        "figure": asked.figure or None,
        "part": asked.part or None,
        "currency": asked.currency or None,
        "count": len(result.places),
        "certificates": [_certificate(one) for one in result.certificates()],
        "offset": asked.offset,
        "limit": asked.limit,
    }
    identity = {"product": LISTED_WITH, "filter": figures.answered, "scope": figures.entry.scope}
    return {"data": data, "meta": {**identity, **figures.meta()}}


def _comparison(bridge: BridgeEntry) -> dict[str, Any]:
    values = asdict(bridge)
    del values["source"]
    return {**values, "name": bridge.name or None}


def _certificate(moved: Moved) -> dict[str, Any]:
    values = asdict(moved)
    return {**values.pop("values"), **values, "change": moved.change}

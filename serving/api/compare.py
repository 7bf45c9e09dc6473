"""Values side by side as JSON: the KPIs of each."""

from typing import Any, Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from serving.api.stamped_json import stamped_json
from serving.cache_access import Connection, current_connection
from serving.compare.look_up import ComparedValue, CompareResult, compare_request, look_up_comparison
from serving.lookup import unreadable
from serving.pages.addresses import COMPARE_API_PATH
from serving.responses import json_response

HEAD: Final = ("currencies", "months", "comparison", "cohort")
"""What is said of the figures of each value, as its product has it."""

routes: Final = Blueprint("comparisons", __name__)


@routes.get(COMPARE_API_PATH)
def compare() -> Response:
    """The values and their KPIs; those that are being computed have none yet."""
    connection = current_connection()
    asked = compare_request(connection, list(request.args.items(multi=True)))
    result = look_up_comparison(connection, asked)
    if result.is_missing:
        figures = result.figures
        return json_response(_document(connection, result), figures.status, figures.headers())
    return stamped_json(result.figures, result.digest, lambda: _document(connection, result))


def _document(connection: Connection, result: CompareResult) -> dict[str, Any]:
    figures = result.figures
    product = figures.lookup.product
    try:
        values = [_value(one) for one in result.values]
    except (CorruptPayload, KeyError) as error:
        raise unreadable(connection, product) from error
    data = {"dimension": result.request.dimension, "values": values}
    # That of all values: each has its own besides.
    identity = {"product": product, "filter": result.request.filter.as_dict(), "scope": figures.entry.scope}
    return {"data": data, "meta": {**identity, **figures.meta()}}


def _value(compared: ComparedValue) -> dict[str, Any]:
    figures = compared.figures
    known = {"value": compared.value, "filter": figures.requested}
    if compared.is_missing:
        return {**known, "figures": None}
    held = figures.payload.data()
    return {**known, "figures": {name: held[name] for name in (*HEAD, "kpis")}}

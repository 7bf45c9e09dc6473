"""The list of certificates as JSON: a page of a selection, and what the whole of it sums to."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from kpi_pipeline.cache.keys import DEFAULT_SCOPE
from kpi_pipeline.cache.reading.listing.certificates import Value, is_marked, value_of
from kpi_pipeline.cache.reading.listing.matching import Totals
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.listing import LISTED_WITH, ListColumn
from serving.cache_access import current_connection
from serving.freshness_headers import entity_tag
from serving.kept.current import current_kept
from serving.listing.look_up import ListResult, look_up_list
from serving.pages.addresses import CERTIFICATES_API_PATH
from serving.responses import compressed, has_tag, requested_encoding

routes: Final = Blueprint("certificates", __name__)


@routes.get(CERTIFICATES_API_PATH)
def certificates() -> Response:
    """A page of the list."""
    result = look_up_list(current_connection(), list(request.args.items(multi=True)))
    stamp = current_kept().stamps.of(result.figures)
    tag = entity_tag(f"{result.digest}-{stamp.mark}", result.figures.state)
    headers = [*stamp.headers, ("Vary", "Accept-Encoding"), ("ETag", tag)]
    if has_tag(request.headers.get("If-None-Match", ""), tag):
        return Response(status=304, headers=headers)
    encoding = requested_encoding()
    if encoding != "identity":
        headers.append(("Content-Encoding", encoding))
    body = compressed(orjson.dumps(_document(result)), encoding)
    return Response(body, headers=headers, content_type="application/json")


def _document(result: ListResult) -> dict[str, Any]:
    asked, figures = result.request, result.figures
    page = result.page()
    data = {
        "certificates": [_certificate(row, asked.shown) for row in page.rows],
        "totals": _totals(page.totals),
        "standing": asked.standings,
        "search": asked.search,
        "sort": str(asked.order),
        "offset": asked.offset,
        "limit": asked.limit,
    }
    identity = {"product": LISTED_WITH, "filter": figures.answered, "scope": DEFAULT_SCOPE}
    return {"data": data, "meta": {**identity, **figures.meta()}}


def _certificate(row: Row, columns: Sequence[ListColumn]) -> dict[str, Any]:
    values = {column.name: _plain(value_of(row, column.name)) for column in columns}
    return {
        **values,
        "currency": value_of(row, "currency"),
        "due_assumed": is_marked(row, "due_assumed"),
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "count": totals.count,
        "credit_notes": totals.credit_notes,
        "amounts": [{"currency": code, **sums} for code, sums in sorted(totals.amounts.items())],
    }


def _plain(value: Value) -> str | int | None:
    return value.isoformat() if isinstance(value, date) else value

"""Asking for newer figures: one product's, or every product written anew."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.query import parse_filter
from kpi_pipeline.cache.reading.reader import NothingPublished
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.settings import Settings
from serving.auth import refuse_other_sites, require_admin
from serving.cache_access import CacheAccess, Connection
from serving.freshness import RETRY_S
from serving.lookup import status_url
from serving.negotiation import LANGUAGES, prefers_page
from serving.pages.addresses import LANGUAGE_PARAMETER, PAGE_PARAMETER, PageAddress, path_of_form
from serving.pages.filters.parts import parameters_of
from serving.pages.refreshing import TASK_PARAMETER
from serving.problem_types import REQUEST_REFUSED, UNKNOWN_PRODUCT, Text
from serving.problems import REFRESH_PATH, Problem

CLEAR_PATH: Final = "/manager/api/cache/clear"

_PRODUCT_PARAMETER: Final = "product"
_DEFAULT_PRODUCT: Final = "dashboards"


def refresh_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Routes that ask for a refresh.

    Args:
        access: The cache.
        settings: They hold the admin token.
    """
    routes = Blueprint("refresh", __name__)

    @routes.post(REFRESH_PATH)
    def refresh() -> AnyResponse:
        refuse_other_sites(request)
        return _refresh(access.current())

    @routes.get(REFRESH_PATH)
    def refresh_by_address() -> AnyResponse:
        require_admin(request, settings.admin_token)
        return _refresh(access.current())

    @routes.route(CLEAR_PATH, methods=["GET", "POST"])
    def clear() -> Response:
        require_admin(request, settings.admin_token)
        named = [value for value in request.values.getlist(_PRODUCT_PARAMETER) if value]
        products = [_product(name) for name in named] or list(PRODUCTS)
        return request_all(access.current(), RequestKind.CLEAR, products)

    return routes


def request_all(connection: Connection, kind: RequestKind, products: Sequence[str]) -> Response:
    """Ask for every one of some products, and answer with their tasks.

    Args:
        connection: The cache.
        kind: What to ask for.
        products: Of which products.

    Raises:
        Problem: If Redis takes no requests.
    """
    requested = [(product, _submit(connection, kind, product, EVERYTHING)) for product in products]
    tasks = [{"product": product, **_told(task_id)} for product, task_id in requested]
    return _accepted({"tasks": tasks, "retry_after": RETRY_S})


def _refresh(connection: Connection) -> AnyResponse:
    named = request.values.get(_PRODUCT_PARAMETER) or _DEFAULT_PRODUCT
    product = _product(named)
    parameters = [
        pair
        for pair in (*request.args.items(multi=True), *request.form.items(multi=True))
        if pair[0] not in (_PRODUCT_PARAMETER, LANGUAGE_PARAMETER, PAGE_PARAMETER)
    ]
    known = connection.catalogues.stored(product) if parameters else {"dimensions": ()}
    requested = parse_filter(parameters, known)
    if _is_missing(connection, product, requested):
        connection.pipeline_client.attempt(
            lambda _, usage_counters: usage_counters.add_request(product, requested)
        )
        task_id = _submit(connection, RequestKind.WARM, product, requested)
    else:
        # A generation holds every filter, so that whoever asks for one is served by the same run.
        task_id = _submit(connection, RequestKind.REFRESH, product, EVERYTHING)
    if prefers_page(request.headers.get("Accept", "")):
        language = next((one for one in LANGUAGES if one == request.values.get(LANGUAGE_PARAMETER)), None)
        spelled = (
            parameters_of(connection.catalogues.of(product), requested.as_dict()) if requested.terms else ()
        )
        page = PageAddress(path_of_form(), language).of(spelled)
        return redirect(f"{page}{'&' if '?' in page else '?'}{TASK_PARAMETER}={task_id}", 303)
    return _accepted({**_told(task_id), "retry_after": RETRY_S})


def _product(name: str) -> str:
    if name not in PRODUCTS:
        cause = Text(f"No hay ningún producto «{name}».", f'There is no product "{name}".')
        raise Problem(UNKNOWN_PRODUCT, cause, members={"parameter": "product", "allowed": PRODUCTS})
    return name


def _is_missing(connection: Connection, product: str, requested: Filter) -> bool:
    """Whether a generation is live that does not hold this filter."""
    if requested == EVERYTHING:
        return False
    try:
        return connection.reader.answer(product, requested).state is AnswerState.MISSING
    except NothingPublished:
        return False


def _submit(connection: Connection, kind: RequestKind, product: str, requested: Filter) -> str:
    task = connection.pipeline_client.attempt(lambda requests, _: requests.submit(kind, product, requested))
    if task is None:
        raise Problem(REQUEST_REFUSED, headers={"Retry-After": str(RETRY_S)})
    return task.id


def _told(task_id: str) -> dict[str, str]:
    return {"task_id": task_id, "status_url": status_url(task_id)}


def _accepted(document: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store", "Retry-After": str(RETRY_S)}
    if "status_url" in document:
        headers["Location"] = document["status_url"]
    return Response(orjson.dumps(document), 202, headers, content_type="application/json")

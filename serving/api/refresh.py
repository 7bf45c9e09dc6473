"""Requests for newer figures: of one product, or every product computed from the start."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.cache.filter_text import filter_to_text
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.reader import NothingPublished
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.logs import TASK_ID, log_ids
from kpi_pipeline.model.access import AuditAction, RequestedWork
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filter_parameters import QueryError, parse_filter
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.labels import Language, Text
from serving.access.control import CSRF_FIELD, audit, require_rate
from serving.auth import refuse_other_sites, require_admin
from serving.cache_access import Connection, current_connection, current_settings
from serving.forms import require_readable_form
from serving.freshness_headers import RETRY_S
from serving.lookup import NO_PARAMETERS, refuse_sealed
from serving.lookup_result import status_url
from serving.pages.addresses import PAGE_PARAMETER, PageAddress, path_of_form
from serving.pages.live_state import TASK_PARAMETER
from serving.pages.selection import parameters_of
from serving.problem_types.requests import REQUEST_REFUSED, UNKNOWN_PRODUCT
from serving.problems import REFRESH_PATH, RETRY, Problem, filter_problem
from serving.requested_page import RequestedPage
from serving.responses import LANGUAGE_PARAMETER, json_response, named_language, prefers_page

CLEAR_PATH: Final = "/manager/api/cache/clear"

PRODUCT_PARAMETER: Final = "product"
DEFAULT_PRODUCT: Final = "dashboards"

_LOG: Final = logging.getLogger(__name__)

routes: Final = Blueprint("refresh", __name__)


@routes.post(REFRESH_PATH)
def refresh() -> AnyResponse:
    """Request a refresh, as the button of a page does."""
    refuse_other_sites(request)
    require_readable_form()
    return _refresh(current_connection())


@routes.get(REFRESH_PATH)
def refresh_by_address() -> AnyResponse:
    """The same by a plain address, which a page of another site could lead to."""
    _refuse_head()
    require_admin(request, current_settings().admin_token)
    return _refresh(current_connection())


@routes.route(CLEAR_PATH, methods=["GET", "POST"])
def clear() -> Response:
    """Request that products are computed and published from the start."""
    _refuse_head()
    require_admin(request, current_settings().admin_token)
    require_readable_form()
    # An empty name is none that there is: who leaves a field out by mistake is not to compute everything.
    products = [_product(name) for name in request.values.getlist(PRODUCT_PARAMETER)] or list(PRODUCTS)
    require_rate(RequestedWork.CLEAR)
    return request_all(current_connection(), RequestKind.CLEAR, products)


def request_all(
    connection: Connection, kind: RequestKind, products: Sequence[str], who: str | None = None
) -> Response:
    """Submit a request for each of some products, and answer with their tasks.

    Args:
        connection: Where they are submitted.
        kind: What is requested.
        products: Of which.
        who: Who requests it, as of `audit`.

    Raises:
        Problem: If Redis takes no requests.
    """
    submitted = [(product, _submit(connection, kind, product, EVERYTHING, who)) for product in products]
    tasks = [{"product": product, **_task(task_id)} for product, task_id in submitted]
    return _accepted({"tasks": tasks, "retry_after": RETRY_S})


def _refuse_head() -> None:
    """Refuse to request work for one who asks for headers alone, which Flask allows wherever it allows GET.

    Raises:
        MethodNotAllowed: If the method is HEAD.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET", "POST"])


def _refresh(connection: Connection) -> AnyResponse:
    _language()  # before anything is requested of the pipeline
    product = _one_product()
    # The body of a GET means nothing.
    posted = request.form.items(multi=True) if request.method == "POST" else ()
    parameters = [
        pair
        for pair in (*request.args.items(multi=True), *posted)
        if pair[0] not in (PRODUCT_PARAMETER, LANGUAGE_PARAMETER, PAGE_PARAMETER, CSRF_FIELD)
    ]
    try:
        requested = parse_filter(
            parameters, connection.catalogues.stored(product) if parameters else NO_PARAMETERS
        )
    except QueryError as error:
        raise filter_problem(error, _page_of_form(parameters)) from error
    require_rate(RequestedWork.REFRESH)
    if (lacking := _lacking(connection, product, requested)) is not None:
        refuse_sealed(connection, lacking, requested)
        task_id = _submit(connection, RequestKind.WARM, product, requested)
    else:
        # A generation holds every filter: all who request a refresh share one run.
        task_id = _submit(connection, RequestKind.REFRESH, product, EVERYTHING)
    if prefers_page(request.headers.get("Accept", "")):
        return redirect(f"{_page_url(connection, product, requested)}{TASK_PARAMETER}={task_id}", 303)
    return _accepted({**_task(task_id), "retry_after": RETRY_S})


def _page_url(connection: Connection, product: str, requested: Filter) -> str:
    """The page that the request came from, under the same filter, ready for one more parameter."""
    language = _language()
    parameters = (
        parameters_of(connection.catalogues.of(product), requested.as_dict()) if requested.terms else ()
    )
    url = PageAddress(path_of_form(), language).of(parameters)
    return f"{url}{'&' if '?' in url else '?'}"


def _page_of_form(parameters: Sequence[tuple[str, str]]) -> RequestedPage:
    """The page that the request came from, with its parameters as they were sent."""
    named = _language()
    language = [(LANGUAGE_PARAMETER, named)] if named else []
    return RequestedPage(path_of_form(), (*parameters, *language))


def _language() -> Language | None:
    """The language that the address or the form names; raises as `named_language` does."""
    return named_language(request.values.getlist(LANGUAGE_PARAMETER))


def _one_product() -> str:
    """The product that the address or the form names.

    Raises:
        Problem: If one of them names another product, or none that there is.
    """
    named = {_product(name): None for name in request.values.getlist(PRODUCT_PARAMETER)}
    if len(named) > 1:
        cause = Text(
            f"Se nombran varios productos ({', '.join(named)}): elija uno.",
            f"Several products are named ({', '.join(named)}): choose one.",
        )
        raise _unknown_product(cause)
    return next(iter(named), DEFAULT_PRODUCT)


def _product(name: str) -> str:
    if name not in PRODUCTS:
        cause = Text(f"No hay ningún producto «{name}».", f'There is no product "{name}".')
        raise _unknown_product(cause)
    return name


def _unknown_product(cause: Text) -> Problem:
    return Problem(UNKNOWN_PRODUCT, cause, members={"parameter": PRODUCT_PARAMETER, "allowed": PRODUCTS})


def _lacking(connection: Connection, product: str, requested: Filter) -> ManifestEntry | None:
    """The live generation, if it does not hold this filter."""
    if requested == EVERYTHING:
        return None
    try:
        answer = connection.reader.answer(product, requested)
    except NothingPublished:
        return None
    return answer.entry if answer.state is AnswerState.MISSING else None


def _submit(
    connection: Connection, kind: RequestKind, product: str, requested: Filter, who: str | None = None
) -> str:
    action = AuditAction.CLEAR if kind is RequestKind.CLEAR else AuditAction.REFRESH
    detail = f"{product} {filter_to_text(requested).decode()}" if requested.terms else product
    audit(action, detail, who)
    client = connection.pipeline_client
    is_missing = kind is RequestKind.WARM
    task = client.want(product, requested) if is_missing else client.submit(kind, product, requested)
    if task is None:
        audit(action, f"{detail}: refused", who)
        raise Problem(REQUEST_REFUSED, headers=RETRY)
    with log_ids(**{TASK_ID: task.id}):
        _LOG.info("%s of %s is requested", kind.value, product)
    return task.id


def _task(task_id: str) -> dict[str, str]:
    return {"task_id": task_id, "status_url": status_url(task_id)}


def _accepted(document: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store", **RETRY}
    if "status_url" in document:
        headers["Location"] = document["status_url"]
    return json_response(document, 202, headers)

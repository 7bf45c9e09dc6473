"""The webhook by which the system of the source reports that its data have changed."""

import time
from typing import Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER
from serving.api.refresh import request_all
from serving.auth import is_signed
from serving.cache_access import current_settings, whole_connection
from serving.problem_types.requests import SIGNATURE_INVALID, WEBHOOK_OFF
from serving.problems import Problem

BY_WEBHOOK: Final = "webhook"
"""Who requests it, as the audit log says: a signature names nobody."""

routes: Final = Blueprint("webhook", __name__)


@routes.post("/webhook/data-changed")
def data_changed() -> Response:
    """Request a refresh of every product. Of the message only the signature matters."""
    secret = current_settings().webhook_secret
    if secret is None:
        raise Problem(WEBHOOK_OFF)
    signed = is_signed(
        secret.get_secret_value(),
        request.headers.get(TIMESTAMP_HEADER, ""),
        request.headers.get(SIGNATURE_HEADER, ""),
        request.get_data(),
        time.time(),
    )
    if not signed:
        raise Problem(SIGNATURE_INVALID)
    return request_all(whole_connection(), RequestKind.REFRESH, PRODUCTS, BY_WEBHOOK)

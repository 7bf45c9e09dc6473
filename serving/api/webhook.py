"""What the source's own system may tell: its data have changed."""

import time

from flask import Blueprint, Response, request

from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.settings import Settings
from serving.api.refresh import request_all
from serving.cache_access import CacheAccess
from serving.problem_types import SIGNATURE_INVALID, WEBHOOK_OFF
from serving.problems import Problem
from serving.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed


def webhook_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Route by which another system tells that the data have changed.

    Args:
        access: The cache.
        settings: They hold the secret by which messages are signed.
    """
    routes = Blueprint("webhook", __name__)

    @routes.post("/webhook/data-changed")
    def data_changed() -> Response:
        if settings.webhook_secret is None:
            raise Problem(WEBHOOK_OFF)
        # What the message says is not read, only that somebody who may has sent it just now.
        signed = is_signed(
            settings.webhook_secret.get_secret_value(),
            request.headers.get(TIMESTAMP_HEADER, ""),
            request.headers.get(SIGNATURE_HEADER, ""),
            request.get_data(),
            time.time(),
        )
        if not signed:
            raise Problem(SIGNATURE_INVALID)
        return request_all(access.current(), RequestKind.REFRESH, PRODUCTS)

    return routes

"""Where pages hear of new figures: a redirect to the process that sends them, unless a proxy does that."""

from typing import Final

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from serving.auth import is_forwarded
from serving.cache_access import current_settings
from serving.events.application import EVENTS_PATH
from serving.host_names import host_name

routes: Final = Blueprint("events", __name__)


@routes.get(EVENTS_PATH)
def events() -> BaseResponse:
    """A redirect, or nothing where pages cannot reach that process: then they poll."""
    host, port = host_name(request.headers.get("Host", "")), current_settings().events_port
    # The policy of pages can name no IPv6 address.
    if not port or is_forwarded(request) or host.startswith("["):
        response: BaseResponse = Response(status=204)
    else:
        response = redirect(f"http://{host}:{port}{EVENTS_PATH}", 307)
    response.headers["Cache-Control"] = "no-store"
    return response

"""The alerts that fire or are pending, and messages that could not be delivered."""

from typing import Final

from flask import Blueprint, Response

from kpi_pipeline.alerts.state import AlertState, state_dict
from serving.alert_state import alert_state
from serving.responses import json_response
from serving.system_health import known_connection

routes: Final = Blueprint("alerts", __name__)


@routes.get("/manager/api/alerts")
def alerts() -> Response:
    """All of them; none while Redis cannot be read, which `reachable` says."""
    state = alert_state(known_connection())
    return json_response({"reachable": state is not None, **state_dict(state or AlertState())})

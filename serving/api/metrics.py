"""Metrics in the text format of Prometheus."""

from typing import Final

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.metrics.measuring import current_metrics
from serving.metrics.state import state_registry
from serving.system_health import known_connection

METRICS_PATH: Final = "/metrics"

routes: Final = Blueprint("metrics", __name__)


@routes.get(METRICS_PATH)
def metrics() -> Response:
    """The requests to all serving processes of this machine, and the state of the cache and the pipeline."""
    counted = generate_latest(current_metrics().registry())
    state = generate_latest(state_registry(known_connection()))
    return Response(counted + state, headers={"Cache-Control": "no-store"}, content_type=CONTENT_TYPE_LATEST)

"""The alerts as the pipeline, or the watchdog in its place, evaluated them last."""

from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.connection import FAILURES
from serving.cache_access import Connection


def alert_state(connection: Connection | None) -> AlertState | None:
    """The state of alerts; None where it cannot be read."""
    if connection is None:
        return None
    try:
        return AlertStore(connection.client).load()
    except FAILURES:
        return None

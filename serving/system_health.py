"""The health of the whole system as this process sees it."""

from typing import Final

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.reading.health import HealthFacts, health_of, read_health
from kpi_pipeline.model.health import Health
from kpi_pipeline.model.readings import SourceReadings
from serving.cache_access import Connection, current_connection

NO_FACTS: Final = HealthFacts(
    reachable=False,
    holds_answers=False,
    states={},
    unreadable={},
    readings=SourceReadings(),
    live_readings=LiveReadings({}, mixed=False),
    alarms={},
    silent=False,
    report=None,
)
"""What is known while no address of Redis is."""


def known_connection() -> Connection | None:
    """The connection that answers the present request; None when no address of Redis is known."""
    try:
        return current_connection()
    except NoRedis:
        return None


def health_facts(connection: Connection | None) -> HealthFacts:
    """What the verdict rests on."""
    if connection is None:
        return NO_FACTS
    return read_health(connection.reader, connection.catalogues.of)


def current_health() -> Health:
    """The verdict at this moment."""
    return health_of(health_facts(known_connection()))

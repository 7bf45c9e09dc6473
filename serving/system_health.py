"""The health of the whole system as this process sees it."""

from collections.abc import Mapping
from typing import Any, Final

from kpi_pipeline.cache.connection import FAILURES, NoRedis
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.reading.health import HealthFacts, health_of, read_health
from kpi_pipeline.cache.reading.status import UNKNOWN_SERVER
from kpi_pipeline.cache.usage.listeners import listeners
from kpi_pipeline.model.health import Health
from kpi_pipeline.model.readings import SourceReadings
from serving.cache_access import Connection, current_connection

_NOTHING_KNOWN: Final[dict[str, Any]] = {
    "products": {},
    "redis": UNKNOWN_SERVER,
    "memory": {"payloads": 0, "bytes": 0, "limit": 0},
    "reads": {"memory": 0, "redis": 0, "missing": 0, "expired": 0},
    "alarms": {},
    "source": {"accepted": None, "held": None},
    "live_readings": {"mixed": False, "products": {}},
}
"""The cache's status before any server is known."""

_NO_FACTS: Final = HealthFacts(
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


def cache_status(connection: Connection | None) -> dict[str, Any]:
    """The status of the cache as `CacheReader.status` gives it."""
    return _NOTHING_KNOWN if connection is None else connection.reader.status()


def reported_listeners(connection: Connection) -> int | None:
    """How many open pages are told of new figures; None where that is not known."""
    try:
        return listeners(connection.client)
    except FAILURES:
        return None


def health_facts(connection: Connection | None, status: Mapping[str, Any]) -> HealthFacts:
    """What the verdict rests on; `status` as of `cache_status`."""
    if connection is None:
        return _NO_FACTS
    return read_health(connection.reader, status, connection.catalogues.of)


def current_health() -> Health:
    """The verdict at this moment."""
    connection = known_connection()
    return health_of(health_facts(connection, cache_status(connection)))

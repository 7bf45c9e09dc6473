"""The readings of the source, published for serving."""

import redis

from kpi_pipeline.cache.keys import FAILING_SINCE_FIELD, READINGS_FIELD, SOURCE_KEY
from kpi_pipeline.model.readings import SourceReadings


def publish_readings(client: redis.Redis, readings: SourceReadings) -> None:
    """Show readers what was last read of the source, and what is not published of it."""
    client.hset(SOURCE_KEY, READINGS_FIELD, readings.to_json())


def publish_failure(client: redis.Redis, at: float) -> None:
    """Show readers that the source cannot be probed: since a time in seconds since the epoch, or earlier."""
    client.hsetnx(SOURCE_KEY, FAILING_SINCE_FIELD, repr(at))


def publish_recovery(client: redis.Redis) -> None:
    """Show readers that the source can be probed."""
    client.hdel(SOURCE_KEY, FAILING_SINCE_FIELD)

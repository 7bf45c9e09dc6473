"""The readings of the source, published for serving."""

import redis

from kpi_pipeline.cache.keys import READINGS_FIELD, SOURCE_KEY
from kpi_pipeline.model.readings import SourceReadings


def publish_readings(client: redis.Redis, readings: SourceReadings) -> None:
    """Show readers what was last read of the source, and what is not published of it."""
    client.hset(SOURCE_KEY, READINGS_FIELD, readings.to_json())

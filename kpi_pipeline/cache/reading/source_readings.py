"""The readings of the source in serving."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from kpi_pipeline.cache.keys import FAILING_SINCE_FIELD, READINGS_FIELD, SOURCE_KEY
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.cache.reading.hash_view import HashView
from kpi_pipeline.model.readings import SourceReadings


class SourceReadingsView:
    """What was last read of the source, and what is not published of it. Threads may share it."""

    def __init__(self, read_client: ReadClient) -> None:
        self._view = HashView(read_client, SOURCE_KEY, _parse)

    def readings(self, since: float) -> SourceReadings:
        """The readings; `since` as of `HashView.read`; none where Redis has never been reached."""
        try:
            return self._view.read(since)
        except CacheUnavailable:
            return SourceReadings()


def _parse(raw: Mapping[bytes, bytes]) -> SourceReadings:
    readings = SourceReadings.from_json(raw.get(READINGS_FIELD.encode(), b""))
    return replace(readings, failing_since=_moment(raw.get(FAILING_SINCE_FIELD.encode(), b"")))


def _moment(text: bytes) -> float | None:
    try:
        moment = float(text)
    except ValueError:
        return None
    return moment if isfinite(moment) else None

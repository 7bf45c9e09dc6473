"""The readings that the products show, in serving: made anew when an entry or the clock changes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.cache.live_readings import LiveReadings, settled_until
from kpi_pipeline.cache.manifest import ManifestEntry

_MARGIN_S: Final = 1e-3
"""So close to a moment of change nothing is remembered: a sum of floats may be on either side of it."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Readings, and of which entries and from when until when they are."""

    entries: Mapping[str, ManifestEntry]
    since: float
    until: float
    readings: LiveReadings


class LiveReadingsView:
    """The readings of live entries, the same object for as long as they are the same. Threads may share it.

    Args:
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: _Known | None = None

    def of(self, entries: Mapping[str, ManifestEntry]) -> LiveReadings:
        """The readings of some live entries by product."""
        known, now = self._known, self._clock()
        if known is not None and known.entries is entries and known.since <= now < known.until:
            return known.readings
        readings = LiveReadings.of(entries, now)
        if known is not None and known.readings == readings:
            readings = known.readings
        self._known = _Known(entries, now + _MARGIN_S, settled_until(entries, now) - _MARGIN_S, readings)
        return readings

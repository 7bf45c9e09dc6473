"""What the answers of one generation share at one moment: freshness headers and the end of their JSON."""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final

from kpi_pipeline.cache.codec import Tail
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from serving.freshness_headers import age_s
from serving.lookup_result import LookupResult

_MOST: Final = 64
"""How many are known at once: one a product, and one for each date of the past that is requested now."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Headers and live meta of every answer that is like one.

    Attributes:
        entry: The generation.
        state: The state of the answers.
        reachable: Whether Redis could be reached.
        readings: Of all products.
        age: Whole seconds since the source confirmed the figures.
        headers: As of `LookupResult.headers`.
        tail: As of `LookupResult.meta`.
        mark: The end of the entity tags, before the state: what differs between two bodies with equal
            figures, but for the seconds that pass. A confirmed body has newer times.
    """

    entry: ManifestEntry
    state: AnswerState
    reachable: bool
    readings: LiveReadings
    age: int
    headers: tuple[tuple[str, str], ...]
    tail: Tail
    mark: str

    @classmethod
    def of(cls, result: LookupResult) -> "Stamp":
        """That of a result and all like it, but for those that name what is missing."""
        entry, readings = result.entry, result.readings
        marks = readings.as_dict() if readings.mixed or readings.rolled_back else ""
        context = blake2b(f"{entry.reading} {marks}".encode(), digest_size=8).hexdigest()
        return cls(
            entry,
            result.state,
            result.reachable,
            readings,
            age_s(entry, result.now),
            tuple(result.headers().items()),
            Tail.of(result.meta()),
            f"{entry.as_of}-{entry.verified_at:.0f}-{context}",
        )

    def headers_asked_again(self) -> list[tuple[str, str]]:
        """The headers of what a client asks for again each time that it shows it."""
        return [
            (name, "private, no-cache" if name == "Cache-Control" else value) for name, value in self.headers
        ]

    def is_of(self, result: LookupResult) -> bool:
        """Whether it is that of a result."""
        return (
            self.entry is result.entry
            and self.readings is result.readings
            and self.state is result.state
            and self.reachable is result.reachable
            and self.age == age_s(result.entry, result.now)
        )


class Stamps:
    """The stamps of the present. Threads may share it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, date | None], Stamp] = {}

    def of(self, result: LookupResult) -> Stamp:
        """The stamp of a result that is not missing."""
        key = (result.lookup.product, result.lookup.as_of)
        stamp = self._known.get(key)
        if stamp is None or not stamp.is_of(result):
            stamp = Stamp.of(result)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = stamp
        return stamp

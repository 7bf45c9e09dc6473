"""Readers of the served application while something fails: what they get is judged, and audited."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import redis
from flask.testing import FlaskClient

from kpi_pipeline.audit.comparison import compare
from kpi_pipeline.audit.reading import AuditedReading, RecomputedFigures
from kpi_pipeline.cache.keys import REPLACED_KEY
from kpi_pipeline.cache.manifest import ManifestEntry, live_entry
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.pages.addresses import PRODUCT_PATHS
from tests.faults.records import FaultRecord

PAGES: Final = ("/manager/dashboard", "/manager/certificates")
PAUSE_S: Final = 0.2
"""Between two passes: what is tested needs the processors too."""

_RECOMPUTED: dict[tuple[str, str], RecomputedFigures] = {}
"""By reading and business date: many tries begin with the same one."""

Place = tuple[str, Filter, str]
"""Of an answer: its product, its filter and its generation."""


@dataclass
class Readers:
    """Request figures again and again, from one web process, and judge each answer.

    Attributes:
        record: Where it is noted.
        client: A client of the cache that nothing touches, for audits.
        url: The address of Redis that the web process has.
        seen: By place the figures that readers got.
        audited: The places whose figures are known to be right.
    """

    record: FaultRecord
    client: redis.Redis
    url: str
    seen: dict[Place, Any] = field(default_factory=dict)
    audited: set[Place] = field(default_factory=set)
    within_contract: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.app = create_app(Settings(REDIS_URL=self.url))
        self.filters = (EVERYTHING, Filter.of({"client": self._some_client()}))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Request everything again and again while the block lasts."""
        ended = threading.Event()

        def read() -> None:
            web = self.app.test_client()
            while not ended.wait(PAUSE_S):
                self.look(web)

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def look(self, web: FlaskClient | None = None) -> dict[str, str]:
        """Request everything once; returns the generation of each product that was answered with its own."""
        web = web or self.app.test_client()
        generations: dict[str, str] = {}
        for page in PAGES:
            self._answered(page, web.get(page))
        for path, product in PRODUCT_PATHS.items():
            for requested in self.filters:
                address = f"/manager/api/{path}"
                reply = web.get(address, query_string=requested.as_dict())
                if not self._answered(address, reply):
                    continue
                generation = self._note(product, requested, reply)
                if requested == EVERYTHING and generation:
                    generations[product] = generation
        return generations

    def sees_all(self, generations: dict[str, str]) -> bool:
        """Whether readers get these generations of every product, or the ones that are live now, as fresh."""
        web = self.app.test_client()
        replies = {product: web.get(f"/manager/api/{path}") for path, product in PRODUCT_PATHS.items()}
        return all(
            reply.status_code == 200
            and reply.headers["X-Generation"] == generations[product]
            and reply.get_json()["meta"]["state"] == "fresh"
            for product, reply in replies.items()
        )

    def audit(self) -> None:
        """Recompute all figures that readers got and that were not audited yet; note what is wrong."""
        entries = self._entries()
        for place in sorted(self.seen.keys() - self.audited, key=repr):
            product, requested, generation = place
            figures = _recomputed(entries[generation])
            found = compare(figures.comparable(product, self.seen[place]), figures.answer(product, requested))
            assert found.figures > 0
            self.record.wrong += [f"{product} {requested}: {one}" for one in found.differences[:3]]
            self.audited.add(place)

    def _answered(self, address: str, reply: Any) -> bool:
        """Note a reply; whether it has figures of its own filter."""
        with self._lock:
            self.record.reads += 1
            if reply.status_code >= 500:
                self.record.unavailable += 1
                if self.within_contract:
                    self.record.refused.append(f"{address}: {reply.status_code}: {reply.text[:200]}")
            elif reply.status_code not in (200, 202):
                self.record.wrong.append(f"{address}: {reply.status_code}")
            elif reply.status_code == 202:
                self.record.unavailable += 1
        return bool(reply.status_code == 200)

    def _note(self, product: str, requested: Filter, reply: Any) -> str:
        told = json.loads(reply.data)
        generation = str(told["meta"]["generation"])
        with self._lock:
            if generation != reply.headers["X-Generation"]:
                self.record.mixed.append(f"{product}: {generation} and {reply.headers['X-Generation']}")
            if self.seen.setdefault((product, requested, generation), told["data"]) != told["data"]:
                self.record.mixed.append(f"{product} {requested}: {generation} with two sets of figures")
        return generation

    def _entries(self) -> dict[str, ManifestEntry]:
        live = [entry for product in PRODUCTS if (entry := live_entry(self.client, product)) is not None]
        replaced = map(ManifestEntry.from_json, self.client.hgetall(REPLACED_KEY).values())
        return {entry.generation: entry for entry in (*replaced, *live)}

    def _some_client(self) -> str:
        entry = live_entry(self.client, "kpis")
        assert entry is not None
        rows = RollupArchive.of_settings().rows(entry.reading)
        assert rows is not None
        return str(sorted(set(rows.certificates["client"].to_pylist()))[0])


def _recomputed(entry: ManifestEntry) -> RecomputedFigures:
    known = (entry.reading, entry.as_of.isoformat())
    if known not in _RECOMPUTED:
        rows, source = RollupArchive.of_settings().rows(entry.reading), SourceResource()
        assert rows is not None, f"the rows of {entry.reading} are not kept"
        reading = AuditedReading(
            rows.certificates, rows.costs, entry.as_of, source.window_months(), source.thresholds()
        )
        _RECOMPUTED[known] = reading.whole()
    return _RECOMPUTED[known]

"""Clients of real servers and a publisher of small generations."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher, Staged
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM


@pytest.fixture
def client(cache_url: str) -> Iterator[redis.Redis]:
    with connect(cache_url) as connected:
        yield connected


@pytest.fixture
def each_client(each_cache_url: str) -> Iterator[redis.Redis]:
    with connect(each_cache_url) as connected:
        yield connected


def answers(*filters: Filter, mark: object = 0) -> list[tuple[Filter, dict[str, Any]]]:
    """A payload for each filter that names the filter and a mark."""
    return [(filter_, {"of": filter_.as_dict(), "mark": mark}) for filter_ in filters]


@dataclass
class Newsroom:
    """Publishes small generations as the pipeline does."""

    client: redis.Redis
    fresh_s: float = 60
    grace_s: float = 600
    scope: str = WHOLE_FIRM
    publisher: Publisher = field(init=False)

    def __post_init__(self) -> None:
        self.publisher = Publisher(self.client, self.scope)

    def stage(
        self,
        *filters: Filter,
        product: str = "kpis",
        mark: object = 0,
        catalogue: Mapping[str, Any] | None = None,
    ) -> Staged:
        return self.publisher.stage(
            product,
            new_generation(product, datetime.now(UTC), self.scope),
            answers(*(filters or (EVERYTHING,)), mark=mark),
            catalogue or {"dimensions": [], "mark": mark},
            expires_at=time.time() + self.fresh_s + self.grace_s + 60,
        )

    def entry(
        self, staged: Staged, *, fence: int, computed_at: float | None = None, **changes: Any
    ) -> ManifestEntry:
        at = time.time() if computed_at is None else computed_at
        values: dict[str, Any] = {
            "product": staged.product,
            "generation": staged.generation,
            "fence": fence,
            "as_of": date(2026, 1, 31),
            "computed_at": at,
            "verified_at": at,
            "reading": "reading 0",
            "first_read_at": at,
            "rollup": "r",
            "demand": "d",
            "rolled_back_at": None,
            "rolled_back_from": None,
            "inputs": "same",
            "basis": "same",
            "source": "books",
            "fresh_until": at + self.fresh_s,
            "stale_until": at + self.fresh_s + self.grace_s,
            "watermark": None,
            "run_id": "run",
            "schema_version": SCHEMA_VERSION,
            "variants": staged.variants,
            "blocks": staged.blocks,
            "bytes": staged.bytes,
            "previous": (),
        }
        return ManifestEntry(**{**values, **changes})

    def publish(
        self,
        *filters: Filter,
        product: str = "kpis",
        mark: object = 0,
        catalogue: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> ManifestEntry:
        """Stage, verify and flip; returns the entry that is live now."""
        staged = self.stage(*filters, product=product, mark=mark, catalogue=catalogue)
        assert self.publisher.verify(staged) == []
        values = {"reading": f"reading {mark}", **changes}
        entry = self.entry(staged, fence=self.publisher.next_fence(), **values)
        assert self.publisher.flip(entry) is Flip.LIVE
        return entry


@pytest.fixture
def newsroom(client: redis.Redis) -> Newsroom:
    return Newsroom(client)


@pytest.fixture
def each_newsroom(each_client: redis.Redis) -> Newsroom:
    return Newsroom(each_client)


@pytest.fixture
def newsroom_of() -> Iterator[Callable[[str], Newsroom]]:
    """Publish to any server, by its address."""
    connected: list[redis.Redis] = []

    def make(url: str) -> Newsroom:
        connected.append(connect(url))
        return Newsroom(connected[-1])

    yield make
    for client in connected:
        client.close()

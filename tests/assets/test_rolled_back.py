"""Where nothing can be added to a rollback its readers learn so, and what is live stays."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from kpi_pipeline.assets.rolled_back import add_awaited
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import sealed_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.requests.requests import RequestKind, Requests, TaskState, TaskStatus
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from tests.cache.conftest import Newsroom

MINE = Filter.of({"client": "Minera Ñandú"})


@pytest.fixture
def client(demo_home: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


@pytest.fixture
def live(client: redis.Redis) -> ManifestEntry:
    newsroom = Newsroom(client)
    newsroom.publish(EVERYTHING, mark=1)
    newsroom.publish(EVERYTHING, mark=2)
    return Rollback(client).roll_back(["kpis"])["kpis"]


@pytest.fixture
def awaited(client: redis.Redis):
    """A request of a reader for a variant."""

    def submit(requested: Filter) -> TaskStatus:
        task = Requests(client).status(Requests(client).submit(RequestKind.WARM, "kpis", requested).id)
        assert task is not None
        return task

    return submit


def add(live: ManifestEntry, *awaited: TaskStatus) -> ManifestEntry:
    entry, problems = add_awaited(
        live,
        awaited,
        SourceResource(),
        CacheResource(),
        expires_at=live.stale_until,
        run_id="a run",
        extend_lease=lambda: None,
    )
    assert problems == []
    return entry


def test_without_the_roll_up_the_request_fails_and_the_generation_is_sealed(client, live, awaited) -> None:
    task = awaited(MINE)
    assert add(live, task) == live
    ended = Requests(client).status(task.id)
    assert ended is not None
    assert ended.state is TaskState.FAILED
    assert "`kpi warm` ends the rollback" in str(ended.reason)
    assert client.ttl(sealed_key(live.generation)) > 0


def test_nothing_is_sealed_where_nothing_is_lacking(client, live, awaited) -> None:
    task = awaited(EVERYTHING)
    assert add(live) == add(live, task) == live
    ended = Requests(client).status(task.id)
    assert ended is not None
    assert ended.state is TaskState.QUEUED
    assert not client.exists(sealed_key(live.generation))

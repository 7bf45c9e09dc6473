"""The dispatcher starts a restoration as soon as the manifest is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import MANIFEST_KEY
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.stack.dagster_client import RunRefused
from kpi_pipeline.stack.dispatcher import Dispatcher

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """Stands for Dagster's web server, and notes what is launched."""

    refuses: bool = False
    launched: list[str] = field(default_factory=list)

    def launch(self, job: str, tags: dict[str, str]) -> str:
        if self.refuses:
            raise RunRefused("the code server is starting")
        self.launched.append(f"{job}: {tags['kpi/lost']}")
        return "run"


@pytest.fixture
def client(cache_url: str) -> Iterator[redis.Redis]:
    with connect(cache_url) as connected:
        yield connected


def test_what_is_archived_is_restored_once(published: Path, client: redis.Redis) -> None:
    server = Server()
    dispatcher = Dispatcher(client, server, CacheResource().archive)
    assert not dispatcher.restore_lost()
    manifest = client.hgetall(MANIFEST_KEY)
    for _ in range(2):
        client.hdel(MANIFEST_KEY, "kpis", "charts")
        assert dispatcher.restore_lost()
        assert not dispatcher.restore_lost()  # it is under way
        client.hset(MANIFEST_KEY, mapping=manifest)
        assert not dispatcher.restore_lost()
    assert server.launched == ["restore_cache: kpis, charts"] * 2


def test_a_refused_launch_is_tried_again(published: Path, client: redis.Redis) -> None:
    server = Server(refuses=True)
    dispatcher = Dispatcher(client, server, CacheResource().archive)
    client.flushall()
    assert not dispatcher.restore_lost()
    server.refuses = False
    assert dispatcher.restore_lost()


def test_nothing_is_restored_where_nothing_is_archived(demo_home: Path, client: redis.Redis) -> None:
    server = Server()
    assert not Dispatcher(client, server, CacheResource().archive).restore_lost()
    assert server.launched == []

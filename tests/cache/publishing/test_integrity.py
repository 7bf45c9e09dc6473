"""Whatever is missing of what is live is found."""

import time

import redis

from kpi_pipeline.cache.keys import MANIFEST_KEY, members_key
from kpi_pipeline.cache.publishing.integrity import IntegrityCheck
from kpi_pipeline.model.filters import Filter

MANY = tuple(Filter.of({"client": f"client {number}"}) for number in range(40))


def loss(client: redis.Redis) -> str | None:
    return IntegrityCheck(client).of("kpis", time.time())


def test_a_whole_generation_has_lost_nothing(each_newsroom, each_client) -> None:
    each_newsroom.publish(*MANY)
    assert loss(each_client) is None


def test_a_flushed_server_has_lost_the_manifest(newsroom, client) -> None:
    newsroom.publish(*MANY)
    client.flushall()
    assert loss(client) == "the manifest has no entry that can be read"


def test_a_garbled_entry_is_a_loss(newsroom, client) -> None:
    newsroom.publish(*MANY)
    client.hset(MANIFEST_KEY, "kpis", b"garbage")
    assert loss(client) == "the manifest has no entry that can be read"


def test_evicted_payloads_are_counted(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(*MANY)
    each_client.unlink(*list(each_client.smembers(members_key(entry.generation)))[:20])
    assert loss(each_client) == f"20 of 41 keys of {entry.generation} are gone"


def test_an_evicted_set_of_members_is_a_loss(newsroom, client) -> None:
    entry = newsroom.publish(*MANY)
    client.unlink(members_key(entry.generation))
    assert loss(client) == f"{entry.generation} names 0 of its 41 keys"


def test_an_expired_generation_has_nothing_to_lose(newsroom, client) -> None:
    entry = newsroom.publish(*MANY, computed_at=time.time() - 10_000, verified_at=time.time() - 10_000)
    client.unlink(members_key(entry.generation))
    assert loss(client) is None

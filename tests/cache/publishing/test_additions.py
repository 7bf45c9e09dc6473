"""Answers that are added to a generation are served with it, live as long, and stay bounded."""

import time

import pytest
import redis

from kpi_pipeline.cache.bridges import DOCUMENTS_OF_ONE
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import added_key, additions_key, members_key, variant_key
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.cache.publishing import additions
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.filters import EVERYTHING, Filter


def of(number: int) -> Filter:
    return Filter.of({"client": f"client {number}"})


def add(client: redis.Redis, entry: ManifestEntry, *numbers: int) -> bool:
    return Additions(client).add("kpis", entry.generation, [(of(one), {"mark": one}) for one in numbers])


def marks(client: redis.Redis, *numbers: int) -> list[object]:
    """The mark of each answer; None where it is not there."""
    reader = CacheReader(client, poll_s=0)
    answers = [reader.answer("kpis", of(one)) for one in numbers]
    return [None if one.miss or one.payload is None else one.payload.data()["mark"] for one in answers]


def test_it_is_answered_as_fresh_as_the_generation_which_stays_as_it_is(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(EVERYTHING)
    before = each_client.smembers(members_key(entry.generation))
    assert marks(each_client, 1) == [None]
    assert not Publisher(each_client).holds_all(entry, [EVERYTHING, of(1)])
    assert add(each_client, entry, 1, 2)
    assert marks(each_client, 1, 2, 3) == [1, 2, None]
    answer = CacheReader(each_client, poll_s=0).answer("kpis", of(1))
    assert (answer.state, answer.entry, answer.answered) == (AnswerState.FRESH, entry, of(1))
    assert Publisher(each_client).holds_all(entry, [EVERYTHING, of(1), of(2)])
    assert each_client.smembers(members_key(entry.generation)) == before


def test_it_expires_with_the_generation_and_is_removed_with_it(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING)
    add(client, entry, 1)
    keys = (added_key(entry.generation, variant_key("kpis", of(1))), additions_key(entry.generation))
    expiry = client.expiretime(members_key(entry.generation))
    assert [client.expiretime(key) for key in keys] == [expiry, expiry]
    later = time.time() + 90_000
    assert newsroom.publisher.prolong(entry.generation, later)
    assert {client.expiretime(key) for key in (*keys, members_key(entry.generation))} == {int(later) + 1}
    for mark in range(5):
        newsroom.publish(EVERYTHING, mark=mark + 1)
    assert client.exists(members_key(entry.generation), *keys) == 0


def test_the_earliest_make_room_for_the_latest(newsroom, client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(additions, "MOST", 3)
    entry = newsroom.publish(EVERYTHING)
    for number in range(5):
        add(client, entry, number)
    assert marks(client, *range(5)) == [None, None, 2, 3, 4]
    assert client.zcard(additions_key(entry.generation)) == 3
    assert len(client.keys("kpi:a:*")) == 4


def test_bridges_make_room_for_each_other_as_a_whole_and_go_with_the_rest(
    newsroom, client, monkeypatch
) -> None:
    monkeypatch.setattr(additions, "MOST_BRIDGES", 2)
    entry = newsroom.publish(EVERYTHING)
    add(client, entry, 1)

    def names(number: int) -> list[str]:
        return [f"bridge-{number}-{part}" for part in range(DOCUMENTS_OF_ONE)]

    for number in range(4):
        assert Additions(client).add_bridge(entry.generation, dict.fromkeys(names(number), b"document"))
    there = [client.exists(*(added_key(entry.generation, name) for name in names(at))) for at in range(4)]
    assert there == [0, 0, DOCUMENTS_OF_ONE, DOCUMENTS_OF_ONE]
    assert marks(client, 1) == [1]
    later = time.time() + 90_000
    newsroom.publisher.prolong(entry.generation, later)
    held = [*client.keys("kpi:a:*"), *client.keys("kpi:b:*")]
    assert {client.expiretime(key) for key in held} == {int(later) + 1}
    Additions(client).remove(entry.generation)
    assert client.exists(*held) == 0
    client.flushall()
    assert not Additions(client).add_bridge(entry.generation, {names(0)[0]: b"document"})


def test_nothing_is_added_to_a_generation_that_is_gone(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING)
    client.flushall()
    assert not add(client, entry, 1)
    assert client.dbsize() == 0


def test_one_that_is_corrupt_is_a_miss_and_an_alarm_and_is_replaced(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING)
    add(client, entry, 1)
    client.set(added_key(entry.generation, variant_key("kpis", of(1))), b"garbage", keepttl=True)
    answer = CacheReader(client, poll_s=0).answer("kpis", of(1))
    assert (answer.miss, answer.answered) == (MissReason.CORRUPT, EVERYTHING)
    assert client.hget("kpi:metrics:alarms", "payload_corrupt") == b"1"
    add(client, entry, 1)
    assert marks(client, 1) == [1]

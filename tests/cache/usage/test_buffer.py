"""The tally: questions are counted aside from answers, and written a moment later."""

import threading

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import Miss
from kpi_pipeline.cache.usage import buffer as tally_module
from kpi_pipeline.cache.usage.buffer import THREAD_NAME, Tally
from kpi_pipeline.cache.usage.counters import Ledger, Reads
from kpi_pipeline.model.filters import EVERYTHING, Filter

ACME = Filter.of({"client": "ACME"})


@pytest.fixture
def written_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "_DELAY_S", 3600)


def weights(ledger: Ledger, product: str = "kpis") -> dict[Filter, int]:
    return {asked.filter: round(asked.weight) for asked in ledger.asked(product, 10)}


def test_nothing_is_written_while_somebody_waits_for_an_answer(client, written_by_hand) -> None:
    tally, ledger = Tally(client), Ledger(client)
    for stale in (False, True, False):
        tally.count("kpis", ACME, None, stale=stale)
    tally.count("charts", EVERYTHING, None)
    tally.count("kpis", ACME, Miss.CORRUPT)
    assert client.dbsize() == 0
    tally.write()
    assert ledger.reads("kpis") == Reads(3, {Miss.CORRUPT: 1}, stale=1)
    assert ledger.reads("charts") == Reads(1, {})
    assert weights(ledger) == {ACME: 3}
    assert [(one.filter, round(one.weight)) for one in ledger.stale("kpis", 10)] == [(ACME, 1)]
    assert [(missed.filter, missed.reason) for missed in ledger.missed("kpis", 10)] == [(ACME, Miss.CORRUPT)]


def test_it_is_written_by_itself(client, wait_until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "_DELAY_S", 0.01)
    tally, ledger = Tally(client), Ledger(client)
    for round_ in (1, 2):
        tally.count("kpis", ACME, None)
        wait_until(lambda round_=round_: ledger.reads("kpis").hits == round_)
    wait_until(lambda: THREAD_NAME not in {thread.name for thread in threading.enumerate()})


def test_what_is_missing_is_wanted_by_whoever_asks_for_it_and_counted_once(client, written_by_hand) -> None:
    tally, ledger = Tally(client), Ledger(client)
    tally.count("kpis", ACME, Miss.NOT_HOT)
    ledger.want("kpis", ACME)
    tally.write()
    assert weights(ledger) == {ACME: 1}


def test_what_has_expired_is_asked_for_all_the_same(client, written_by_hand) -> None:
    tally, ledger = Tally(client), Ledger(client)
    tally.count("kpis", ACME, Miss.EXPIRED)
    tally.write()
    assert weights(ledger) == {ACME: 1}
    assert ledger.reads("kpis") == Reads(0, {Miss.EXPIRED: 1})


def test_what_cannot_be_written_is_written_later_and_once(client, written_by_hand, caplog) -> None:
    tally, ledger = Tally(client), Ledger(client)
    client.config_set("maxmemory", 1)
    try:
        for _ in range(2):
            tally.count("kpis", ACME, None, stale=True)
            tally.write()
    finally:
        client.config_set("maxmemory", 0)
    assert caplog.text.count("cannot be written yet") == 1
    tally.count("kpis", ACME, None)
    tally.write()
    tally.write()
    assert weights(ledger) == {ACME: 3}
    assert ledger.reads("kpis") == Reads(3, {}, stale=2)
    assert [(one.filter, round(one.weight)) for one in ledger.stale("kpis", 10)] == [(ACME, 2)]


def test_without_a_server_counting_goes_on_within_bounds(
    written_by_hand, caplog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_module, "_HELD", 5)
    with connect("redis://127.0.0.1:1/0") as nowhere:
        tally = Tally(nowhere)
        for number in range(40):
            tally.count("kpis", Filter.of({"client": str(number)}), None)
            if number % 10 == 9:
                tally.write()
    (counts,) = tally._counts.values()
    assert len(counts.asks) == 5
    assert counts.reads.total() == 40
    assert "cannot be written" in caplog.text


def test_threads_count_side_by_side(client: redis.Redis, written_by_hand) -> None:
    tally = Tally(client)

    def count() -> None:
        for _ in range(500):
            tally.count("kpis", ACME, None)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        tally.write()
    for thread in threads:
        thread.join()
    tally.write()
    assert Ledger(client).reads("kpis") == Reads(4_000, {})
    assert weights(Ledger(client)) == {ACME: 4_000}

"""The ledger: most recently asked first, bounded, forgiving of what others wrote."""

import pytest

from kpi_pipeline.cache import ledger as ledger_module
from kpi_pipeline.cache.keys import wanted_key
from kpi_pipeline.cache.ledger import Ledger
from kpi_pipeline.model.filters import Filter

A, B, C = (Filter.of({"client": name, "month": "2026-01"}) for name in "ABC")


class Clock:
    now = 1_790_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_the_most_recently_asked_comes_first(each_client) -> None:
    ledger = Ledger(each_client, clock=Clock())
    for wanted in (A, B, C, A):
        ledger.want("kpis", wanted)
    assert ledger.wanted("kpis", 10) == [A, C, B]
    assert ledger.wanted("kpis", 2) == [A, C]
    assert ledger.wanted("charts", 10) == []


def test_a_slower_clock_elsewhere_does_not_make_it_older(client) -> None:
    Ledger(client, clock=lambda: 100.0).want("kpis", A)
    Ledger(client, clock=lambda: 50.0).want("kpis", A)
    Ledger(client, clock=lambda: 70.0).want("kpis", B)
    assert Ledger(client).wanted("kpis", 10) == [A, B]


def test_it_is_bounded_and_expires(each_client, monkeypatch) -> None:
    monkeypatch.setattr(ledger_module, "_KEPT", 3)
    ledger = Ledger(each_client, clock=Clock())
    filters = [Filter.of({"client": str(number)}) for number in range(8)]
    for wanted in filters:
        ledger.want("kpis", wanted)
    assert each_client.zcard(wanted_key("kpis")) == 3
    assert ledger.wanted("kpis", 10) == filters[:4:-1]
    assert each_client.ttl(wanted_key("kpis")) > 0


@pytest.mark.parametrize("text", ["x", "[]", '{"colour":["red"]}'])
def test_what_is_no_filter_is_left_out(client, caplog, text: str) -> None:
    ledger = Ledger(client)
    ledger.want("kpis", A)
    client.zadd(wanted_key("kpis"), {text: 9e12})
    assert ledger.wanted("kpis", 10) == [A]
    assert "left out" in caplog.text

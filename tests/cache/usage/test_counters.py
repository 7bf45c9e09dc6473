"""Usage counters: what is requested, how lookups were answered, forgiving of what others wrote."""

from datetime import date

import pytest

from kpi_pipeline.cache.keys import missed_key, reads_key, wanted_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage.counters import DAYS_KEPT, MissedFilter, Reads, UsageCounters
from kpi_pipeline.model.filters import Filter

A, B, C = (Filter.of({"client": name, "month": "2026-01"}) for name in "ABC")
NOW = 1_790_000_000.0
DAY = 86_400


def counters_at(client, moment: float = NOW) -> UsageCounters:
    return UsageCounters(client, clock=lambda: moment)


def test_the_most_popular_comes_first(each_client) -> None:
    usage_counters = counters_at(each_client)
    usage_counters.add_requests("kpis", {A: 2, B: 5})
    usage_counters.add_request("kpis", C)
    usage_counters.add_request("kpis", A)
    assert usage_counters.most_requested_filters("kpis", 10) == [B, A, C]
    assert usage_counters.most_requested_filters("kpis", 2) == [B, A]
    assert [round(requested.weight) for requested in usage_counters.most_requested("kpis", 10)] == [5, 3, 1]
    assert usage_counters.most_requested_filters("charts", 10) == []


def test_a_new_fashion_overtakes_an_old_one(client) -> None:
    counters_at(client).add_requests("kpis", {A: 10})
    counters_at(client, NOW + 4 * DAY).add_request("kpis", B)
    assert counters_at(client, NOW + 4 * DAY).most_requested_filters("kpis", 10) == [B, A]


def test_a_slower_clock_elsewhere_does_not_make_it_less(client) -> None:
    counters_at(client).add_request("kpis", A)
    counters_at(client, NOW - 50).add_request("kpis", A)
    counters_at(client).add_request("kpis", B)
    assert counters_at(client).most_requested_filters("kpis", 10) == [A, B]


def test_misses_are_listed_with_their_reasons(each_client) -> None:
    usage_counters = counters_at(each_client)
    usage_counters.add_misses(
        "kpis",
        {(A, MissReason.NOT_PRECOMPUTED): 3, (A, MissReason.CORRUPT): 1, (B, MissReason.NOT_PRECOMPUTED): 2},
    )
    assert usage_counters.most_missed("kpis", 10) == [
        MissedFilter(A, MissReason.NOT_PRECOMPUTED, pytest.approx(3)),
        MissedFilter(B, MissReason.NOT_PRECOMPUTED, pytest.approx(2)),
        MissedFilter(A, MissReason.CORRUPT, pytest.approx(1)),
    ]
    assert len(usage_counters.most_missed("kpis", 1)) == 1
    assert each_client.ttl(missed_key("kpis")) > 0


def test_reads_are_those_of_the_last_days(each_client) -> None:
    for days in range(DAYS_KEPT + 1):
        counters_at(each_client, NOW - days * DAY).add_reads(
            "kpis", 10**days, {MissReason.NOT_PRECOMPUTED: 1}
        )
    counters_at(each_client).add_reads("kpis", 0, {MissReason.VANISHED: 2}, stale=5)
    reads = counters_at(each_client).reads("kpis")
    assert reads == Reads(1_111_111, {MissReason.NOT_PRECOMPUTED: DAYS_KEPT, MissReason.VANISHED: 2}, stale=5)
    assert reads.missed == DAYS_KEPT + 2
    assert counters_at(each_client).reads("charts") == Reads(0, {})
    assert all(each_client.ttl(key) > 0 for key in each_client.scan_iter("kpi:metrics:*"))


@pytest.mark.parametrize("text", ["x", "[]", '{"colour":["red"]}'])
def test_what_is_no_filter_is_left_out(client, caplog, text: str) -> None:
    usage_counters = UsageCounters(client)
    usage_counters.add_requests("kpis", {A: 1})
    usage_counters.add_misses("kpis", {(A, MissReason.NOT_PRECOMPUTED): 1})
    ((_, score),) = client.zrange(wanted_key("kpis"), 0, -1, withscores=True)
    client.zadd(wanted_key("kpis"), {text: score + 1})
    client.zadd(
        missed_key("kpis"), {f"not_precomputed {text}": score + 1, "bored {}": score + 1, "\xff": score}
    )
    assert usage_counters.most_requested_filters("kpis", 10) == [A]
    assert [missed.filter for missed in usage_counters.most_missed("kpis", 10)] == [A]
    assert "left out" in caplog.text


def test_counts_that_are_none_are_left_out(client) -> None:
    usage_counters = counters_at(client)
    usage_counters.add_reads("kpis", 3, {})
    (key,) = client.scan_iter("kpi:metrics:reads:*")
    client.hset(key, mapping={"not_precomputed": "many", "bored": "7", "\xff": "1"})
    assert usage_counters.reads("kpis") == Reads(3, {})
    assert key.decode() == reads_key("kpis", date(2026, 9, 21))

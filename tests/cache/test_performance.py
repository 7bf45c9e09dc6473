"""What was measured lately is counted in a bounded number of keys that expire."""

import pytest

from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.performance import PerformanceCounters, duration_counts, lookup_field
from kpi_pipeline.model.performance import DAY, FIVE_MINUTES, HOUR, WINDOWS, Lookups, Measure, Outcome

NOW = 1_800_000_000.0


def test_each_window_counts_what_lies_within_it(client) -> None:
    now = NOW
    counters = PerformanceCounters(client, clock=lambda: now)
    counters.add({lookup_field("kpis", Outcome.HIT): 3, lookup_field("kpis", Outcome.MISS, "corrupt"): 1})
    counters.add_duration(Measure.LAG, "kpis", 2.0)
    counters.add(duration_counts(Measure.ANSWER, "page", [0.5], 1000))
    for window in WINDOWS:
        read = counters.read(window)
        assert read.lookups == {"kpis": Lookups(3, 0, {"corrupt": 1})}
        assert read.durations[Measure.LAG]["kpis"].count == 1
        assert read.durations[Measure.ANSWER]["page"].bytes == 1000
        assert read.durations[Measure.ANSWER]["page"].mean_s == 0.5
    now += 600
    assert counters.read(FIVE_MINUTES).lookups == {}
    assert counters.read(HOUR).all_lookups.count == 4
    now += 2 * 3600
    assert counters.read(HOUR).lookups == {}
    assert counters.read(DAY).all_lookups.hit_rate == 0.75
    now += 2 * 86_400
    assert counters.read(DAY).all_lookups.hit_rate is None


def test_its_keys_are_few_and_expire_with_their_window(client) -> None:
    counters = PerformanceCounters(client, clock=lambda: NOW)
    counters.add_duration(Measure.STEP, "read_source", -1.0)
    keys = client.keys()
    assert len(keys) == len(WINDOWS)
    assert all(0 < client.ttl(key) <= 86_400 + 2 * 3_600 for key in keys)
    assert counters.read(HOUR).durations[Measure.STEP]["read_source"].total_s == 0


def test_what_others_wrote_there_is_left_out(client) -> None:
    counters = PerformanceCounters(client, clock=lambda: NOW)
    counters.add_duration(Measure.STEP, "a|b", 1.0)
    (key,) = (key for key in client.scan_iter("*:1h:*"))
    client.hset(key, mapping={"lookup|kpis|hit|": "many", "\xff": "1", "step|a|nonsense": "1", "odd": "1"})
    read = counters.read(HOUR)
    assert read.lookups == {}
    assert read.durations[Measure.STEP]["a"].count == 0


@pytest.mark.parametrize("user", ["serving", "pipeline"])
def test_both_users_may_count_and_read(user, client, cache_url) -> None:
    apply_acl(client, "secret", "secret")
    with connect(cache_url.replace("//", f"//{user}:secret@")) as own:
        counters = PerformanceCounters(own)
        counters.add({lookup_field("kpis", Outcome.STALE): 1})
        assert counters.read(HOUR).all_lookups.stale == 1

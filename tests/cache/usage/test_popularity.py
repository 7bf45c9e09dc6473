"""Popularity: requests decay against each other without being rewritten, and the heaviest are kept."""

import math

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.cache.usage.popularity import FORGOTTEN, HALF_LIFE_S, Popularity
from tests.examples import examples

KEY = "kpi:wanted:kpis"
NOW = 1_790_000_000.0

requests = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"c", b"d"]),
        st.floats(0, 6 * HALF_LIFE_S),
        st.integers(1, 1_000),
    ),
    min_size=1,
    max_size=12,
)


def at(client: redis.Redis, moment: float) -> Popularity:
    return Popularity(client, clock=lambda: moment)


def test_a_request_counts_half_after_a_half_life(each_client) -> None:
    at(each_client, NOW).add(KEY, {b"a": 8})
    for lives, weight in ((0, 8), (1, 4), (2, 2), (3, 1)):
        ranked = at(each_client, NOW + lives * HALF_LIFE_S).ranked(KEY, 10)
        assert ranked == [(b"a", pytest.approx(weight))]


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests)
def test_weights_are_decayed_sums_whatever_the_order_of_requests(client, made) -> None:
    client.delete(KEY)
    expected: dict[bytes, float] = {}
    for item, age, times in made:
        at(client, NOW - age).add(KEY, {item: times})
        expected[item] = expected.get(item, 0) + times * 2 ** (-age / HALF_LIFE_S)
    ranked = at(client, NOW).ranked(KEY, 10)
    held = {item: weight for item, weight in expected.items() if weight > 1.001 * FORGOTTEN}
    assert {item: weight for item, weight in ranked if weight > 1.001 * FORGOTTEN} == pytest.approx(
        held, rel=1e-6
    )
    weights = [weight for _, weight in ranked]
    assert weights == sorted(weights, reverse=True)


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests, st.floats(0, HALF_LIFE_S))
def test_time_that_passes_changes_no_order(client, made, later) -> None:
    client.delete(KEY)
    for item, age, times in made:
        at(client, NOW - age).add(KEY, {item: times})
    before = [item for item, weight in at(client, NOW).ranked(KEY, 10) if weight > 2.1 * FORGOTTEN]
    after = [item for item, _ in at(client, NOW + later).ranked(KEY, 10)]
    assert after[: len(before)] == before


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(0, 50), st.integers(1, 9), min_size=1))
def test_it_is_bounded_and_the_lightest_fall_off(client, made) -> None:
    client.delete(KEY)
    popularity = Popularity(client, kept=5, clock=lambda: NOW)
    popularity.add(KEY, {str(item).encode(): times for item, times in made.items()})
    assert client.zcard(KEY) == min(len(made), 5)
    kept = sorted((round(weight) for _, weight in at(client, NOW).ranked(KEY, 100)), reverse=True)
    assert kept == sorted(made.values(), reverse=True)[:5]


def test_it_expires_when_nobody_requests_any_more(each_client) -> None:
    at(each_client, NOW).add(KEY, {b"a": 1})
    assert each_client.ttl(KEY) > 7 * 86_400


def test_what_was_requested_long_ago_is_forgotten(client) -> None:
    at(client, NOW).add(KEY, {b"a": 1})
    lives = -math.log2(FORGOTTEN)
    assert at(client, NOW + (lives - 0.01) * HALF_LIFE_S).ranked(KEY, 10)
    assert at(client, NOW + (lives + 0.01) * HALF_LIFE_S).ranked(KEY, 10) == []


def test_a_clock_far_ahead_gives_nothing_lasting_weight(client) -> None:
    at(client, NOW + 400 * 86_400).add(KEY, {b"a": 1})
    assert at(client, NOW).ranked(KEY, 10) == []
    at(client, NOW).add(KEY, {b"a": 3})
    assert at(client, NOW).ranked(KEY, 10) == [(b"a", pytest.approx(3))]


def test_nothing_requested_writes_nothing(client) -> None:
    at(client, NOW).add(KEY, {})
    assert client.exists(KEY) == 0

"""The read client's breaker: after a failure one caller at a time tries again, and only after the pause."""

import pytest
import redis

from kpi_pipeline.cache.reading.client import Breaker, CacheUnavailable, ReadClient


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("error", [ValueError, TypeError, IndexError, redis.ConnectionError])
def test_a_reply_that_is_none_is_an_outage_like_others(error: type[Exception], caplog) -> None:
    def damaged(_: redis.Redis) -> None:
        raise error("invalid literal for int() with base 10: b'oops'")

    client = ReadClient(redis.Redis())
    with pytest.raises(CacheUnavailable, match="oops"):
        client.call(damaged)
    assert client.failing
    # Of what Redis does not say itself engineers see where it comes from.
    assert bool(caplog.records[0].exc_info) is not issubclass(error, redis.RedisError)


def test_it_admits_all_until_a_failure() -> None:
    breaker = Breaker(1, clock=Clock())
    assert all(breaker.admits() for _ in range(3))
    assert not breaker.failing


def test_after_a_failure_one_caller_a_pause_may_try() -> None:
    clock = Clock()
    breaker = Breaker(1, clock=clock)
    breaker.failed()
    for start in (0.0, 1.0, 2.5):
        clock.now = start
        # Nobody right after the failure; later, one.
        assert [breaker.admits() for _ in range(3)] == [start > 0, False, False]
        clock.now += 0.99
        assert not breaker.admits()
    assert breaker.failing


def test_the_pause_counts_from_the_end_of_the_failed_call() -> None:
    clock = Clock()
    breaker = Breaker(1, clock=clock)
    breaker.failed()
    clock.now = 1.0
    assert breaker.admits()
    clock.now = 1.5
    breaker.failed()
    clock.now = 2.4
    assert not breaker.admits()
    clock.now = 2.5
    assert breaker.admits()


def test_a_success_opens_it_for_all() -> None:
    clock = Clock()
    breaker = Breaker(1, clock=clock)
    breaker.failed()
    clock.now = 1.0
    assert breaker.admits()
    breaker.succeeded()
    assert not breaker.failing
    assert all(breaker.admits() for _ in range(3))

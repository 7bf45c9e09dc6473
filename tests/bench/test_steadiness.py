"""What a soak calls unsteady."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from bench.steadiness import Window, unsteady

MINUTES = 30


def minutes(**changing: Sequence[Any]) -> list[Window]:
    """Half an hour in which all stays as it is, but for some measures."""
    noise = random.Random(1)
    usual = {"requests": 60_000, "p50_ms": 11.0, "p99_ms": 56.0, "published": 12, "most_keys": 80_000}
    usual |= {"keys": 60_000, "data_kib": 340_000}
    found = []
    for minute in range(MINUTES):
        given = {**usual, **{name: values[minute] for name, values in changing.items() if name in usual}}
        mib = {"worker": 800 + noise.randrange(60), "monitor": 37 + noise.randrange(2)}
        mib |= {name: values[minute] for name, values in changing.items() if name in mib}
        found.append(Window(**given, mib=mib))
    return found


def line(first: float, an_hour: float) -> list[int]:
    return [round(first + an_hour * minute / 60) for minute in range(MINUTES)]


def test_what_stays_is_steady() -> None:
    assert unsteady(minutes(), 5.0) == []


def test_what_fills_in_the_first_minutes_is_steady() -> None:
    filled = [min(500 + 40 * minute, 800) for minute in range(MINUTES)]
    assert (
        unsteady(minutes(worker=filled, keys=[min(20_000 + 5_000 * one, 60_000) for one in range(30)]), 5.0)
        == []
    )


@pytest.mark.parametrize(
    ("name", "first", "an_hour", "told"),
    [
        ("worker", 900, 1_100, "worker, MiB: grows by"),
        ("worker", 800, 90, "worker, MiB: grows by"),
        ("data_kib", 340_000, 100_000, "the cache, KiB a key: grows by"),
        ("keys", 60_000, 61_000, "the cache holds 80333 keys of at most 80000"),
    ],
)
def test_slow_growth_is_found(name: str, first: float, an_hour: float, told: str) -> None:
    (found,) = unsteady(minutes(**{name: line(first, an_hour)}), 5.0)
    assert found.startswith(told)


def test_a_longer_p99_and_a_missed_pace_are_found() -> None:
    (slow,) = unsteady(minutes(p99_ms=[50.0] * 15 + [90.0] * 15), 5.0)
    (behind,) = unsteady(minutes(published=[6] * MINUTES), 5.0)
    assert (slow, behind) == ("p99 is 90.0 ms after 50.0", "180 publications of 360 asked for")

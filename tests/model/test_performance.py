"""Windows and distributions."""

import pytest

from kpi_pipeline.model.performance import (
    WINDOWS,
    AnswerKind,
    Distribution,
    Lookups,
    Measure,
    Performance,
    bucket_of,
)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_reaches_back_as_far_as_it_says_and_little_further(window) -> None:
    for now in (0.0, 1_800_000_000.0, 1_800_000_000.0 + window.slot_s - 0.5):
        begin = window.slots(now)[0] * window.slot_s
        assert window.seconds <= now - begin < 1.11 * window.seconds


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e-5, 1.1e-5, 0.001, 0.35, 1.0, 59.0, 3_000.0])
def test_a_quantile_is_right_but_for_the_width_of_a_bucket(seconds) -> None:
    measured = Distribution({bucket_of(seconds): 3}).quantile_s(0.5)
    assert measured is not None
    assert seconds <= measured * 1.000001
    assert measured <= max(1.2 * seconds, 1.0001e-5)


def test_quantiles_by_rank() -> None:
    fast, slow = bucket_of(0.001), bucket_of(1.0)
    mixed = Distribution({fast: 95, slow: 5}, total_s=5.095)
    assert mixed.quantile_s(0.95) == pytest.approx(0.001, rel=0.19)
    assert mixed.quantile_s(0.99) == pytest.approx(1.0, rel=0.19)
    assert (mixed.count, mixed.mean_s) == (100, pytest.approx(0.05095))


def test_nothing_measured() -> None:
    nothing = Distribution({})
    assert (nothing.count, nothing.mean_s, nothing.quantile_s(0.5)) == (0, None, None)
    assert Lookups().hit_rate is None


def test_a_duration_beyond_all_measure_has_a_bucket() -> None:
    assert bucket_of(1e9) == bucket_of(1e12)


def test_all_products_and_kinds_together() -> None:
    window = WINDOWS[0]
    lookups = {"kpis": Lookups(1, 1, {"corrupt": 1}), "charts": Lookups(1, 0, {"corrupt": 2}, 4)}
    answers = {kind: Distribution({1: 1}, 0.5, 10) for kind in AnswerKind}
    both = Performance(window, lookups, {Measure.ANSWER: answers})
    assert both.all_lookups == Lookups(2, 1, {"corrupt": 3}, 4)
    assert both.all_lookups.hit_rate == 0.3
    assert both.all_answers == Distribution({1: 4}, 2.0, 40)  # problems hold no figures

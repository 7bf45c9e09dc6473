"""The forecast of a variant: months, amounts that add up, bands, and on what it rests."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from kpi_pipeline.compute.blocks.forecast import forecast, next_days
from tests.compute.blocks.conftest import basis

NAMES = ("expected", "low_50", "high_50", "low_90", "high_90")
TESTED = {"CLP": basis()}


def history(clients: int = 1):
    """Clients that paid after 20 to 99 days, and who owe now."""
    start = date(2023, 6, 1)
    paid = [
        {
            "client": f"C{number % clients}",
            "state": "pagado",
            "issued_on": start + timedelta(number),
            "paid_on": start + timedelta(number + 20 + number * 7 % 80),
            "amount_proposed": 10**6,
            "amount_approved": 10**6,
        }
        for number in range(120)
    ]
    open_now = [
        {"client": f"C{number % clients}", "issued_on": date(2024, 2, 1 + number), "amount_proposed": 10**6}
        for number in range(20)
    ]
    return paid + open_now


def test_what_is_expected_later_or_unknown_adds_up_to_the_receivable(slice_of) -> None:
    filters = ({}, {"client": "C1"})
    everything, one = forecast(slice_of(*filters, certificates=history(3), costs=(), bases=TESTED))
    assert (everything["months"][0], everything["months"][-1]) == ("2024-03", "2025-02")
    for found in (everything, one):
        (line,) = found["lines"]
        assert sum(line["expected"]) + line["later"] + line["unknown"] == line["receivable"] > 0
        assert sum(line["expected"]) > 0
    assert everything["lines"][0]["receivable"] == 20 * 10**6


def test_bands_hold_what_is_expected_and_the_wider_holds_the_narrower(slice_of) -> None:
    ((found),) = forecast(slice_of(certificates=history(), costs=(), bases=TESTED))
    (line,) = found["lines"]
    for expected, low_50, high_50, low_90, high_90 in zip(*(line[name] for name in NAMES), strict=True):
        assert 0 <= low_90 <= low_50 <= expected <= high_50 <= high_90 <= line["receivable"]
    assert line["low_90"][0] < line["low_50"][0] < line["high_50"][0] < line["high_90"][0]


def test_the_whole_and_its_parts_have_their_own_bands(slice_of) -> None:
    def widths(**factors: float) -> list[int]:
        bases = {"CLP": basis(**factors)}
        found = forecast(slice_of({}, {"client": "C0"}, certificates=history(), costs=(), bases=bases))
        return [one["lines"][0]["high_50"][0] - one["lines"][0]["expected"][0] for one in found]

    whole, part = widths(whole=0.25)
    assert part == pytest.approx(4 * whole, abs=2) and whole > 0
    assert widths(whole=0.5)[0] == pytest.approx(2 * whole, abs=2)
    # There is one client: its part is the whole.
    assert len(set(widths())) == 1


def test_how_often_bands_of_the_next_days_held_is_of_the_whole_or_of_single_clients(slice_of) -> None:
    tested = basis()
    soon = replace(tested.next_test, coverage_90=0.92, client_coverage_90=0.88)
    bases = {"CLP": replace(tested, next_test=soon)}
    found = next_days(slice_of({}, {"client": "C0"}, certificates=history(), costs=(), bases=bases))
    assert [line["coverage_90"] for (line,) in found] == [0.92, 0.88]


def test_with_too_little_history_there_is_no_forecast(slice_of) -> None:
    (found,) = forecast(slice_of(certificates=history(), costs=()))
    (line,) = found["lines"]
    assert [line[name] for name in NAMES] == [[None] * 12] * 5
    assert (line["later"], line["unknown"], line["receivable"]) == (None, None, 20 * 10**6)
    assert line["basis"] == {"rule": "none", "reason": "too_little_history", "test": None}


def test_what_the_back_test_found_is_told(slice_of) -> None:
    (found,) = forecast(slice_of(certificates=history(), costs=(), bases=TESTED))
    assert found["lines"][0]["basis"] == {
        "rule": "model",
        "reason": "model_not_worse",
        "test": {
            "months": 96,
            "error_share": 0.06,
            "naive_error_share": 0.09,
            "coverage_50": 0.5,
            "coverage_90": 0.9,
            "client_coverage_50": None,
            "client_coverage_90": None,
        },
    }


def test_without_payments_everything_is_unknown(slice_of) -> None:
    row = {"issued_on": date(2024, 1, 1), "amount_proposed": 70}
    (found,) = forecast(slice_of({"client": "x"}, certificates=[row], costs=(), bases=TESTED))
    (line,) = found["lines"]
    assert sum(line["expected"]) + line["later"] + line["unknown"] == line["receivable"] == 70
    assert line["unknown"] == 70

"""What a KPI says, with its comparison, its trend and its twelve points."""

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import KPIS, TREND_MONTHS, Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import Total, plain
from kpi_pipeline.model.labels import Text
from tests.compute.entries import certificate, cost
from tests.compute.rows import AS_OF
from tests.examples import examples

FIELDS = ("value", "previous", "change", "change_share", "trend", "spark")


def accepted(month: date, amount: int, **given: Any) -> dict[str, Any]:
    return {"state": "validado", "issued_on": month, "amount_approved": amount, **given}


@pytest.mark.slow
@settings(max_examples=examples(12))
@given(st.lists(certificate(), max_size=6), st.lists(cost(), max_size=3))
def test_every_reading_is_whole_and_plain_json(cube_of, rows, spent) -> None:
    cube = cube_of(rows, costs=spent)
    requested = [EVERYTHING, Filter.of({"state": "pagado"}), Filter.of({"month": ["2023-01", "2024-02"]})]
    for found in kpi_values(cube.select(requested), KPIS):
        assert list(found) == [kpi.name for kpi in KPIS]
        assert orjson.loads(orjson.dumps(found)) == found
        for kpi in KPIS:
            if not kpi.per_currency:
                assert len(found[kpi.name]) == 1
            for one in found[kpi.name]:
                assert [name for name in one if name in FIELDS] == list(FIELDS)
                assert ("currency" in one) == kpi.per_currency
                assert len(one["spark"]) == TREND_MONTHS
                assert (one["change"] is None) == (one["value"] is None or one["previous"] is None)
                assert (one["trend"] is None) == (one["change"] is None or kpi.direction is Direction.NEUTRAL)
                assert (one["change_share"] is None) == (one["change"] is None or not one["previous"])


def test_money_has_a_reading_a_currency_and_counts_have_one(cube_of, read) -> None:
    cube = cube_of([{"amount_proposed": 7, "currency": "USD"}, {"amount_proposed": 120}, {"client": "y"}])
    assert [(one["currency"], one["value"]) for one in read(cube, "proposed")] == [("CLP", 130), ("USD", 7)]
    assert [one["value"] for one in read(cube, "certificates")] == [3]
    assert [one["currency"] for one in read(cube, "proposed", client="y")] == ["CLP"]
    assert read(cube, "proposed", client="nobody") == []
    assert [one["value"] for one in read(cube, "certificates", client="nobody")] == [0]


BEFORE = accepted(date(2023, 12, 1), 0)
"""A certificate by which the data reach back to the windows compared here."""


def test_a_change_is_of_the_day_against_the_same_day_a_window_before(cube_of, read) -> None:
    rows = [
        accepted(date(2023, 12, 1), 100),
        accepted(date(2024, 1, 20), 50),
        accepted(date(2024, 2, 20), 90),
    ]
    # A window of one month: from 16 February to 15 March, and from 16 January to 15 February.
    (found,) = read(cube_of(rows, window=1), "approved")
    assert found == {
        "currency": "CLP",
        "value": 90,
        "previous": 50,
        "change": 40,
        "change_share": 0.8,
        "trend": "improving",
        "spark": [*[0] * 8, 100, 50, 90, 90],
    }


def test_what_is_paid_long_after_its_issue_is_of_the_window_of_its_payment(cube_of, read) -> None:
    row = accepted(date(2022, 6, 1), 70, state="pagado", conformity_on=date(2022, 6, 10))
    cube = cube_of([{**row, "paid_on": date(2023, 5, 2)}, {**row, "paid_on": date(2024, 3, 1)}])
    assert read(cube, "paid")[0]["spark"] == [0, *[70] * 10, 140]
    assert read(cube, "approved")[0]["spark"] == [140, 140, *[0] * 10]
    assert read(cube, "paid_count")[0]["value"] == 2


def test_months_have_neither_comparison_nor_trend(cube_of, read) -> None:
    rows = [accepted(date(2023, 12, 1), 100), accepted(date(2024, 2, 20), 90), accepted(AS_OF, 7)]
    (found,) = read(cube_of(rows), "approved", month=["2023-12", "2024-02"])
    assert found == {
        "currency": "CLP",
        "value": 190,
        "previous": None,
        "change": None,
        "change_share": None,
        "trend": None,
        "spark": [None] * 12,
    }


def test_what_lies_before_the_data_is_no_value_to_compare_with(cube_of, read) -> None:
    # The window of 15 March 2023 begins on 16 March 2022.
    for first, flow, stock in (
        (date(2022, 3, 16), 0, 10),
        (date(2022, 3, 17), None, 10),
        (date(2023, 3, 15), None, 10),
        (date(2023, 3, 16), None, None),
    ):
        cube = cube_of([{"issued_on": first}, {"client": "y", "issued_on": date(2024, 3, 1)}])
        assert read(cube, "paid")[0]["previous"] == flow, first
        assert read(cube, "receivable")[0]["previous"] == stock, first
        # That the client came later is no lack of data.
        assert read(cube, "receivable", client="y")[0]["previous"] == (None if stock is None else 0), first


@pytest.mark.parametrize(
    ("previous", "now", "trend"),
    [
        (1000, 1050, "improving"),
        (1000, 1049, "stable"),
        (1000, 951, "stable"),
        (1000, 950, "declining"),
        (1000, 1000, "stable"),
        (0, 1, "improving"),
        (0, -1, "declining"),
        (-1000, -950, "improving"),
        (0, 0, "stable"),
    ],
)
def test_a_small_change_is_no_trend(cube_of, previous: int, now: int, trend: str) -> None:
    rows = [BEFORE, accepted(date(2024, 1, 20), previous), accepted(date(2024, 2, 20), now)]
    slice_ = cube_of(rows, window=1).select([EVERYTHING])
    opposite = {"improving": "declining", "declining": "improving", "stable": "stable"}[trend]
    for direction, expected in (
        (Direction.UP, trend),
        (Direction.DOWN, opposite),
        (Direction.NEUTRAL, None),
    ):
        kpi = Kpi(
            "k",
            Text("K", "K"),
            Unit.MONEY,
            Total(plain("approved_amount")),
            direction,
            True,
            Text("Prueba.", "Test."),
        )
        ((found,),) = kpi_values(slice_, [kpi])[0].values()
        assert found["trend"] == expected
        assert found["change_share"] == ((now - previous) / abs(previous) if previous else None)


def test_how_small_is_a_threshold(cube_of, read) -> None:
    rows = [BEFORE, accepted(date(2024, 1, 20), 1000), accepted(date(2024, 2, 20), 1100)]
    assert read(cube_of(rows, window=1), "approved")[0]["trend"] == "improving"
    assert read(cube_of(rows, window=1, stable_share=0.2), "approved")[0]["trend"] == "stable"


def test_points_are_rounded_by_their_unit_and_values_are_not(cube_of, read) -> None:
    rows = [
        {"issued_on": date(2024, 3, 1), "amount_proposed": amount, "sent_on": date(2024, 3, 1 + day)}
        | {"state": state, "amount_approved": amount}
        for amount, day, state in ((10, 0, "validado"), (10, 1, "validado"), (11, 1, "rechazado"))
    ]
    cube = cube_of(rows)
    (average,) = read(cube, "average_certificate")
    assert (average["value"], average["spark"][-1]) == (31 / 3, 10)
    assert isinstance(average["spark"][-1], int)
    (share,) = read(cube, "approval_rate_count")
    assert (share["value"], share["spark"][-1]) == (2 / 3, 0.6667)
    (days,) = read(cube, "sending_days")
    assert (days["value"], days["spark"][-1]) == (2 / 3, 0.7)


def test_half_a_minor_unit_goes_to_the_even_one(cube_of, read) -> None:
    months = [date(2024, 1, 1), date(2024, 2, 1)]
    rows = [{"issued_on": month, "amount_proposed": at} for at, month in enumerate(months) for _ in "ab"]
    rows += [{"issued_on": month, "amount_proposed": at + 1} for at, month in enumerate(months) for _ in "ab"]
    assert read(cube_of(rows, window=1), "average_certificate")[0]["spark"][-3:-1] == [0, 2]


def test_nothing_is_minus_nothing(cube_of) -> None:
    rows = [{"amount_proposed": -3, "state": "rechazado", "sent_on": AS_OF}]
    found = kpi_values(cube_of(rows, window=1).select([EVERYTHING]), KPIS)
    assert b"-0.0" not in orjson.dumps(found)
    (rate,) = found[0]["approval_rate"]
    assert (rate["value"], rate["numerator"], rate["denominator"]) == (0.0, 0, -3)

"""KpiValues: what a KPI says, with its comparison, its trend and its twelve points."""

from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.kpi_values import age_comparisons, kpi_values
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import KPIS, TREND_MONTHS, Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import Total, plain
from kpi_pipeline.model.labels import Text
from tests.compute.entries import certificate, cost
from tests.compute.rows import AS_OF

FIELDS = ("value", "recent", "previous", "change", "change_share", "trend", "spark")
AGES = ["0-6", "7-13", "14-29", "30-59", "60-89", "90-179", "180-364", "365-729"]


def accepted(month: date, amount: int, **given: Any) -> dict[str, Any]:
    return {"state": "validado", "issued_on": month, "amount_approved": amount, **given}


@settings(max_examples=12)
@given(st.lists(certificate(), max_size=6), st.lists(cost(), max_size=3))
def test_every_reading_is_whole_and_plain_json(cube_of, rows, spent) -> None:
    cube = cube_of(rows, costs=spent)
    requested = [EVERYTHING, Filter.of({"state": "pagado"}), Filter.of({"issued_age": AGES[:3]})]
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
                assert (one["change"] is None) == (one["recent"] is None or one["previous"] is None)
                assert (one["trend"] is None) == (one["change"] is None or kpi.direction is Direction.NEUTRAL)
                assert (one["change_share"] is None) == (one["change"] is None or not one["previous"])


def test_money_has_a_reading_a_currency_and_counts_have_one(cube_of, read) -> None:
    cube = cube_of([{"amount_proposed": 7, "currency": "USD"}, {"amount_proposed": 120}, {"client": "y"}])
    assert [(one["currency"], one["value"]) for one in read(cube, "proposed")] == [("CLP", 130), ("USD", 7)]
    assert [one["value"] for one in read(cube, "certificates")] == [3]
    assert [one["currency"] for one in read(cube, "proposed", client="y")] == ["CLP"]
    assert read(cube, "proposed", client="nobody") == []
    assert [one["value"] for one in read(cube, "certificates", client="nobody")] == [0]


def test_a_change_is_of_the_last_complete_window_against_the_one_before(cube_of, read) -> None:
    rows = [
        accepted(date(2023, 12, 1), 100),
        accepted(date(2024, 1, 1), 50),
        accepted(date(2024, 2, 1), 90),
        accepted(date(2024, 3, 1), 1000),
    ]
    (found,) = read(cube_of(rows, window=1), "approved")
    assert found == {
        "currency": "CLP",
        "value": 1240,
        "recent": 90,
        "previous": 50,
        "change": 40,
        "change_share": 0.8,
        "trend": "improving",
        "spark": [*[0] * 8, 100, 50, 90, 1000],
    }
    (named,) = read(cube_of(rows), "approved", month=["2023-12", "2024-02"])
    assert (named["value"], named["recent"], named["change"], named["trend"]) == (190, None, None, None)
    (present,) = read(cube_of(rows), "approved", month=["2024-02", "2024-03"])
    assert (present["value"], present["recent"], present["previous"]) == (1090, 90, 50)


@pytest.mark.parametrize(
    ("previous", "recent", "trend"),
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
def test_a_small_change_is_no_trend(cube_of, previous: int, recent: int, trend: str) -> None:
    rows = [accepted(date(2024, 1, 1), previous), accepted(date(2024, 2, 1), recent)]
    slice_ = cube_of(rows, window=1).select([EVERYTHING])
    opposite = {"improving": "declining", "declining": "improving", "stable": "stable"}[trend]
    for direction, expected in (
        (Direction.UP, trend),
        (Direction.DOWN, opposite),
        (Direction.NEUTRAL, None),
    ):
        kpi = Kpi("k", Text("K", "K"), Unit.MONEY, Total(plain("approved_amount")), direction, True, "Test.")
        ((found,),) = kpi_values(slice_, [kpi])[0].values()
        assert found["trend"] == expected
        assert found["change_share"] == ((recent - previous) / abs(previous) if previous else None)


def test_how_small_is_a_threshold(cube_of, read) -> None:
    rows = [accepted(date(2024, 1, 1), 1000), accepted(date(2024, 2, 1), 1100)]
    assert read(cube_of(rows, window=1), "approved")[0]["trend"] == "improving"
    assert read(cube_of(rows, window=1, stable_share=0.2), "approved")[0]["trend"] == "stable"


def test_points_are_rounded_by_their_unit_and_values_are_not(cube_of, read) -> None:
    rows = [
        {"issued_on": date(2024, 3, 1), "amount_proposed": amount, "sent_on": date(2024, 3, 1 + day)}
        | {"conformity_on": date(2024, 3, 10), "state": state, "amount_approved": amount}
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
    assert read(cube_of(rows), "average_certificate")[0]["spark"][-3:-1] == [0, 2]


def aged(days: int, amount: int, **given: Any) -> dict[str, Any]:
    return accepted(AS_OF - timedelta(days), amount, amount_proposed=amount, **given)


ROWS = [aged(age, 10**at) for at, age in enumerate((3, 10, 20, 40, 70, 100, 200, 400))]


@pytest.mark.parametrize(
    ("ages", "before"),
    [
        (AGES[:1], AGES[1:2]),
        (AGES[:3], AGES[3:4]),
        (AGES[:5], AGES[5:6]),
        (AGES[:7], AGES[7:8]),
    ],
)
def test_a_quick_period_of_days_compares_with_as_many_days_before(cube_of, read, ages, before) -> None:
    cube = cube_of(ROWS)
    (found,) = read(cube, "approved", issued_age=ages)
    held = sum(10 ** AGES.index(label) for label in ages)
    earlier = 10 ** AGES.index(before[0])
    assert (found["value"], found["recent"], found["previous"]) == (held, held, earlier)
    assert found["change"] == held - earlier
    (share,) = read(cube, "approval_rate", issued_age=ages)
    assert (share["recent"], share["previous"], share["trend"]) == (1.0, 1.0, "stable")
    (top,) = read(cube, "top_client_share", issued_age=ages)
    assert (top["recent"], top["previous"]) == (1.0, 1.0)
    assert list(age_comparisons(cube.select([Filter.of({"issued_age": ages})]))) == [
        {"issued_age": sorted(ages), "previous_issued_age": before}
    ]


def test_only_flows_of_certificates_compare_by_age(cube_of, read) -> None:
    cube = cube_of([*ROWS, aged(3, 5, state="pagado", paid_on=AS_OF)], costs=[{}])
    for kpi in KPIS:
        compared = {one["recent"] is not None for one in read(cube, kpi.name, issued_age=AGES[:1])}
        if kpi.name in ("proposed", "approved", "paid", "certificates", "payment_days_median"):
            assert compared == {True}, kpi.name
        if kpi.name in (
            "receivable",
            "overdue",
            "collected",
            "costs",
            "dso",
            "revenue_share",
            "expected_loss",
        ):
            assert compared == {False}, kpi.name


@pytest.mark.parametrize(
    "terms",
    [
        {"issued_age": AGES[:2]},
        {"issued_age": AGES[1:2]},
        {"issued_age": [*AGES[:1], "730+"]},
        {"issued_age": AGES[:1], "month": "2024-03"},
        {"client": "x"},
    ],
)
def test_other_ages_have_no_days_before_them(cube_of, read, terms) -> None:
    cube = cube_of(ROWS)
    assert list(age_comparisons(cube.select([Filter.of(terms)]))) == [None]
    if "issued_age" in terms:
        (found,) = read(cube, "approved", **terms)
        assert (found["recent"], found["previous"], found["change"]) == (None, None, None)


def test_a_quick_period_is_of_the_same_other_values(cube_of, read) -> None:
    cube = cube_of([*ROWS, aged(2, 7, client="y"), aged(9, 9, client="y")])
    (found,) = read(cube, "approved", issued_age=AGES[:1], client="y")
    assert (found["value"], found["previous"], found["change"]) == (7, 9, -2)


def test_nothing_is_minus_nothing(cube_of) -> None:
    rows = [{"amount_proposed": -3, "state": "rechazado", "conformity_on": AS_OF, "sent_on": AS_OF}]
    found = kpi_values(cube_of(rows, window=1).select([EVERYTHING]), KPIS)
    assert b"-0.0" not in orjson.dumps(found)
    (rate,) = found[0]["approval_rate"]
    assert (rate["value"], rate["numerator"], rate["denominator"]) == (0.0, 0, -3)

"""Windows: the days of billing, and what the data reach back to."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.evaluation_days import DAYS, PREVIOUS, TREND
from kpi_pipeline.compute.windows import (
    cohorts,
    comparable_flows,
    comparable_stocks,
    comparisons,
    has_day,
    window_days,
)
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.compute.rows import AS_OF

LONG_AGO = {"client": "old", "issued_on": date(2021, 1, 1)}


def days_of(cube, **terms: Any) -> list[int]:
    """The days of billing of one filter, on each day."""
    (found,) = window_days(cube.select([Filter.of(terms)])).tolist()
    return found


def settled(issued: date, after: int, **given: Any) -> dict[str, Any]:
    """A certificate that was paid so many days after its issue."""
    return {"state": "pagado", "issued_on": issued, "paid_on": issued + timedelta(after), **given}


def test_an_old_firm_has_the_whole_window(cube_of) -> None:
    found = days_of(cube_of([LONG_AGO]))
    # 16 March 2023 to 15 March 2024 with a leap day; the year before without.
    assert (found[NOW], found[PREVIOUS]) == (366, 365)
    # The ends of April 2023 to January 2024 before the leap day, and that of February.
    assert [found[place] for place in TREND] == [365] * 10 + [366, 366]
    assert days_of(cube_of([LONG_AGO], window=3))[NOW] == 16 + 31 + 29 + 15
    assert days_of(cube_of([LONG_AGO], date(2024, 2, 29), 1))[NOW] == 29


def test_a_client_of_an_old_firm_has_the_days_since_it_began(cube_of) -> None:
    cube = cube_of([LONG_AGO, {"client": "new", "issued_on": date(2024, 1, 16)}])
    found = days_of(cube, client="new")
    assert found[NOW] == 16 + 29 + 15
    assert [found[place] for place in TREND] == [0] * 9 + [16, 16 + 29, 16 + 29 + 15]
    assert days_of(cube)[NOW] == 366
    assert days_of(cube, client=["new", "old"])[NOW] == 366
    assert days_of(cube, client="nobody") == [0] * DAYS


def test_what_is_settled_before_the_window_began_it_all_the_same(cube_of) -> None:
    cube = cube_of([settled(date(2021, 1, 1), 30, client="c"), {"client": "c"}])
    assert days_of(cube, client="c")[NOW] == 366


@pytest.mark.parametrize("first", [date(2021, 1, 1), date(2023, 2, 10)])
def test_a_state_began_with_what_stands_in_it_or_ended_in_the_window(cube_of, first: date) -> None:
    cube = cube_of([settled(first, 20), settled(date(2024, 2, 15), 20)])
    assert days_of(cube, state="pagado")[NOW] == 15 + 15
    # It ended within the window.
    longer = cube_of([settled(date(2023, 2, 10), 40), settled(date(2024, 2, 15), 20)])
    assert days_of(longer, state="pagado")[NOW] == 366
    # It still stands.
    standing = cube_of([{"issued_on": date(2021, 1, 1)}, {"issued_on": date(2024, 3, 1)}])
    assert days_of(standing, state="enviado")[NOW] == 366


def test_a_cancelled_certificate_begins_nothing(cube_of) -> None:
    assert days_of(cube_of([{**LONG_AGO, "state": "anulado"}, {"issued_on": date(2024, 3, 1)}]))[NOW] == 15


def test_a_cohort_has_the_days_of_its_months_that_have_passed(cube_of) -> None:
    cube = cube_of([LONG_AGO])
    assert days_of(cube, month=["2023-02", "2024-03"])[NOW] == 28 + 15
    assert days_of(cube, month="2024-02", client="nobody")[NOW] == 29
    assert days_of(cube, month="2024-04")[NOW] == 0


def test_a_cohort_has_the_business_date_alone(cube_of) -> None:
    found = has_day(cube_of([{}]).select([EVERYTHING, Filter.of({"month": "2024-03"})]))
    assert found[0].all()
    assert [found[1, place] for place in range(DAYS)] == [place == NOW for place in range(DAYS)]


@pytest.mark.parametrize(
    ("first", "flows", "stocks"),
    [
        (date(2022, 3, 16), True, True),
        (date(2022, 3, 17), False, True),
        (date(2023, 3, 15), False, True),
        (date(2023, 3, 16), False, False),
    ],
)
def test_what_is_compared_with_must_lie_within_the_data(cube_of, first: date, flows, stocks) -> None:
    # The window of 15 March 2023 begins on 16 March 2022.
    slice_ = cube_of([{"issued_on": first}, {"client": "y"}]).select([Filter.of({"client": "y"})])
    assert (comparable_flows(slice_), comparable_stocks(slice_)) == (flows, stocks)


def test_nothing_compares_with_nothing(cube_of) -> None:
    slice_ = cube_of([]).select([EVERYTHING])
    assert not comparable_flows(slice_)
    assert not comparable_stocks(slice_)


def test_a_filter_compares_its_day_with_that_of_a_window_before(cube_of) -> None:
    requested = [EVERYTHING, Filter.of({"issued_age": ["0-6"]}), Filter.of({"month": "2024-02"})]
    compared = {"day": "2024-03-15", "previous_day": "2023-03-15"}
    assert comparisons(cube_of([{}]).select(requested)) == [compared, compared, None]
    (quarter,) = comparisons(cube_of([{}], date(2024, 2, 29), 3).select([EVERYTHING]))
    assert quarter == {"day": "2024-02-29", "previous_day": "2023-11-30"}


def test_a_cohort_counts_what_is_still_open(cube_of) -> None:
    states = ("revision", "enviado", "pendiente", "validado", "rechazado", "pagado", "anulado")
    rows = [{"state": state, "paid_on": AS_OF if state == "pagado" else None} for state in states]
    # A credit note is no certificate that anything is owed on.
    rows.append({"amount_proposed": -5})
    rows.append({"issued_on": date(2024, 2, 1), "currency": "USD"})
    requested = [EVERYTHING, Filter.of({"month": "2024-03"}), Filter.of({"month": ["2024-02", "2024-03"]})]
    requested.append(Filter.of({"month": "2020-01"}))
    counts = [(6, 5), (7, 6), (0, 0)]
    expected = [{"certificates": of_all, "open": of_open} for of_all, of_open in counts]
    assert cohorts(cube_of(rows).select(requested)) == [None, *expected]

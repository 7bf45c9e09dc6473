"""Count-back DSO: the days of the latest billing that receivables amount to."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.months import month_end, month_of
from tests.compute.rows import AS_OF, certificate
from tests.examples import examples


def accepted(issued: str, amount: int, **given: Any) -> dict[str, Any]:
    """A certificate that the client accepted on the day of its issue."""
    dated = {"sent_on": issued, "conformity_on": issued}
    return certificate(
        issued, "validado", **{**dated, **given}, amount_proposed=amount, amount_approved=amount
    )


def paid(issued: str, amount: int) -> dict[str, Any]:
    return accepted(issued, amount, paid_on=issued) | {"state": "pagado"}


@pytest.mark.parametrize(
    ("rows", "value", "numerator", "denominator"),
    [
        # Of the day's month its days up to the day.
        ([accepted("2024-03-01", 10)], 15.0, 10, 10),
        ([accepted("2024-03-01", 10), paid("2024-03-02", 20)], 5.0, 10, 30),
        # 50 of February, then 40 of January; the last 10 are a sixth of December's 60.
        (
            [
                *(accepted("2023-12-20", 60), accepted("2024-01-10", 30), paid("2024-01-20", 10)),
                *(accepted("2024-02-10", 10), paid("2024-02-20", 40)),
            ],
            (15 + 29 + 31) + 10 / 60 * 31,
            100,
            60,
        ),
        # All is used up by the first month of the window, of which 16 days lie in it.
        ([accepted("2023-03-20", 30)], 350.0 + 16.0, 30, 30),
        # That was billed before the window, or in part.
        ([accepted("2023-03-10", 30)], None, 30, None),
        ([accepted("2023-03-10", 30), accepted("2024-03-01", 10)], None, 40, None),
        # Sent and not answered is billed as well.
        ([accepted("2024-03-01", 10), certificate("2024-03-01", sent_on="2024-03-01")], 15.0, 110, 110),
        # Nothing is owed of what was billed; nothing was billed; less than nothing is owed.
        ([paid("2024-03-01", 5)], 0.0, 0, None),
        ([certificate("2024-03-01", "revision")], None, 0, None),
        ([accepted("2024-03-01", -5)], None, -5, None),
        # A month of credit notes adds its days and takes nothing.
        (
            [accepted("2024-01-01", 10), accepted("2024-02-01", -4), accepted("2024-03-01", 2)],
            (44 * 10 + 6 * 31) / 10,
            8,
            10,
        ),
    ],
)
def test_receivables_are_used_up_by_the_latest_billing(
    cube_of, read, rows, value, numerator, denominator
) -> None:
    (found,) = read(cube_of(rows), "dso_count_back")
    assert (found["numerator"], found["denominator"]) == (numerator, denominator)
    assert found["value"] == (value if value is None else pytest.approx(value, rel=1e-12))


def test_an_earlier_day_counts_back_from_its_own_month(cube_of, read) -> None:
    rows = [accepted("2021-01-01", 1, paid_on="2021-02-01") | {"state": "pagado"}]
    rows += [accepted("2024-01-10", 40), accepted("2024-02-10", 50)]
    (found,) = read(cube_of(rows), "dso_count_back")
    # At the end of January its days; then February's 29 and all of January; then the 15 of March too.
    assert found["spark"] == [*[None] * 9, 31.0, 29.0 + 31, 15.0 + 29 + 31]
    assert (found["value"], found["previous"]) == (75.0, None)


def test_a_month_that_ends_on_the_day_counts_whole(cube_of, read) -> None:
    rows = [accepted("2023-03-01", 5), accepted("2024-02-29", 10)]
    (found,) = read(cube_of(rows, date(2024, 2, 29)), "dso_count_back")
    # The year from 1 March on.
    assert found["value"] == 366.0


def test_the_window_is_that_of_the_settings(cube_of, read) -> None:
    rows = [accepted("2024-01-20", 5), accepted("2024-02-20", 5)]
    assert read(cube_of(rows, window=2), "dso_count_back")[0]["value"] == 15.0 + 29 + 16
    assert read(cube_of(rows, window=1), "dso_count_back")[0]["value"] is None


def naive(rows: list[tuple[date, int, bool]]) -> float | None:
    """Count back in so many words: days and amounts of certificates, and whether they are paid."""
    owed = sum(amount for _, amount, is_paid in rows if not is_paid)
    first = date(2023, 3, 16)
    inside = [(day, amount) for day, amount, _ in rows if day >= first]
    if owed == 0:
        return 0.0 if sum(amount for _, amount in inside) else None
    days = 0
    for number in range(month_of(AS_OF), month_of(first) - 1, -1):
        begin, end = max(month_end(number).replace(day=1), first), min(month_end(number), AS_OF)
        length = (end - begin).days + 1
        billed = sum(amount for day, amount in inside if month_of(day) == number)
        if billed >= owed:
            return days + owed / billed * length
        owed -= billed
        days += length
    return None


@pytest.mark.slow
@settings(max_examples=examples(10), deadline=None)
@given(
    st.lists(
        st.tuples(st.dates(date(2023, 2, 1), AS_OF), st.integers(1, 1000), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_it_is_what_counting_by_hand_gives(cube_of, read, rows) -> None:
    made = [(paid if is_paid else accepted)(str(day), amount) for day, amount, is_paid in rows]
    (found,) = read(cube_of(made), "dso_count_back")
    expected = naive(rows)
    assert found["value"] == (None if expected is None else pytest.approx(expected, rel=1e-9))

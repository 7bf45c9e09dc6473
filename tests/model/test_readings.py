"""Readings of the source: what is refused in money, and what fell."""

import pytest

from kpi_pipeline.model.readings import FEW_ROWS, Fall, HeldReading, ReadingReport, RowReport, SourceReadings

FULL = ReadingReport(
    1.0,
    RowReport(100, 1, {"CLP": 1_000, "USD": 50}, accepted_rows={"CLP": 90, "USD": 10}),
    RowReport(10, 0, {"CLP": 300}, accepted_rows={"CLP": 10}),
    {"conflict": 2},
)


def test_the_share_of_money_is_of_each_currency_the_largest_first() -> None:
    rows = RowReport(99, 1, {"CLP": 160, "USD": 100}, {"CLP": 840, "USD": 1, "EUR": 5}, unreadable=1_200)
    assert rows.refused_share == 0.01
    assert list(rows.refused_amount_shares.items()) == [("EUR", 1.0), ("CLP", 0.84), ("USD", 1 / 101)]
    assert rows.refused_text() == (
        "100.0% of the amount in EUR and 84.0% of the amount in CLP and 1.0% of the amount in USD "
        "and an unknown amount of 1,200 rows"
    )


def test_nothing_refused_has_no_text_and_no_rows_no_share() -> None:
    assert RowReport(5, 2).refused_text() == ""
    assert RowReport().refused_share == 0.0
    assert RowReport().is_amount_within(0.0)


@pytest.mark.parametrize(
    ("accepted", "refused", "is_within"),
    [
        # One row of few would exceed any limit of use, whatever it holds.
        (0, 1, True),
        (2, 1, True),
        (FEW_ROWS - 2, 1, True),
        (FEW_ROWS - 1, 1, False),
        (2, 2, False),
        (0, 2, False),
        (FEW_ROWS, 1, False),
    ],
)
def test_one_refused_row_of_a_currency_of_few_rows_exceeds_no_limit(
    accepted: int, refused: int, is_within: bool
) -> None:
    rows = RowReport(
        1_000 + accepted,
        refused,
        {"CLP": 1_000, "USD": accepted},
        {"USD": 100 * refused},
        accepted_rows={"CLP": 1_000, "USD": accepted},
        refused_rows={"USD": refused},
    )
    assert rows.is_amount_within(0.05) is is_within
    assert rows.is_amount_within(1.0)


def test_each_currency_is_measured_by_itself() -> None:
    rows = RowReport(
        102, 2, {"CLP": 90, "USD": 1}, {"CLP": 10, "USD": 9},
        accepted_rows={"CLP": 100, "USD": 2}, refused_rows={"CLP": 1, "USD": 1},
    )  # fmt: skip
    assert not rows.is_amount_within(0.05), "one row of many that holds a tenth of the amount"
    assert rows.is_amount_within(0.1)


@pytest.mark.parametrize(
    ("now", "falls"),
    [
        (RowReport(80, 0, {"CLP": 800, "USD": 40}), []),
        (RowReport(79, 0, {"CLP": 800, "USD": 40}), [("", 100, 79)]),
        (RowReport(100, 0, {"CLP": 500, "USD": 50}), [("CLP", 1_000, 500)]),
        (RowReport(0, 0), [("", 100, 0), ("CLP", 1_000, 0), ("USD", 50, 0)]),
        (RowReport(500, 0, {"CLP": 9_999, "USD": 50}), []),
    ],
)
def test_what_fell_by_more_than_the_limit(now: RowReport, falls: list[tuple[str, int, int]]) -> None:
    found = ReadingReport(2.0, now, FULL.costs).falls_from(FULL, 0.2)
    assert sorted((fall.currency, fall.before, fall.now) for fall in found) == falls
    assert {fall.what for fall in found} <= {"certificates"}


@pytest.mark.parametrize(
    ("before", "now", "falls"),
    [
        (3, 2, False),
        (3, 3, False),
        (3, 1, True),
        (1, 0, False),
        (FEW_ROWS, FEW_ROWS - 1, True),
        (2, 99, True),
    ],
)
def test_one_row_less_of_a_currency_of_few_rows_is_no_fall(before: int, now: int, falls: bool) -> None:
    # The amount falls by nine tenths whatever the rows.
    then = RowReport(500, 0, {"CLP": 900, "USD": 100}, accepted_rows={"CLP": 490, "USD": before})
    later = RowReport(500, 0, {"CLP": 900, "USD": 10}, accepted_rows={"CLP": 490, "USD": now})
    found = ReadingReport(2.0, later).falls_from(ReadingReport(1.0, then), 0.2)
    assert [fall.currency for fall in found] == (["USD"] if falls else [])


def test_costs_fall_too() -> None:
    fell = ReadingReport(2.0, FULL.certificates, RowReport(5, 0, {"CLP": 300}, accepted_rows={"CLP": 5}))
    assert fell.falls_from(FULL, 0.2) == (Fall("costs", "", 10, 5),)
    assert fell.falls_from(FULL, 0.2)[0].as_text() == "the number of costs fell by 50.0%, from 10 to 5"


def test_a_digest_names_what_was_read_and_not_when() -> None:
    assert ReadingReport(9.0, FULL.certificates, FULL.costs).digest == FULL.digest
    assert ReadingReport(1.0, RowReport(99), FULL.costs).digest != FULL.digest


def test_readings_survive_their_json_and_what_is_none_is_none() -> None:
    readings = SourceReadings(FULL, HeldReading(FULL, (Fall("costs", "CLP", 10, 5),)))
    assert SourceReadings.from_json(readings.to_json()) == readings
    assert SourceReadings.from_json(b"{}") == SourceReadings.from_json(b"?") == SourceReadings()
    assert SourceReadings.from_json(b'{"accepted": 1}') == SourceReadings()

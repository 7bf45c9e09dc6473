"""Readings of the source: what is refused in money, and what fell."""

import pytest

from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings

FULL = ReadingReport(
    1.0, RowReport(100, 1, {"CLP": 1_000, "USD": 50}), RowReport(10, 0, {"CLP": 300}), {"conflict": 2}
)


def test_the_share_of_money_is_of_each_currency_the_largest_first() -> None:
    rows = RowReport(99, 1, {"CLP": 160, "USD": 100}, {"CLP": 840, "USD": 1, "EUR": 5}, unreadable=1_200)
    assert rows.refused_share == 0.01
    assert list(rows.refused_amount_shares.items()) == [("EUR", 1.0), ("CLP", 0.84), ("USD", 1 / 101)]
    assert rows.refused_amount_share == 1.0
    assert rows.refused_text() == (
        "100.0% of the amount in EUR and 84.0% of the amount in CLP and 1.0% of the amount in USD "
        "and an unknown amount of 1,200 rows"
    )


def test_nothing_refused_has_no_text_and_no_rows_no_share() -> None:
    assert RowReport(5, 2).refused_text() == ""
    assert RowReport().refused_share == RowReport().refused_amount_share == 0.0


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


def test_costs_fall_too() -> None:
    fell = ReadingReport(2.0, FULL.certificates, RowReport(5, 0, {"CLP": 300}))
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

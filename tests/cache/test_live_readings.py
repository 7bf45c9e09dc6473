"""Readings of the live figures: what is marked, and what is the ordinary course of a refresh."""

from dataclasses import replace

import pytest

from kpi_pipeline.cache.live_readings import MIXED_AFTER_S, LiveReading, LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from tests.cache.test_manifest import ENTRY

FIRST_AT, SECOND_AT = 1000.0, 5000.0


def entry(product: str, reading: str, at: float, **changes: object) -> ManifestEntry:
    made = replace(
        ENTRY,
        product=product,
        schema_version=SCHEMA_VERSION,
        reading=reading,
        first_read_at=at,
        computed_at=at,
        verified_at=at,
        fresh_until=at + 10_000,
        stale_until=at + 90_000,
    )
    return replace(made, **changes)


def entries(**readings: tuple[str, float]) -> dict[str, ManifestEntry]:
    return {product: entry(product, *reading) for product, reading in readings.items()}


MIXED = entries(kpis=("second", SECOND_AT), charts=("first", FIRST_AT))


@pytest.mark.parametrize(("after", "mixed"), [(0, False), (MIXED_AFTER_S, False), (MIXED_AFTER_S + 1, True)])
def test_a_product_that_lags_is_marked_once_a_refresh_should_be_over(after: float, mixed: bool) -> None:
    assert LiveReadings.of(MIXED, SECOND_AT + after).mixed is mixed


def test_what_is_written_again_does_not_begin_anew() -> None:
    late = SECOND_AT + 1000
    again = replace(MIXED["kpis"], computed_at=late, verified_at=late)
    assert LiveReadings.of({**MIXED, "kpis": again}, late).mixed


def test_a_reading_that_came_back_counts_from_when_the_other_was_confirmed() -> None:
    """The source held the first again: products follow one after another, as in any refresh."""
    back = replace(MIXED["charts"], verified_at=SECOND_AT + 10)
    kpis = MIXED["kpis"]
    assert not LiveReadings.of({"kpis": kpis, "charts": back}, SECOND_AT + 20).mixed
    assert LiveReadings.of({"kpis": kpis, "charts": back}, SECOND_AT + MIXED_AFTER_S + 11).mixed


@pytest.mark.parametrize("product", ["kpis", "charts"])
def test_a_rollback_of_one_product_is_marked_at_once(product: str) -> None:
    rolled_back = replace(MIXED[product], rolled_back_at=SECOND_AT)
    readings = LiveReadings.of({**MIXED, product: rolled_back}, SECOND_AT)
    assert readings.mixed
    assert readings.rolled_back == (product,)


def test_a_rollback_of_all_mixes_nothing_and_keeps_its_mark() -> None:
    same = entries(kpis=("first", FIRST_AT), charts=("first", FIRST_AT + 60))
    readings = LiveReadings.of(
        {product: replace(one, rolled_back_at=SECOND_AT) for product, one in same.items()}, 9000
    )
    assert not readings.mixed
    assert readings.rolled_back == ("kpis", "charts")
    # One reading has one moment, whenever each product confirmed it.
    assert readings.groups() == {LiveReading("first", FIRST_AT, FIRST_AT + 60, SECOND_AT): ("kpis", "charts")}


def test_equal_contents_are_one_reading_however_late_they_were_read() -> None:
    assert not LiveReadings.of(entries(kpis=("same", FIRST_AT), charts=("same", SECOND_AT)), 9000).mixed


def test_a_reading_is_of_when_it_was_first_read_however_often_it_is_confirmed() -> None:
    confirmed = replace(MIXED["charts"], verified_at=SECOND_AT - 100)
    (_, first) = LiveReadings.of({**MIXED, "charts": confirmed}, SECOND_AT + 1000).groups()
    assert (first.digest, first.read_at, first.checked_at) == ("first", FIRST_AT, SECOND_AT - 100)


def test_the_reading_that_the_source_held_last_comes_first() -> None:
    back = replace(MIXED["charts"], verified_at=SECOND_AT + 10)
    groups = LiveReadings.of({**MIXED, "charts": back}, SECOND_AT + 1000).groups()
    assert [one.digest for one in groups] == ["first", "second"]


def test_what_shows_no_figures_is_not_compared() -> None:
    now = SECOND_AT + 1000
    expired = replace(MIXED["charts"], fresh_until=FIRST_AT, stale_until=now)
    other_format = replace(MIXED["charts"], schema_version=SCHEMA_VERSION + 1)
    for charts in (expired, other_format):
        readings = LiveReadings.of({**MIXED, "charts": charts}, now)
        assert not readings.mixed
        assert set(readings.by_product) == {"kpis"}
    assert not LiveReadings.of({}, now).mixed


def test_groups_and_plain_values() -> None:
    readings = LiveReadings.of(
        {**MIXED, **entries(dashboards=("second", SECOND_AT - 5))}, SECOND_AT + MIXED_AFTER_S + 1
    )
    assert [(one.digest, products) for one, products in readings.groups().items()] == [
        ("second", ("kpis", "dashboards")),
        ("first", ("charts",)),
    ]
    second = {"reading": "second", "read_at": SECOND_AT - 5, "checked_at": SECOND_AT}
    assert readings.as_dict() == {
        "mixed": True,
        "products": {
            "kpis": {**second, "rolled_back_at": None},
            "charts": {
                "reading": "first",
                "read_at": FIRST_AT,
                "checked_at": FIRST_AT,
                "rolled_back_at": None,
            },
            "dashboards": {**second, "rolled_back_at": None},
        },
    }

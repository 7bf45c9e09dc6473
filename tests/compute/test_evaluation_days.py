"""The days of evaluation, and that a figure of an earlier day is the figure that was published then."""

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.evaluation_days import AS_OF as NOW
from kpi_pipeline.compute.evaluation_days import (
    COHORT,
    DAYS,
    PREVIOUS,
    TREND,
    EvaluationDays,
    months_before,
)
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.demo.database import write_demo
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import KPIS, TREND_MONTHS, Direction, Unit
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from tests.compute.rows import AS_OF, certificate, certificates, cost_table, costs, table
from tests.conftest import skip_or_fail
from tests.examples import examples

Row = dict[str, Any]

DIGITS = {Unit.SHARE: 4, Unit.DAYS: 1}
FILTERS = [
    Filter.of(terms)
    for terms in (
        {},
        {"client": "A"},
        {"state": "enviado"},
        {"state": "pagado"},
        {"amount_band": "bajo"},
        {"issued_age": ["0-6", "7-13", "14-29"]},
        {"issued_age": "90-179"},
        {"project": "P1", "client": "B"},
        {"client": "A", "state": ["validado", "pagado"]},
    )
]


@pytest.mark.parametrize(
    ("as_of", "previous", "first_end", "last_end"),
    [
        (date(2024, 3, 15), date(2023, 3, 15), date(2023, 4, 30), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2023, 2, 28), date(2023, 3, 31), date(2024, 1, 31)),
        (date(2023, 2, 28), date(2022, 2, 28), date(2022, 3, 31), date(2023, 1, 31)),
        (date(2025, 2, 28), date(2024, 2, 29), date(2024, 3, 31), date(2025, 1, 31)),
        (date(2024, 12, 31), date(2023, 12, 31), date(2024, 1, 31), date(2024, 11, 30)),
        (date(2024, 1, 1), date(2023, 1, 1), date(2023, 2, 28), date(2023, 12, 31)),
    ],
)
def test_a_trend_is_eleven_month_ends_and_the_date_that_it_is_of(
    as_of: date, previous: date, first_end: date, last_end: date
) -> None:
    days = EvaluationDays(as_of, 12).days
    assert len(days) == DAYS
    assert (days[NOW], days[PREVIOUS]) == (as_of, previous)
    trend = [days[place] for place in TREND]
    assert len(trend) == TREND_MONTHS
    assert (trend[0], trend[-2], trend[-1]) == (first_end, last_end, as_of)
    assert all((day + timedelta(1)).day == 1 for day in trend[:-1])


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2024, 3, 15), 1, date(2024, 2, 15)),
        (date(2024, 3, 30), 1, date(2024, 2, 29)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2024, 4, 30), 1, date(2024, 3, 31)),
        (date(2024, 2, 28), 12, date(2023, 2, 28)),
        (date(2024, 1, 31), 24, date(2022, 1, 31)),
        (date(2024, 1, 5), 6, date(2023, 7, 5)),
    ],
)
def test_the_last_day_of_a_month_goes_with_the_last_day(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before
    assert EvaluationDays(day, months).window_first(day) == before + timedelta(1)


def test_stretches_end_on_or_before_their_day() -> None:
    rows = {row["place"]: row for row in EvaluationDays(date(2024, 2, 29), 12).table().to_pylist()}
    assert set(rows) == {COHORT, *range(DAYS)}
    # The last day of a month completes it.
    assert rows[NOW] == {
        "place": NOW,
        "day": date(2024, 2, 29),
        "reach_first": date(2023, 2, 1),
        "window_first": date(2023, 3, 1),
        "month_first": date(2024, 2, 1),
        "year_first": date(2024, 1, 1),
        "last_month_first": date(2024, 2, 1),
        "last_month_last": date(2024, 2, 29),
        "month_before_first": date(2024, 1, 1),
        "month_before_last": date(2024, 1, 31),
        "month_year_before_first": date(2023, 2, 1),
        "month_year_before_last": date(2023, 2, 28),
        "quarter_first": date(2023, 12, 1),
    }
    middle = EvaluationDays(date(2024, 2, 28), 3).table().to_pylist()[NOW]
    assert (middle["last_month_first"], middle["last_month_last"]) == (date(2024, 1, 1), date(2024, 1, 31))
    assert (middle["window_first"], middle["quarter_first"]) == (date(2023, 11, 29), date(2023, 11, 1))
    assert rows[COHORT]["day"] == date(2024, 2, 29)
    assert rows[COHORT]["window_first"] == date(1, 1, 1)
    assert rows[COHORT]["month_first"] is rows[COHORT]["quarter_first"] is None


def published(
    claims: pa.Table, spent: pa.Table, day: date, window: int, filters: Sequence[Filter]
) -> tuple[Cube, list[dict[str, list[Row]]]]:
    """What is published of some filters as of a day."""
    thresholds = Thresholds(targets={"CLP": 1000})
    cube = Cube(roll_up(claims, spent, day, thresholds, window), day, window, thresholds)
    return cube, kpi_values(cube.select(filters), KPIS)


def by_currency(found: Sequence[Row]) -> dict[str | None, Row]:
    return {one.get("currency"): one for one in found}


def point(unit: Unit, value: Any) -> Any:
    """A value as a trend shows it."""
    if value is None:
        return None
    return round(value, DIGITS[unit]) if unit in DIGITS else round(value)


def assert_trends_are_what_was_published(
    claims: pa.Table,
    spent: pa.Table,
    as_of: date,
    window: int,
    places: Sequence[int],
    filters: Sequence[Filter] = FILTERS,
) -> int:
    """Compare points of trends and comparisons with what is published of these days themselves.

    Returns:
        How many figures were compared.
    """
    cube, now = published(claims, spent, as_of, window, filters)
    compared = 0
    for place in places:
        day = cube.frame.days.days[place]
        _, then = published(claims, spent, day, window, filters)
        for requested, later, earlier in zip(filters, now, then, strict=True):
            for kpi in KPIS:
                told = by_currency(earlier[kpi.name])
                for code, one in by_currency(later[kpi.name]).items():
                    if code not in told:
                        continue  # nothing had happened in it under the filter
                    value = told[code]["value"]
                    what = f"{kpi.name} of {requested.as_dict()} in {code} on {day} as of {as_of}"
                    if place in TREND:
                        assert one["spark"][TREND.index(place)] == point(kpi.unit, value), what
                    elif one["previous"] is not None:
                        assert one["previous"] == value, what
                    compared += 1
    return compared


def moved(row: Row, days: int) -> Row:
    """A certificate or cost whose dates are all earlier by some days."""
    back = timedelta(days)
    dated = {name: value - back for name, value in row.items() if isinstance(value, date)}
    if row.get("history"):
        dated["history"] = [{**event, "day": event["day"] - back} for event in row["history"]]
    first = dated.get("issued_on", dated.get("invoiced_on"))
    assert first is not None
    return {**row, **dated, "month": first.replace(day=1)}


back = st.integers(0, 500)


@pytest.mark.slow
@settings(max_examples=examples(10), deadline=None)
@given(
    st.lists(st.builds(moved, certificates(), back), min_size=1, max_size=6),
    st.lists(st.builds(moved, costs(), back), max_size=3),
    st.sampled_from([AS_OF, date(2024, 2, 29), date(2024, 3, 31)]),
    st.sampled_from([12, 12, 3]),
    st.sampled_from(TREND),
)
def test_a_point_of_a_trend_is_what_was_published_that_day(rows, spent, as_of, window, place) -> None:
    numbered = [{**row, "cost_id": str(number)} for number, row in enumerate(spent)]
    places = [PREVIOUS, place]
    assert_trends_are_what_was_published(table(rows), cost_table(numbered), as_of, window, places)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, pa.Table]:
    """Certificates and costs of a demo firm up to 28 June 2024."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    write_demo(path, rows=400, seed=4, today=date(2024, 6, 28), progress=None)
    mapping = load_mapping("edp")
    found = extract(f"sqlite:///{path}", mapping)
    claims = normalise(found.raw, mapping, found.log).certificates
    assert found.costs is not None
    return claims, normalise_costs(found.costs.headers, found.costs.lines, mapping, claims).costs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("as_of", "places"),
    [
        (date(2024, 2, 29), [PREVIOUS, TREND[0], TREND[6], TREND[-2]]),
        pytest.param(date(2024, 6, 28), list(range(1, DAYS)), marks=pytest.mark.slow),
    ],
    ids=["some days", "all days"],
)
def test_trends_of_the_demo_are_what_was_published(
    demo: tuple[pa.Table, pa.Table], as_of: date, places: list[int]
) -> None:
    claims, spent = demo
    cube, _ = published(claims, spent, as_of, 12, FILTERS)
    client, manager, project = (
        [value for value, _ in cube.value_counts(name)][:2]
        for name in ("client", "project_manager", "project")
    )
    terms: list[dict[str, Any]] = [
        *({}, {"client": client[0]}, {"client": client, "project_manager": manager[0]}),
        *({"project": project[0]}, {"state": "validado"}, {"state": ["enviado", "pendiente"]}),
        *({"amount_band": "medio"}, {"issued_age": "30-59"}, {"client": client[1], "state": "pagado"}),
        {"amount_band": "alto", "issued_age": ["0-6", "7-13", "14-29"]},
    ]
    filters = [Filter.of(one) for one in terms]
    compared = assert_trends_are_what_was_published(claims, spent, as_of, 12, places, filters)
    assert compared > len(filters) * len(KPIS) * len(places) / 2


ISSUES = (1, 8, 15, 22)
"""Days of each month on which a certificate of a steady firm is issued."""

STEADY_ENDS = [month_end(month_of(date(2023, 7, 1)) + number) for number in range(12)]
CASE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "50-steady"


def steady(first_year: int) -> list[Row]:
    """A firm whose every certificate is sent at once, accepted after 40 days and paid after 70."""
    rows = []
    for month in range(first_year * 12, 2024 * 12 + 6):
        for day in ISSUES:
            issued = date(month // 12, month % 12 + 1, day)
            rows.append(
                {
                    **certificate(issued, "pagado"),
                    "sent_on": issued,
                    "conformity_on": issued + timedelta(40),
                    "paid_on": issued + timedelta(70),
                    "amount_proposed": 1_000_000,
                    "amount_approved": 1_000_000,
                }
            )
    return rows


def assert_steady(rows: Sequence[Row], as_of: date, *, whole: bool) -> None:
    """Nothing ever changes but the lengths of months."""
    (found,) = published(table(rows), cost_table([]), as_of, 12, [Filter.of({})])[1]
    one = {kpi.name: found[kpi.name][0] for kpi in KPIS}
    for name in ("dso", "dso_count_back"):
        assert 60 <= one[name]["value"] <= 80, name
        assert all(60 <= value <= 80 for value in one[name]["spark"]), name
    for name, value in {
        "acceptance_days": 40,
        "payment_days": 70,
        "payment_days_median": 70,
        "payment_days_p90": 70,
        "settling_days": 30,
        "sending_days": 0,
        "fast_collection_rate": 0,
        "growth_month": 0,
        "growth_year": 0,
    }.items():
        assert one[name]["value"] == value, name
        assert set(one[name]["spark"]) <= {value}, name
    for kpi in KPIS:
        told = one[kpi.name]
        # A day more of one February makes what stands a day older, and moves one between levels of days.
        counted = kpi.unit in (Unit.DAYS, Unit.COUNT)
        small = counted and told["change"] is not None and abs(told["change"]) <= 1
        assert told["trend"] in (None, "stable") or small, kpi.name
        if whole:
            assert told["trend"] is not None or told["value"] is None or kpi.direction is Direction.NEUTRAL


@pytest.mark.parametrize("as_of", STEADY_ENDS, ids=str)
def test_a_steady_stream_is_flat(as_of: date) -> None:
    rows = steady(2020)
    assert_steady(rows, as_of, whole=True)


@pytest.mark.parametrize("as_of", STEADY_ENDS[-3:], ids=str)
def test_the_steady_stream_of_a_source_is_flat(as_of: date) -> None:
    if not CASE.exists():
        skip_or_fail(f"{CASE} is not here")
    with (CASE / "data.csv").open(encoding="utf-8", newline="") as lines:
        rows = [
            {
                **certificate(row["emision"], row["estado"]),
                "sent_on": date.fromisoformat(row["envio"]),
                "conformity_on": day_of(row["conformidad"]),
                "paid_on": day_of(row["pago"]),
                "amount_proposed": int(row["propuesto"]),
                "amount_approved": int(row["aprobado"] or row["propuesto"]),
            }
            for row in csv.DictReader(lines)
        ]
    assert_steady(rows, as_of, whole=False)


def day_of(text: str) -> date | None:
    return date.fromisoformat(text) if text else None

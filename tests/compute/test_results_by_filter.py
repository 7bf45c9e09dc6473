"""Results of filters are kept from one reading to the next, and give what the rows would."""

from datetime import date
from typing import Any

import pytest

from kpi_pipeline.compute import payment_quantiles, results_by_filter
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.groups import Groups
from kpi_pipeline.compute.payloads import payloads, values_resting_on_all
from kpi_pipeline.compute.results_by_filter import ResultsByFilter
from kpi_pipeline.model.filters import EVERYTHING, Filter

ROWS: list[dict[str, Any]] = [
    {"client": "A", "issued_on": date(2024, 1, 5), "state": "validado", "amount_approved": 80},
    {"client": "A", "issued_on": date(2023, 9, 5), "state": "validado", "amount_approved": 70},
    {"client": "B", "issued_on": date(2024, 3, 1), "currency": "USD", "state": "enviado"},
]
OF_A = Filter.of({"client": "A"})


@pytest.fixture
def cube(cube_of) -> Cube:
    return cube_of(ROWS)


def values(cube: Cube, known: ResultsByFilter) -> dict[Filter, Any]:
    return dict(values_resting_on_all("kpis", cube.slices(), known))


def test_known_sums_give_the_values_that_the_rows_give(cube: Cube) -> None:
    known = ResultsByFilter(cube.candidate_filters())
    straight = values(cube, known)
    assert len(known) == len(straight) == len(cube.candidate_filters())
    assert values(cube, known) == straight


def test_known_sums_are_not_summed_again(cube: Cube, monkeypatch: pytest.MonkeyPatch) -> None:
    known = ResultsByFilter(cube.candidate_filters())
    straight, look_up = values(cube, known), Groups.index

    def of_everything_alone(groups: Groups, table: str) -> Any:
        assert groups is cube.everything.groups, "rows are looked up"
        return look_up(groups, table)

    monkeypatch.setattr(Groups, "index", of_everything_alone)
    # Which filters there are is told by the rows.
    slices = [cube.select(list(straight))]
    assert dict(values_resting_on_all("kpis", slices, known)) == straight


def test_answers_leave_the_sums_that_they_have_made(cube: Cube) -> None:
    known = ResultsByFilter(cube.candidate_filters())
    list(payloads("kpis", cube.slices(), known))
    assert len(known) == len(cube.candidate_filters())


def test_of_a_later_reading_those_are_unknown_of_which_a_row_has_changed(cube: Cube) -> None:
    known = ResultsByFilter([EVERYTHING, OF_A])
    values(cube, known)
    later = known.following([EVERYTHING, OF_A], {OF_A}, set())
    assert (len(known), len(later)) == (2, 1)
    assert later.of(cube.select([EVERYTHING])) is not None
    assert later.of(cube.select([EVERYTHING, OF_A])) is None
    assert len(later.following([OF_A], set(), set())) == 0


def test_known_quantiles_are_not_estimated_again(cube_of, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = {"state": "pagado", "amount_approved": 5, "conformity_on": date(2024, 2, 1)}
    rows = [
        *ROWS,
        *[{"client": "A", "issued_on": date(2024, 1, 2), "paid_on": date(2024, 2, 20), **paid}] * 4,
    ]
    cube: Cube = cube_of(rows)
    filters = cube.candidate_filters()
    known = ResultsByFilter(filters)
    straight = dict(payloads("kpis", cube.slices(), known))
    assert straight[OF_A]["kpis"]["payment_days_median"][0]["value"] is not None

    def look_up(*_: Any) -> Any:
        raise AssertionError("quantiles are estimated")

    monkeypatch.setattr(payment_quantiles, "_quantiles", look_up)
    assert (
        dict(payloads("kpis", [cube.select(filters)], known.following(filters, filters, set()))) == straight
    )
    with pytest.raises(AssertionError, match="estimated"):
        dict(payloads("kpis", [cube.select(filters)], known.following(filters, set(), {OF_A})))


def test_what_has_no_room_is_summed_again(cube: Cube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_by_filter, "_MOST_BYTES", 1)
    known = ResultsByFilter(cube.candidate_filters())
    straight = values(cube, known)
    assert len(known) == 1
    assert values(cube, known) == straight

"""The cube: every variant's sums, however it is reached."""

from collections import Counter
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute import cube as module
from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.model.components import COMPONENT_INDEX
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.filters import EVERYTHING, Filter

AS_OF = date(2024, 3, 15)
PROPOSED = COMPONENT_INDEX["proposed_amount"]

certificate = st.fixed_dictionaries(
    {
        "client": st.sampled_from(["Ácido", "acero", "Zinc"]),
        "project": st.sampled_from(["P1", "P2"]),
        "project_manager": st.sampled_from(["M1", "M2"]),
        "state": st.sampled_from(["revision", "enviado", "validado", "pagado", "rechazado"]),
        "currency": st.sampled_from(["CLP", "USD"]),
        "issued_on": st.integers(-900, 0).map(lambda days: AS_OF + timedelta(days)),
        "paid_on": st.none() | st.integers(0, 100).map(lambda days: AS_OF - timedelta(days)),
        "amount_proposed": st.integers(-100, 10**9),
        "amount_approved": st.integers(0, 10**9),
    }
)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(certificate, max_size=12), st.integers(1, 24))
def test_a_hot_filter_has_the_same_sums_in_a_block_and_alone(cube_of, rows, window) -> None:
    cube: Cube = cube_of(rows, window=window)
    for piece in cube.slices():
        alone = cube.select(piece.filters)
        assert alone.filters == piece.filters
        for name in ("totals", "window", "window_days", "trend", "trend_end"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(piece, name), err_msg=name)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(certificate, max_size=12))
def test_hot_filters_are_everything_singles_and_pairs_that_occur(cube_of, rows) -> None:
    expected = {EVERYTHING}
    for row in rows:
        months = [row["issued_on"]]
        if row["state"] == "pagado" and row["paid_on"]:
            months.append(row["paid_on"])
        for month in months:
            values = {
                **dict.fromkeys(DIMENSION_NAMES, "x"),
                **{name: row[name] for name in ("client", "project", "project_manager", "state")},
                "month": month.strftime("%Y-%m"),
            }
            for size in (1, 2):
                for names in combinations(DIMENSION_NAMES, size):
                    expected.add(Filter.of({name: values[name] for name in names}))
    found = Counter(cube_of(rows).hot_filters())
    assert set(found) == expected
    assert set(found.values()) == {1}


def test_blocks_do_not_change_sums(cube_of, monkeypatch) -> None:
    rows = [{"client": f"C{number}", "amount_proposed": 10**number} for number in range(9)]
    whole = {one: piece.totals[at].tolist() for piece in cube_of(rows).slices() for at, one in _each(piece)}
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1)
    small = {one: piece.totals[at].tolist() for piece in cube_of(rows).slices() for at, one in _each(piece)}
    assert small == whole


def _each(piece):
    return enumerate(piece.filters)


def test_several_values_of_a_dimension_are_any_of_them(cube_of) -> None:
    cube = cube_of([{"client": name, "amount_proposed": 10**at} for at, name in enumerate("ABC")])
    piece = cube.select([Filter.of({"client": ["A", "C"]}), Filter.of({"client": ["B", "unheard of"]})])
    assert piece.totals[:, 0, PROPOSED].tolist() == [101, 10]


def test_a_trend_ends_with_the_last_month_of_the_filter(cube_of) -> None:
    cube = cube_of([{"issued_on": date(2023, month, 1), "amount_proposed": month} for month in (1, 6, 12)])
    asked = [EVERYTHING, Filter.of({"month": ["2023-01", "2023-06"]}), Filter.of({"month": "2030-01"})]
    piece = cube.select(asked)
    proposed = piece.trend[:, :, :, 0].sum(axis=2).tolist()
    assert proposed[0] == [0, 0, 6, 0, 0, 0, 0, 0, 12, 0, 0, 0]
    assert proposed[1] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 6]
    assert proposed[2] == [0] * 12
    assert piece.totals[:, 0, PROPOSED].tolist() == [19, 7, 0]


def test_the_window_of_a_filter_is_its_months_up_to_the_business_date(cube_of) -> None:
    cube = cube_of([{"issued_on": date(2023, 12, 1)}])
    asked = [
        EVERYTHING,
        Filter.of({"month": "2024-02"}),
        Filter.of({"month": ["2024-02", "2024-03"]}),
        Filter.of({"month": "2024-04"}),
    ]
    # April 2023 to 15 March 2024; February of a leap year; until the fifteenth; not begun.
    assert cube.select(asked).window_days.tolist() == [350, 29, 44, 0]


def test_values_are_sorted_as_people_look_for_them_and_counted(cube_of) -> None:
    names = ["Zinc", "acero", "Ácido", "acero"]
    cube = cube_of([{"client": name, "issued_on": date(2023, 2 + at, 1)} for at, name in enumerate(names)])
    assert cube.value_counts("client") == [("acero", 2), ("Ácido", 1), ("Zinc", 1)]
    assert cube.value_counts("month") == [("2023-02", 1), ("2023-03", 1), ("2023-04", 1), ("2023-05", 1)]


def test_a_cube_of_nothing_answers_everything_with_nothing(cube_of) -> None:
    cube = cube_of([])
    assert cube.hot_filters() == [EVERYTHING]
    assert cube.currencies == ()
    piece = cube.select([EVERYTHING, Filter.of({"client": "A", "month": "2024-01"})])
    assert piece.totals.shape == (2, 0, len(COMPONENT_INDEX))


@settings(max_examples=40)
@given(st.lists(certificate, max_size=8), st.randoms(use_true_random=False))
def test_a_part_of_a_slice_has_the_sums_of_its_filters_alone(cube_of, rows, random) -> None:
    cube: Cube = cube_of(rows)
    for piece in cube.slices():
        wanted = {one for one in piece.filters if random.random() < 0.5}
        part = piece.only({*wanted, Filter.of({"client": "nobody"})})
        assert part.filters == tuple(one for one in piece.filters if one in wanted)
        if part.filters:
            alone = cube.select(part.filters)
            for name in ("totals", "window", "window_days", "trend", "trend_end"):
                np.testing.assert_array_equal(getattr(part, name), getattr(alone, name), err_msg=name)


def test_a_slice_counts_the_certificates_of_each_filter(cube_of) -> None:
    rows = [{"client": "a", "currency": "CLP"}, {"client": "a", "currency": "USD"}, {"client": "b"}]
    counts = {one: n for piece in cube_of(rows).slices() for one, n in piece.certificates().items()}
    assert counts[EVERYTHING] == 3
    assert counts[Filter.of({"client": "a"})] == 2
    assert counts[Filter.of({"client": "b", "state": "enviado"})] == 1

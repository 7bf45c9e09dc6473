"""Spellings beyond folding are found, and names that only look alike are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.ingest.similar_names import similar_names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Minera Andes S.A.", "Minera Andes"),
        ("Minera Andes SpA", "MINERA ANDES LTDA."),
        ("Minera Andes", "Andes, Minera"),
        ("Minera Andes", "Minera-Andes"),
        ("Minera Andes", "Mineraandes"),
        ("Minera Andes", "Minera Andess"),
        ("Minera Andes", "Minera Ades"),
        ("Minera Andes", "Minera Ander"),
        ("Minera Andes", "Minera Adnes"),
        ("González y Cía.", "Gonzalez y Compañía"),
    ],
)
def test_one_client_in_two_spellings_is_found(one: str, other: str) -> None:
    assert similar_names(["Puerto Coronel", one, other]) == [tuple(sorted((one, other)))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tramo Norte 1", "Tramo Norte 2"),
        ("Tramo Norte 1", "Tramo Norte 12"),
        ("Ana", "Ann"),
        ("Minera Andes", "Minera Altas"),
        ("S.A.", "Ltda."),
        ("", "-"),
    ],
)
def test_names_that_only_look_alike_are_left_alone(one: str, other: str) -> None:
    assert similar_names([one, other]) == []


def test_spellings_of_one_name_are_one_group() -> None:
    names = ["Sanitaria Sur", "Sanitarias Sur", "Sanitaria Sur S.A.", "Vial Norte", "Vial Norte SpA"]
    assert similar_names(names) == [
        ("Sanitaria Sur", "Sanitaria Sur S.A.", "Sanitarias Sur"),
        ("Vial Norte", "Vial Norte SpA"),
    ]


def distance(one: str, other: str) -> int:
    """Slips between two texts, with exchanges of neighbours: the textbook's recursion, as a table."""
    table = [[max(i, j) if not i * j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            differs = one[i - 1] != other[j - 1]
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + differs)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(st.sets(st.text("ab", min_size=6, max_size=8), min_size=2, max_size=2))
def test_two_names_are_alike_where_one_slip_is_between_them(names: set[str]) -> None:
    assert bool(similar_names(names)) == (distance(*names) <= 1)

"""Rankings: the largest first within each variant and currency, and all others together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.blocks.ranking import OTHERS, Ranking
from kpi_pipeline.compute.cube.group_sums import GroupSums

Sums = dict[tuple[int, int, int], tuple[int, int]]

SUMS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 1)),  # variant, value, currency
    st.tuples(st.integers(-3, 3), st.integers(-9, 9)),
)


def ranking(sums: Sums) -> Ranking:
    """What the first component ranks."""
    keys = np.array(sorted(sums), np.int64).reshape(-1, 3)
    values = np.array([sums[key] for key in sorted(sums)], np.int64).reshape(-1, 2)
    return Ranking.of(GroupSums(keys[:, 0], keys[:, 1], keys[:, 2], values), values[:, 0])


def groups(ranked: Ranking) -> dict[tuple[int, int], list[tuple[int, list[int]]]]:
    """By variant and currency in their order, the values and sums."""
    found: dict[tuple[int, int], list[tuple[int, list[int]]]] = {}
    for variant, currency, value, sums in zip(
        ranked.variant.tolist(),
        ranked.currency.tolist(),
        ranked.value.tolist(),
        ranked.sums.tolist(),
        strict=True,
    ):
        found.setdefault((variant, currency), []).append((value, sums))
    return found


def expected(sums: Sums, top: int | None = None) -> dict[tuple[int, int], list[tuple[int, list[int]]]]:
    """The same by sorting each group alone."""
    found = {}
    for group in sorted({(variant, currency) for variant, _, currency in sums}):
        rows = [(value, list(sums[key])) for key in sums if (key[0], key[2]) == group for value in [key[1]]]
        rows.sort(key=lambda row: (-row[1][0], row[0]))
        if top is not None and len(rows) > top:
            rest = [sum(column) for column in zip(*(sums for _, sums in rows[top:]), strict=True)]
            rows = [*rows[:top], (OTHERS, rest)]
        found[group] = rows
    return found


@given(SUMS)
def test_the_largest_come_first_and_of_equals_the_first_value(sums: Sums) -> None:
    ranked = ranking(sums)
    assert groups(ranked) == expected(sums)
    assert list(groups(ranked)) == sorted(groups(ranked))
    assert ranked.sizes.tolist() == [len(rows) for rows in expected(sums).values()]


@given(SUMS, st.integers(1, 4))
def test_all_beyond_the_first_are_one_row(sums: Sums, top: int) -> None:
    shown = ranking(sums).with_others(top)
    assert groups(shown) == expected(sums, top)
    assert shown.totals().tolist() == ranking(sums).totals().tolist()


@given(SUMS, st.integers(1, 4))
def test_the_first_of_each_group(sums: Sums, top: int) -> None:
    assert groups(ranking(sums).first(top)) == {group: rows[:top] for group, rows in expected(sums).items()}

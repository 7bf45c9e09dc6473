"""Cells of several tables are the same numbers in each."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.rollup.cells import CELL_COLUMNS, number_cells

texts = st.text("abñZ-0", max_size=2)
rows = st.lists(st.tuples(*[texts] * len(CELL_COLUMNS)), max_size=8)


def table(keys: list[tuple[str, ...]]) -> pa.Table:
    columns = zip(*keys, strict=True) if keys else [()] * len(CELL_COLUMNS)
    return pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(CELL_COLUMNS, columns, strict=True)}
    )


def keys_of(cells: pa.Table) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in CELL_COLUMNS) for row in cells.to_pylist()]


@given(st.lists(rows, min_size=1, max_size=4))
def test_each_row_has_the_number_of_its_cell_and_cells_are_in_order(
    some: list[list[tuple[str, ...]]],
) -> None:
    cells, numbers = number_cells([table(keys) for keys in some])
    found = keys_of(cells)
    assert found == sorted({key for keys in some for key in keys})
    assert [[found[number] for number in part] for part in numbers] == some


@pytest.mark.parametrize("values", [2, 1000])
def test_however_many_values_there_are(values: int) -> None:
    keys = [(f"{number:04d}",) * len(CELL_COLUMNS) for number in range(values)]
    cells, (forwards, backwards) = number_cells([table(keys), table(keys[::-1])])
    assert keys_of(cells) == keys
    assert forwards.tolist() == backwards.tolist()[::-1] == list(range(values))

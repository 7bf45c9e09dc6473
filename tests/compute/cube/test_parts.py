"""Cubes put together from parts: the same figures as of whole tables, whatever an earlier cube held."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES, Part, Rollup, RollupParts
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.rows import AS_OF

ROWS = [
    {
        "client": client,
        "project": f"P{number % 3}",
        "issued_on": date(2024, 1 + number % 5, 1 + number),
        "state": ("enviado", "validado", "pagado")[number % 3],
        "paid_on": date(2024, 6, number + 1) if number % 3 == 2 else None,
        "amount_proposed": 100 + number,
        "rejection_reason": "reason",
    }
    for number, client in enumerate("ABCABCABCABC")
]
COSTS = [{"client": client, "amount": 10 + number} for number, client in enumerate("AAB")]
PARTED = ("rollup", "monthly_flows", "payment_times", "breakdowns")


@pytest.fixture
def rollup(rollup_of) -> Rollup:
    return rollup_of(ROWS, costs=COSTS)


def cube(rollup: Rollup | RollupParts, before: Cube | None = None) -> Cube:
    return Cube(rollup, AS_OF, 12, Thresholds(), before)


def parted(rollup: Rollup, cuts: Sequence[float], unread: frozenset[str] = frozenset()) -> RollupParts:
    """A roll-up whose tables are cut at parts of their rows; parts of some names cannot be read."""

    def parts(name: str, table: pa.Table) -> list[Part]:
        edges = [0, *(int(cut * table.num_rows) for cut in sorted(cuts)), table.num_rows]
        slices = [table.slice(begin, end - begin) for begin, end in pairwise(edges)]
        return [part(f"{name} {hash(repr(rows.to_pylist()))}", rows) for rows in slices]

    def part(name: str, rows: pa.Table) -> Part:
        def read() -> pa.Table:
            assert name not in unread, f"{name} was read again"
            return rows

        return Part(name, read)

    tables = zip(ROLLUP_TABLES, rollup.tables(), strict=True)
    return RollupParts(
        tuple(parts(name, table) if name in PARTED else [Part.of(table)] for name, table in tables)
    )


def names(rollup: RollupParts) -> frozenset[str]:
    return frozenset(part.name for name in PARTED for part in rollup.of(name))


def figures(cube: Cube) -> list[object]:
    return [list(payloads(product, cube.slices())) for product in PRODUCTS]


def test_the_figures_of_parts_are_those_of_the_whole(rollup) -> None:
    whole, one = cube(rollup), cube(parted(rollup, [0.2, 0.5, 0.5]))
    assert one.digest() == whole.digest()
    assert figures(one) == figures(whole)


@pytest.mark.slow
@settings(max_examples=5)
@given(st.lists(st.floats(0, 1), max_size=3), st.sets(st.integers(0, 11), min_size=1, max_size=2))
def test_what_an_earlier_cube_held_is_not_read_again_and_gives_the_same(rollup_of, cuts, changed) -> None:
    edited = [
        {**row, "amount_proposed": 7, "state": "enviado", "paid_on": None} if at in changed else row
        for at, row in enumerate(ROWS)
    ]
    then, now = rollup_of(ROWS, costs=COSTS), rollup_of(edited, costs=COSTS)
    now = replace(now, forecast_bases=then.forecast_bases)
    before = cube(parted(then, cuts))
    after = cube(parted(now, cuts, unread=names(parted(then, cuts))), before)
    whole = cube(now)
    assert after.digest() == whole.digest()
    assert figures(after) == figures(whole)
    assert cube(parted(then, cuts), after).digest() == cube(then).digest()
    changes, expected = after.changes_since(before), whole.changes_since(cube(then))
    assert (changes is None) == (expected is None)
    if changes is not None and expected is not None:
        assert sorted(changes.codes["client"].tolist()) == sorted(expected.codes["client"].tolist())


def test_parts_of_another_axis_are_encoded_anew(rollup_of) -> None:
    then = rollup_of(ROWS, costs=COSTS)
    now = rollup_of([*ROWS, {"client": "0 first", "issued_on": date(2023, 1, 1)}], costs=COSTS)
    before, whole = cube(parted(then, [0.5])), cube(now)
    after = cube(parted(now, [0.5]), before)
    assert after.digest() == whole.digest()
    assert figures(after) == figures(whole)

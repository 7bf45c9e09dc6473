"""Checks that totals are the same at each step; each returns problems in words, none when good."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.cube import Cube, Ints, Slice
from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.components import AGEING_BUCKETS, COMPONENT_INDEX, COMPONENT_NAMES

_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "proposed_count": ("open_count", "paid_count"),
    "decided_count": ("approved_count", "rejected_count"),
    "open_count": tuple(f"ageing_{label}_count" for label, _, _ in AGEING_BUCKETS),
    "open_amount": tuple(f"ageing_{label}_amount" for label, _, _ in AGEING_BUCKETS),
    "proposed_amount": tuple(f"state_{state.value}_amount" for state in State),
}
"""Components and those that they are made of: they add up exactly."""

_AT_MOST: Final[dict[str, str]] = {
    "overdue_count": "open_count",
    "critical_count": "open_count",
    "receivable_count": "open_count",
    "due_assumed_count": "open_count",
    "acceptance_count": "proposed_count",
    "waiting_count": "receivable_count",
}
"""Counts and those that they can never exceed."""

_NOT_NEGATIVE: Final = tuple(name for name in COMPONENT_NAMES if name.endswith(("_count", "_days")))
_EVERYTHING: Final = "everything"
_SHOWN: Final = 5
_LARGEST_EXACT: Final = 2**53


def reconcile_rollup(certificates: pa.Table, rollup: pa.Table, as_of: date) -> list[str]:
    """Compare the count and the proposed amount of each currency in certificates and in the roll-up.

    Sums must also stay within the integers that every reader of JSON keeps exactly.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        rollup: The roll-up of those rows.
        as_of: The business date of the roll-up; certificates issued later are not in it.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    problems = _inexact(rollup)
    if problems:
        return problems
    existing = certificates.filter(pc.less_equal(certificates["issued_on"], pa.scalar(as_of)))
    currencies = set(existing["currency"].to_pylist()) | set(rollup["currency"].to_pylist())
    for currency in sorted(currencies):
        rows = existing.filter(pc.equal(existing["currency"], currency))
        cells = rollup.filter(pc.equal(rollup["currency"], currency))
        pairs = {
            "certificates": (rows.num_rows, _total(cells, "proposed_count")),
            "proposed": (_total(rows, "amount_proposed"), _total(cells, "proposed_amount")),
        }
        problems += [
            f"{what} in {currency}: {straight} straight from the rows, {rolled} in the roll-up"
            for what, (straight, rolled) in pairs.items()
            if straight != rolled
        ]
    return problems


def reconcile_variants(rollup: pa.Table, cube: Cube, slices: Sequence[Slice]) -> list[str]:
    """Compare the roll-up's columns with what the variants of each dimension's single values sum to.

    Args:
        rollup: The roll-up from which the cube is built.
        cube: That cube.
        slices: The sums of its hot filters.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    dimensions = (_EVERYTHING, *cube.values)
    found = {name: np.zeros((len(cube.currencies), len(COMPONENT_NAMES)), np.int64) for name in dimensions}
    for piece in slices:
        for at, one in enumerate(piece.filters):
            if len(one.terms) < 2:
                found[one.terms[0][0] if one.terms else _EVERYTHING] += piece.totals[at]
    problems = []
    for place, currency in enumerate(cube.currencies):
        cells = rollup.filter(pc.equal(rollup["currency"], currency))
        straight = [_total(cells, component) for component in COMPONENT_NAMES]
        problems += [
            f"{component} in {currency}: {expected} in the roll-up, {summed} over the variants of {name}"
            for name in dimensions
            for component, expected, summed in zip(
                COMPONENT_NAMES, straight, found[name][place].tolist(), strict=True
            )
            if expected != summed
        ]
    return problems


def out_of_range(slices: Sequence[Slice]) -> list[str]:
    """Look for sums that no certificates can have, in any variant.

    Counts and days are never negative, parts add up to their whole, and what is a part of something
    is at most that.

    Returns:
        One sentence a broken rule, with the first filters that break it.
    """
    problems = []
    for piece in slices:
        broken: dict[str, npt.NDArray[np.bool_]] = {
            **{f"{name} is negative": _at(piece, name) < 0 for name in _NOT_NEGATIVE},
            **{
                f"{whole} is not the sum of {' + '.join(parts)}": _at(piece, whole)
                != sum(_at(piece, part) for part in parts)
                for whole, parts in _PARTS.items()
            },
            **{
                f"{part} exceeds {whole}": _at(piece, part) > _at(piece, whole)
                for part, whole in _AT_MOST.items()
            },
        }
        for rule, where in broken.items():
            variants = np.flatnonzero(where.any(axis=1)).tolist()
            if variants:
                shown = ", ".join(str(piece.filters[at].as_dict()) for at in variants[:_SHOWN])
                problems.append(f"{rule} in {len(variants)} variants, such as {shown}")
    return problems


def _inexact(rollup: pa.Table) -> list[str]:
    """Components whose sums could leave the integers that JSON readers keep, each as a sentence."""
    # Sums of floats do not wrap around, and are exact enough to tell.
    reach = {
        name: pc.sum(pc.abs(pc.cast(rollup[name], pa.float64(), safe=False))).as_py() or 0.0
        for name in rollup.column_names
        if name in COMPONENT_INDEX
    }
    return [
        f"{name} sums to about {total:.3g}, beyond 2**53: look for amounts in the wrong unit"
        for name, total in reach.items()
        if total > _LARGEST_EXACT
    ]


def _at(piece: Slice, component: str) -> Ints:
    """A component of each variant and currency, [V, C]."""
    return piece.totals[..., COMPONENT_INDEX[component]]


def _total(table: pa.Table, column: str) -> int:
    return pc.sum(table[column]).as_py() or 0

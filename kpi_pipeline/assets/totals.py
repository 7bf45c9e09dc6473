"""What is reconciled of a roll-up as a cube: of what no changed row concerns it is taken from before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from kpi_pipeline.compute.cube.cube import Changes, Cube
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_totals, totals_of
from kpi_pipeline.compute.rollup.part_sums import Sums, summed_cells
from kpi_pipeline.compute.rollup.tables import Part, RollupParts
from kpi_pipeline.model.components import COMPONENT_NAMES
from kpi_pipeline.model.dimensions import ISSUED_AGE
from kpi_pipeline.model.filters import Filter

PlaceSums = Mapping[int, Sums]
"""By place, the sums of cells, zeros left out."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a cube that are compared with those of the roll-up's columns.

    Attributes:
        problems: By check, what is wrong, as sentences.
        singles: Every component of everything and of each single value, ages apart, [components, C].
        parts: The sums of parts of cells, by name of the part.
    """

    problems: Mapping[str, list[str]]
    singles: Mapping[Filter, Ints]
    parts: Mapping[str, PlaceSums]

    @classmethod
    def of(
        cls,
        cube: Cube,
        rollup: RollupParts,
        before: "tuple[Cube, Totals] | None" = None,
        changes: Changes | None = None,
    ) -> Self:
        """Sum, and compare.

        Args:
            cube: The cube.
            rollup: The roll-up that it encodes.
            before: An earlier cube, and what was summed of it.
            changes: The rows by which they differ; None where that cannot be told.
        """
        slices, kept = _single_values(cube, changes), dict[Filter, Ints]()
        if before is not None and changes is not None:
            if any(before[1].problems.values()):
                slices = _single_values(cube)
            moved = {one for slice_ in _single_values(before[0], changes) for one in slice_.filters}
            kept = {one: total for one, total in before[1].singles.items() if one not in moved}
        singles = kept | totals_of(slices)
        parts = cube.frame.reconciled_parts(rollup)
        sums, named = _summed(parts, {} if before is None else before[1].parts)
        problems = {
            "variants_reconcile": reconcile_totals(sums, cube.frame.currencies, singles),
            "values_in_range": out_of_range(slices),
        }
        return cls(problems, singles, named)


def is_single(requested: Filter) -> bool:
    """Whether a filter is everything, or a single value that is no age."""
    if not requested.terms:
        return True
    (name, values), *others = requested.terms
    return not others and len(values) == 1 and name != ISSUED_AGE.name


def _single_values(cube: Cube, changes: Changes | None = None) -> list[Slice]:
    """The sums of everything and of each single value, ages apart; of those that admit a changed row."""
    return [
        slice_.only(singles)
        for slice_ in cube.slices(changes, attributes=1)
        if (singles := {requested for requested in slice_.filters if is_single(requested)})
    ]


def _summed(parts: Sequence[Part], before: Mapping[str, PlaceSums]) -> tuple[PlaceSums, dict[str, PlaceSums]]:
    """The sums of cells, and those of each part that has a name."""
    whole: dict[int, Sums] = {AS_OF: {}, COHORT: {}}
    named: dict[str, PlaceSums] = {}
    for part in parts:
        sums = before.get(part.name) or _sums_of(part)
        for place, of_place in sums.items():
            for key, total in of_place.items():
                whole[place][key] = whole[place].get(key, 0) + total
        if part.name:
            named[part.name] = sums
    return whole, named


def _sums_of(part: Part) -> PlaceSums:
    summed = summed_cells(part.rows(), COMPONENT_NAMES)
    return {place: {key: total for key, total in sums.items() if total} for place, sums in summed.items()}

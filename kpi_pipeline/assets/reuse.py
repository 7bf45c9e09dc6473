"""Which answers a generation reuses from the live one: those whose figures have not changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.assets.generation_variants import GenerationVariants
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.copies import Reusable
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import shared_inputs, values_resting_on_all
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.resources.rollup_archive import RollupArchive

_OF_DATA: Final = ("as_of", "dimensions", "loss_rates")
"""Entries of the catalogue that follow the data."""

_SHARED_VARIANTS: Final = 2000
"""So few changed variants keep their sums for the other products of the run."""


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Which answers of a generation are computed, and which are reused.

    Attributes:
        figures: Where its sums come from.
        variants: All its variants.
        changed: The sums of those that are computed; None for all.
        origin: The generation that holds the others; empty where there are none.
        unchanged: Of the others, those whose answers are the same.
        completed: The sums of those of which all is the same but the KPIs that rest on all certificates.
    """

    figures: Figures
    variants: GenerationVariants
    changed: Sequence[Slice] | None = None
    origin: str = ""
    unchanged: tuple[Filter, ...] = ()
    completed: Sequence[Slice] = ()

    @property
    def slices(self) -> Iterator[Slice]:
        """The sums to compute."""
        if self.changed is not None and sum(map(len, self.changed)) <= _SHARED_VARIANTS:
            yield from self.changed
            return
        for slice_ in self.variants.slices(self.figures) if self.changed is None else self.changed:
            # A copy: intermediate results, which take much memory together, are released with it.
            yield slice_.fresh()

    def whole(self) -> "WritePlan":
        """The same generation with everything computed."""
        return WritePlan(self.figures, self.variants)

    def reusable(self, product: str) -> Reusable | None:
        """What is taken from the generation that holds it; None where nothing is."""
        if not self.origin:
            return None
        slices = (slice_.fresh() for slice_ in self.completed)
        completed = values_resting_on_all(product, slices, self.figures.results)
        return Reusable(self.origin, self.unchanged, completed)


def write_plan(
    product: str,
    figures: Figures,
    variants: GenerationVariants,
    live: ManifestEntry | None,
    basis: str,
    damaged: frozenset[str],
) -> WritePlan:
    """Find out which answers must be computed.

    An answer of the live generation still holds where it has the same basis, is not damaged, and no row that
    its filter admits has changed; but for the KPIs that rest on all certificates, if what these come from has
    changed.

    Args:
        product: The product.
        figures: Its figures.
        variants: The variants of the generation.
        live: The live generation; None where all must be computed.
        basis: The generation's basis; see `basis_digest`.
        damaged: Variants of the live generation that are gone or corrupt.
    """
    everything = WritePlan(figures, variants)
    if live is None or live.basis != basis or live.schema_version != SCHEMA_VERSION:
        return everything
    difference = _changed(product, figures, live)
    if difference is None:
        return everything
    changed, shares_inputs = difference
    # A requested variant beyond the candidates may be new in this generation.
    computed = {*variants.requested, *(one for slice_ in changed for one in slice_.filters)}
    slices = [some for slice_ in changed if len(some := slice_.only(variants.declared))]
    unread = [one for one in variants.declared if live.variant(one) in damaged] if damaged else []
    others = [*variants.requested, *(one for one in unread if one not in computed)]
    if others:
        slices.append(figures.cube.select(others))
    reused = variants.declared.difference(computed, unread)
    if not reused:
        return WritePlan(figures, variants, slices)
    if shares_inputs:
        return WritePlan(figures, variants, slices, live.generation, tuple(reused))
    completed = [some for slice_ in figures.candidates if len(some := slice_.only(reused))]
    return WritePlan(figures, variants, slices, live.generation, completed=completed)


def _changed(product: str, figures: Figures, live: ManifestEntry) -> tuple[Sequence[Slice], bool] | None:
    """How figures differ from the live reading.

    Returns:
        The sums that a row concerns which differs, and whether what all answers share is the same; None where
        all may have changed.
    """
    if live.reading == figures.reading:
        return (), True
    if (changed := figures.changed(live.reading)) is not None:
        return changed, figures.shares_inputs(live.reading, product)
    rollup = RollupArchive.of_settings().rollup(live.reading)
    if rollup is None:
        return None
    cube = figures.cube
    before = Cube(rollup, live.as_of, cube.frame.days.window_months, cube.frame.thresholds)
    changes = cube.changes_since(before)
    if changes is None:
        return None
    return list(cube.slices(changes)), shared_inputs(product, cube) == shared_inputs(product, before)


def basis_digest(product: str, cube: Cube, described: dict[str, Any]) -> str:
    """A digest of the inputs that all answers of a generation share: everything but their own rows.

    Args:
        product: The product.
        cube: The figures.
        described: The catalogue; the number of certificates of each value does not matter, nor do loss rates:
            they are among the inputs of the answers that rest on all certificates.
    """
    frame = cube.frame
    labels = {name: entry for name, entry in described.items() if name not in _OF_DATA}
    return digest_of(
        SCHEMA_VERSION,
        product,
        code_digest(*COMPUTING),
        frame.as_of,
        frame.days.window_months,
        frame.values,
        labels,
    )

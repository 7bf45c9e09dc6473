"""Which answers a generation reuses from the live one: those whose figures have not changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.assets.generation_variants import GenerationVariants
from kpi_pipeline.cache.keys import variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Reusable
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import shared_inputs
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.resources.rollup_archive import RollupArchive

_SHARED_VARIANTS: Final = 2000
"""So few changed variants keep their sums for the other products of the run."""


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Which answers of a generation are computed, and which are reused.

    Attributes:
        figures: Where its sums come from.
        variants: All its variants.
        changed: The sums of those that are computed; None for all.
        unchanged: The others; None where there are none.
    """

    figures: Figures
    variants: GenerationVariants
    changed: Sequence[Slice] | None
    unchanged: Reusable | None

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
        return replace(self, changed=None, unchanged=None)


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
    its filter admits has changed.

    Args:
        product: The product.
        figures: Its figures.
        variants: The variants of the generation.
        live: The live generation; None where all must be computed.
        basis: The generation's basis; see `basis_digest`.
        damaged: Variants of the live generation that are gone or corrupt.
    """
    everything = WritePlan(figures, variants, None, None)
    if live is None or live.basis != basis or live.schema_version != SCHEMA_VERSION:
        return everything
    changed = _changed(product, figures, live)
    if changed is None:
        return everything
    # A requested variant beyond the candidates may be new in this generation.
    computed = {*variants.requested, *(one for slice_ in changed for one in slice_.filters)}
    slices = [some for slice_ in changed if len(some := slice_.only(variants.declared))]
    unread = [one for one in variants.declared if variant_key(product, one) in damaged] if damaged else []
    others = [*variants.requested, *(one for one in unread if one not in computed)]
    if others:
        slices.append(figures.cube.select(others))
    reused = tuple(variants.declared.difference(computed, unread))
    return WritePlan(figures, variants, slices, Reusable(live.generation, reused) if reused else None)


def _changed(product: str, figures: Figures, live: ManifestEntry) -> Sequence[Slice] | None:
    """The sums that a row concerns which differs from the live reading; None where all may have changed."""
    if live.reading == figures.reading:
        return ()
    if live.reading in figures.differences:
        return figures.changed(live.reading, product)
    rollup = RollupArchive.of_settings().rollup(live.reading)
    if rollup is None:
        return None
    cube = figures.cube
    before = Cube(rollup, live.as_of, cube.frame.days.window_months, cube.frame.thresholds)
    changes = cube.changes_since(before)
    if changes is None or shared_inputs(product, cube) != shared_inputs(product, before):
        return None
    return list(cube.slices(changes))


def basis_digest(product: str, cube: Cube, described: dict[str, Any]) -> str:
    """A digest of the inputs that all answers of a generation share: everything but their own rows.

    Args:
        product: The product.
        cube: The figures.
        described: The catalogue; the number of certificates of each value does not matter.
    """
    frame = cube.frame
    labels = {name: entry for name, entry in described.items() if name not in ("as_of", "dimensions")}
    return digest_of(
        SCHEMA_VERSION,
        product,
        code_digest(*COMPUTING),
        frame.as_of,
        frame.days.window_months,
        frame.values,
        labels,
    )

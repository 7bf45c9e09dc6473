"""Which answers a generation reuses from the live one: those whose figures have not changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.assets.generation_variants import GenerationVariants
from kpi_pipeline.cache.keys import variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Reusable
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import shared_inputs
from kpi_pipeline.model.dimensions import ISSUED_AGE, SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.resources.rollup_archive import RollupArchive


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Which answers of a generation are computed, and which are reused.

    Attributes:
        every: The sums of all its variants.
        changed: The sums of those that are computed.
        unchanged: The others; None where there are none.
    """

    every: Sequence[Slice]
    changed: Sequence[Slice]
    unchanged: Reusable | None

    @property
    def slices(self) -> Iterator[Slice]:
        """The sums to compute, each released once it is used: together they take much memory."""
        waiting = list(self.changed)
        while waiting:
            # A copy: intermediate results are released with it.
            yield waiting.pop(0).fresh()

    def whole(self) -> "WritePlan":
        """The same generation with everything computed."""
        return replace(self, changed=self.every, unchanged=None)


def write_plan(
    product: str,
    cube: Cube,
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
        cube: Its figures.
        variants: The variants of the generation.
        live: The live generation; None where all must be computed.
        basis: The generation's basis; see `basis_digest`.
        damaged: Variants of the live generation that are gone or corrupt.
    """
    everything = WritePlan(variants.slices, variants.slices, None)
    if live is None or live.basis != basis or live.schema_version != SCHEMA_VERSION:
        return everything
    rollup = RollupArchive.of_settings().rollup(live.reading)
    if rollup is None:
        return everything
    before = Cube(rollup, live.as_of, cube.frame.days.window_months, cube.frame.thresholds)
    changes = cube.changes_since(before)
    if changes is None or shared_inputs(product, cube) != shared_inputs(product, before):
        return everything
    # A requested variant beyond the candidates may be new in this generation.
    computed = set(variants.requested)
    computed.update(*(slice_.filters for slice_ in cube.slices(changes)))
    if damaged:
        filters = (requested for slice_ in variants.slices for requested in slice_.filters)
        computed.update(requested for requested in filters if variant_key(product, requested) in damaged)
    reused = [
        requested for slice_ in variants.slices for requested in slice_.filters if requested not in computed
    ]
    return WritePlan(
        variants.slices,
        [some for slice_ in variants.slices if len(some := slice_.only(computed))],
        Reusable(live.generation, tuple(reused)) if reused else None,
    )


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


def single_values(slices: Sequence[Slice]) -> list[Slice]:
    """The sums of everything and of each single value, ages apart."""
    return [
        slice_.only(singles)
        for slice_ in slices
        if (singles := {requested for requested in slice_.filters if _is_single(requested)})
    ]


def _is_single(requested: Filter) -> bool:
    if not requested.terms:
        return True
    (name, values), *others = requested.terms
    return not others and len(values) == 1 and name != ISSUED_AGE.name

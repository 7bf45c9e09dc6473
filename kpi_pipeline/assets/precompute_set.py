"""What a generation precomputes: the precompute set of the figures at hand, chosen and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.usage.coverage import PrecomputeSetRecord
from kpi_pipeline.cache.usage.popularity import KEPT
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.precompute_set import PrecomputeSet, choose_precompute_set
from kpi_pipeline.resources.cache import CacheResource

_SAMPLE: Final = 24
"""Answers by whose size that of all is estimated."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A generation's variants.

    Attributes:
        slices: Their sums.
        requested: Those that are precomputed because readers ask for them.
        difference: Filters by which they differ from the declared ones: asked for, or left out.
        told: What the UI shows of the choice.
    """

    slices: list[Slice]
    requested: tuple[Filter, ...]
    difference: list[Filter]
    told: dict[str, Any]


def choose(product: str, cube: Cube, declared: Sequence[Slice], cache: CacheResource) -> Chosen:
    """Choose what is precomputed of a product, and note it for the coverage ledger.

    Args:
        product: What is published.
        cube: Its figures.
        declared: The sums of the declared filters.
        cache: It holds what readers ask for, and the budget.
    """
    certificates = {one: count for slice_ in declared for one, count in slice_.certificates().items()}
    requested = _known(cache.usage_counters().most_requested_filters(product, KEPT), cube)
    variant_bytes = _mean_bytes(product, cube, declared)
    budget = cache.precompute_budget()
    room = budget.room(variant_bytes)
    precompute_set = choose_precompute_set(certificates, requested, room)
    cache.coverage().record(product, _note(precompute_set, len(certificates)))
    slices = (
        [slice_.only(precompute_set.declared) for slice_ in declared]
        if precompute_set.left_out
        else list(declared)
    )
    if precompute_set.requested:
        slices.append(cube.select(precompute_set.requested))
    return Chosen(
        slices=slices,
        requested=precompute_set.requested,
        difference=[*precompute_set.requested, *precompute_set.left_out],
        told={
            "declared": len(certificates),
            "left_out": len(precompute_set.left_out),
            "asked_for": len(precompute_set.requested),
            "refused": len(precompute_set.refused),
            "budget_variants": budget.variants,
            "budget_bytes": budget.bytes,
            "estimated_bytes": round(precompute_set.variants * variant_bytes),
            "within_budget": precompute_set.variants <= room,
        },
    )


def _note(precompute_set: PrecomputeSet, declared: int) -> PrecomputeSetRecord:
    return PrecomputeSetRecord(
        known=precompute_set.known,
        declared=declared,
        left_out=len(precompute_set.left_out),
        requested=len(precompute_set.requested),
        refused=len(precompute_set.refused),
    )


def _known(requested: Sequence[Filter], cube: Cube) -> list[Filter]:
    """Filters of which the data still hold every value."""
    held = {name: set(values) for name, values in cube.frame.values.items()}
    return [one for one in requested if all(held[name].issuperset(values) for name, values in one.terms)]


def _mean_bytes(product: str, cube: Cube, declared: Sequence[Slice]) -> float:
    """What an answer takes in the cache, on average over a sample that is the same for equal figures."""
    filters = [one for slice_ in declared for one in slice_.filters]
    sample = filters[:: max(len(filters) // _SAMPLE, 1)]
    sizes = [
        len(encode(data, {"product": product, "filter": requested.as_dict()}))
        for requested, data in payloads(product, [cube.select(sample)])
    ]
    return sum(sizes) / len(sizes)

"""What a generation precomputes: the hot set of the figures at hand, chosen and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.usage.coverage import HotSetNote
from kpi_pipeline.cache.usage.popularity import KEPT
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.precompute_set import HotSet, choose_hot_set
from kpi_pipeline.resources.cache import CacheResource

_SAMPLE: Final = 24
"""Answers by whose size that of all is estimated."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A generation's variants.

    Attributes:
        slices: Their sums.
        asked: Those that are precomputed because readers ask for them.
        difference: Filters by which they differ from the declared ones: asked for, or left out.
        told: What the UI shows of the choice.
    """

    slices: list[Slice]
    asked: tuple[Filter, ...]
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
    certificates = {one: count for piece in declared for one, count in piece.certificates().items()}
    asked = _known(cache.ledger().wanted(product, KEPT), cube)
    variant_bytes = _mean_bytes(product, cube, declared)
    budget = cache.hot_set_budget()
    room = budget.room(variant_bytes)
    hot = choose_hot_set(certificates, asked, room)
    cache.coverage().note(product, _note(hot, len(certificates)))
    slices = [piece.only(hot.declared) for piece in declared] if hot.left_out else list(declared)
    if hot.asked:
        slices.append(cube.select(hot.asked))
    return Chosen(
        slices=slices,
        asked=hot.asked,
        difference=[*hot.asked, *hot.left_out],
        told={
            "declared": len(certificates),
            "left_out": len(hot.left_out),
            "asked_for": len(hot.asked),
            "refused": len(hot.refused),
            "budget_variants": budget.variants,
            "budget_bytes": budget.bytes,
            "estimated_bytes": round(hot.variants * variant_bytes),
            "within_budget": hot.variants <= room,
        },
    )


def _note(hot: HotSet, declared: int) -> HotSetNote:
    return HotSetNote(
        known=hot.known,
        declared=declared,
        left_out=len(hot.left_out),
        asked=len(hot.asked),
        refused=len(hot.refused),
    )


def _known(asked: Sequence[Filter], cube: Cube) -> list[Filter]:
    """Filters of which the data still hold every value."""
    held = {name: set(values) for name, values in cube.values.items()}
    return [one for one in asked if all(held[name].issuperset(values) for name, values in one.terms)]


def _mean_bytes(product: str, cube: Cube, declared: Sequence[Slice]) -> float:
    """What an answer takes in the cache, on average over a sample that is the same for equal figures."""
    filters = [one for piece in declared for one in piece.filters]
    sample = filters[:: max(len(filters) // _SAMPLE, 1)]
    sizes = [
        len(encode(data, {"product": product, "filter": asked.as_dict()}))
        for asked, data in payloads(product, [cube.select(sample)])
    ]
    return sum(sizes) / len(sizes)

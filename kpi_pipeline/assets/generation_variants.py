"""Which variants a generation holds: the precompute set, chosen within the budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from random import Random
from typing import Any, Final

import redis

from kpi_pipeline.assets.digests import digest_of
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.keys import publication
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.coverage import PrecomputeSetRecord
from kpi_pipeline.cache.usage.popularity import KEPT
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.precompute_set import Budget, choose_precompute_set
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import current_settings

_SAMPLE: Final = 24
"""Answers from whose size that of all is estimated."""

PART_OF_SCOPE: Final = 25
"""Which part of the budget a scope has: it holds fewer certificates, and is one of many."""

_AMPLE: Final = 2
"""How many times the size of what is live must have room before no size is estimated."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What readers request of a product, and how much may be precomputed.

    Attributes:
        requested: The filters requested most, these first.
        budget: What the variants of a generation may take.
    """

    requested: list[Filter]
    budget: Budget

    @classmethod
    def of(cls, product: str, client: redis.Redis, scope: str = WHOLE_FIRM) -> "Demand":
        """The demand at present.

        Args:
            product: The product.
            client: The cache, which holds what readers request.
            scope: What these readers may see.
        """
        settings = current_settings()
        part = 1 if scope == WHOLE_FIRM else PART_OF_SCOPE
        return cls(
            UsageCounters(client).most_requested_filters(publication(product, scope), KEPT),
            Budget(
                max(settings.precompute_max_variants // part, 1),
                max(settings.precompute_max_bytes // part, 1),
            ),
        )

    @property
    def digest(self) -> str:
        """The budget, and a digest of what is requested, however often."""
        return self._budget + digest_of(*sorted(str(filter_.identity) for filter_ in self.requested))

    def has_budget_of(self, digest: str) -> bool:
        """Whether the budget is that of another demand, which is given by its digest."""
        return digest.startswith(self._budget)

    @property
    def _budget(self) -> str:
        return f"{self.budget.variants}/{self.budget.bytes}:"


@dataclass(frozen=True, slots=True)
class GenerationVariants:
    """The variants of a generation.

    Attributes:
        declared: Those of the candidates that are precomputed.
        requested: Those that are precomputed because readers request them.
        difference: Filters by which they differ from the candidates: requested besides, or left out.
        record: The choice in numbers, for the coverage report.
        metadata: Figures of the choice, for Dagster's UI.
    """

    declared: frozenset[Filter]
    requested: tuple[Filter, ...]
    difference: list[Filter]
    record: PrecomputeSetRecord
    metadata: dict[str, Any]

    def slices(self, figures: Figures) -> list[Slice]:
        """Their sums, nothing summed yet."""
        slices = [some for slice_ in figures.candidates if len(some := slice_.only(self.declared))]
        return [*slices, figures.cube.select(self.requested)] if self.requested else slices


def choose_variants(
    product: str,
    figures: Figures,
    demand: Demand,
    live: ManifestEntry | None,
    awaited: Sequence[Filter] = (),
) -> GenerationVariants:
    """Choose the variants of a product's next generation.

    Args:
        product: The product.
        figures: Its figures.
        demand: What readers request.
        live: The product's live generation; None where there is none.
        awaited: What readers wait for until the run ends: it is precomputed whatever room there is.
    """
    certificates, cube = figures.certificates, figures.cube
    requested = _known(demand.requested, cube)
    waited_for = _known(awaited, cube)
    budget = demand.budget
    wanted = len(certificates) + len(requested) + len(waited_for)
    variant_bytes = live.bytes / live.variants if live is not None and live.variants else None
    # As long as all that is wanted has ample room, its exact size decides nothing.
    if variant_bytes is None or budget.room(_AMPLE * variant_bytes) < min(wanted, budget.variants):
        variant_bytes = _mean_bytes(product, figures)
    room = budget.room(variant_bytes)
    chosen = choose_precompute_set(certificates, requested, room, waited_for)
    counts = {
        "declared": len(certificates),
        "left_out": len(chosen.left_out),
        "requested": len(chosen.requested),
        "refused": len(chosen.refused),
    }
    return GenerationVariants(
        declared=chosen.declared,
        requested=chosen.requested,
        difference=[*chosen.requested, *chosen.left_out],
        record=PrecomputeSetRecord(known=chosen.known, **counts),
        metadata={
            **counts,
            "budget_variants": budget.variants,
            "budget_bytes": budget.bytes,
            "estimated_bytes": round(chosen.variants * variant_bytes),
            "within_budget": chosen.variants <= room,
        },
    )


def _known(filters: Sequence[Filter], cube: Cube) -> list[Filter]:
    """Filters of which the data still hold every value."""
    known = {name: set(values) for name, values in cube.frame.values.items()}
    return [
        requested
        for requested in filters
        if all(known[name].issuperset(values) for name, values in requested.terms)
    ]


def _mean_bytes(product: str, figures: Figures) -> float:
    """The mean stored size of an answer, over a sample that is the same for equal figures."""
    filters = sorted(figures.certificates, key=attrgetter("terms"))
    # Not at equal distances: of each value they would be those of the same periods.
    sample = Random(_SAMPLE).sample(filters, min(_SAMPLE, len(filters)))  # noqa: S311 - nothing is secret
    sizes = figures.sizes[product]
    if unknown := [requested for requested in sample if requested not in sizes]:
        for requested, data in payloads(product, [figures.cube.select(unknown)], figures.results):
            sizes[requested] = len(encode(data, {"product": product, "filter": requested.as_dict()}))
    return sum(sizes[requested] for requested in sample) / len(sample)

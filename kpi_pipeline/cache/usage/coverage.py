"""Coverage: which variants exist, which are precomputed, and how lookups are answered."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import chain
from typing import Any, Final, cast

import redis

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.keys import added_key, payload_key, precompute_set_key
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason, live_entry
from kpi_pipeline.cache.usage.counters import MissedFilter, Reads, RequestedFilter, UsageCounters
from kpi_pipeline.cache.usage.popularity import KEPT
from kpi_pipeline.model.filters import Filter

MISSES_SHOWN: Final = 200
"""How many missed variants of a product are listed at most."""

REQUESTED_SHOWN: Final = 20
"""How many requested variants of a product are listed at most."""

_RECORD_KEPT_S: Final = 8 * 86_400


@dataclass(frozen=True, slots=True)
class PrecomputeSetRecord:
    """What the pipeline has last chosen to precompute of a product, in numbers of variants.

    Attributes:
        known: Declared, or requested by readers.
        declared: Declared: everything, single values, pairs that occur.
        left_out: Declared, and there is no room for them.
        requested: Not declared, and precomputed because readers request them.
        refused: Not declared, requested by readers, and there is no room for them.
    """

    known: int
    declared: int
    left_out: int
    requested: int
    refused: int


@dataclass(frozen=True, slots=True)
class MissedVariant:
    """A variant that was missed, and whether the live generation holds it by now.

    Attributes:
        missed: The filter, why and how often.
        precomputed: Whether the live generation holds it.
    """

    missed: MissedFilter
    precomputed: bool


@dataclass(frozen=True, slots=True)
class RequestedVariant:
    """A variant that readers request, how they were answered, and whether the live generation holds it.

    Attributes:
        requested: The filter and how often.
        precomputed: Whether the live generation holds it.
        stale: How often it was answered with stale figures.
        missed: How often it was not answered with its own figures.
    """

    requested: RequestedFilter
    precomputed: bool
    stale: float
    missed: float

    @property
    def hits(self) -> float:
        """How often it was answered with its own figures, fresh or stale."""
        return max(0.0, self.requested.weight - self.missed)


@dataclass(frozen=True, slots=True)
class ProductCoverage:
    """The coverage of one product.

    Attributes:
        product: Its name.
        live: Its live generation; None when there is none.
        chosen: What was last chosen to be precomputed; None when no run has chosen lately.
        requested: How many variants readers request.
        requested_missing: How many of these the live generation does not hold.
        reads: How lookups were answered.
        missed: The variants missed most often, these first.
        most_requested: The variants requested most often, these first; `REQUESTED_SHOWN` at most.
    """

    product: str
    live: ManifestEntry | None
    chosen: PrecomputeSetRecord | None
    requested: int
    requested_missing: int
    reads: Reads
    missed: tuple[MissedVariant, ...]
    most_requested: tuple[RequestedVariant, ...]

    def as_dict(self) -> dict[str, Any]:
        """The coverage as plain JSON values."""
        return {
            "product": self.product,
            "generation": self.live.generation if self.live else None,
            "precomputed": self.live.variants if self.live else 0,
            "bytes": self.live.bytes if self.live else 0,
            "precompute_set": asdict(self.chosen) if self.chosen else None,
            "requested": self.requested,
            "requested_missing": self.requested_missing,
            "hits": self.reads.hits,
            "stale": self.reads.stale,
            "misses": {reason.value: times for reason, times in self.reads.misses.items()},
            "missed": [
                {
                    "filter": variant.missed.filter.as_dict(),
                    "reason": variant.missed.reason.value,
                    "weight": round(variant.missed.weight, 3),
                    "precomputed": variant.precomputed,
                }
                for variant in self.missed
            ],
        }


class Coverage:
    """Reads the coverage of products. Errors of Redis propagate.

    It takes a client of the user `serving` (to read) or `pipeline` (all).
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._usage_counters = UsageCounters(client)

    def record(self, product: str, chosen: PrecomputeSetRecord) -> None:
        """Record what was chosen to be precomputed."""
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hset(precompute_set_key(product), items=list(chain(*asdict(chosen).items())))
        pipeline.expire(precompute_set_key(product), _RECORD_KEPT_S)
        pipeline.execute()

    def of(self, product: str) -> ProductCoverage:
        """The coverage of one product."""
        live = live_entry(self._client, product)
        requested = self._usage_counters.most_requested(product, KEPT)
        missed = self._usage_counters.most_missed(product, KEPT)
        shown = missed[:MISSES_SHOWN]
        held = self._held(
            live, [*(listed.filter for listed in requested), *(listed.filter for listed in shown)]
        )
        return ProductCoverage(
            product=product,
            live=live,
            chosen=self._chosen(product),
            requested=len(requested),
            requested_missing=sum(listed.filter not in held for listed in requested),
            reads=self._usage_counters.reads(product),
            missed=tuple(MissedVariant(listed, listed.filter in held) for listed in shown),
            most_requested=self._most_requested(product, requested[:REQUESTED_SHOWN], missed, held),
        )

    def _most_requested(
        self,
        product: str,
        requested: Sequence[RequestedFilter],
        missed: Sequence[MissedFilter],
        held: set[Filter],
    ) -> tuple[RequestedVariant, ...]:
        """Variants with how they were answered; a lookup that could not reach Redis is no request."""
        stale = {listed.filter: listed.weight for listed in self._usage_counters.most_stale(product, KEPT)}
        misses: dict[Filter, float] = defaultdict(float)
        for miss in missed:
            if miss.reason is not MissReason.UNREACHABLE:
                misses[miss.filter] += miss.weight
        return tuple(
            RequestedVariant(
                listed, listed.filter in held, stale.get(listed.filter, 0.0), misses[listed.filter]
            )
            for listed in requested
        )

    def _chosen(self, product: str) -> PrecomputeSetRecord | None:
        stored = cast("dict[bytes, bytes]", self._client.hgetall(precompute_set_key(product)))
        try:
            return PrecomputeSetRecord(
                **{field.name: int(stored[field.name.encode()]) for field in fields(PrecomputeSetRecord)}
            )
        except (KeyError, ValueError):
            return None

    def _held(self, live: ManifestEntry | None, filters: Sequence[Filter]) -> set[Filter]:
        """Which of some filters the live generation holds."""
        if live is None:
            return set()
        held: set[Filter] = set()
        for batch in batches(dict.fromkeys(filters)):
            pipeline = self._client.pipeline(transaction=False)
            for filter_ in batch:
                variant = live.variant(filter_)
                pipeline.exists(payload_key(live.generation, variant), added_key(live.generation, variant))
            exist = zip(batch, pipeline.execute(), strict=True)
            held.update(filter_ for filter_, exists in exist if exists)
        return held

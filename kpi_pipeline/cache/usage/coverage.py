"""Coverage: which variants there are, which are precomputed, and how questions find them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, TypeVar, cast

import redis

from kpi_pipeline.cache.keys import payload_key, precompute_set_key, variant_key
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason, live_entry
from kpi_pipeline.cache.usage.counters import MissedFilter, Reads, RequestedFilter, UsageCounters
from kpi_pipeline.cache.usage.popularity import KEPT
from kpi_pipeline.model.filters import Filter

MISSES_SHOWN: Final = 200
"""How many missed variants of a product are listed at most."""

REQUESTED_SHOWN: Final = 20
"""How many variants of a product that are asked for are listed at most."""

_NOTE_KEPT_S: Final = 8 * 86_400
_BATCH: Final = 250

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PrecomputeSetRecord:
    """What the pipeline has last chosen to precompute of a product.

    Attributes:
        known: How many variants there are: declared, or asked for by readers.
        declared: How many are declared: everything, single values, pairs that occur.
        left_out: Declared ones for which there is no room.
        requested: Others that are precomputed because readers ask for them.
        refused: Others that readers ask for and for which there is no room.
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
        missed: What, why and how often.
        precomputed: Whether it is there now.
    """

    missed: MissedFilter
    precomputed: bool


@dataclass(frozen=True, slots=True)
class RequestedVariant:
    """A variant that readers ask for, how they were answered, and whether the live generation holds it.

    Attributes:
        requested: What and how often.
        precomputed: Whether it is there.
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
        product: Which.
        live: Its live generation; None when there is none.
        chosen: What was last chosen; None when no run has chosen lately.
        requested: How many variants readers ask for.
        requested_missing: How many of these the live generation does not hold.
        reads: How questions were answered.
        missed: What was missed, most often first.
        most_requested: What was asked for most, most often first; `REQUESTED_SHOWN` at most.
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
                    "filter": one.missed.filter.as_dict(),
                    "reason": one.missed.reason.value,
                    "weight": round(one.missed.weight, 3),
                    "precomputed": one.precomputed,
                }
                for one in self.missed
            ],
        }


class Coverage:
    """Reads the coverage of products. Errors of Redis propagate as they are.

    Args:
        client: A client of the user `serving` (to read) or `pipeline` (all).
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._usage_counters = UsageCounters(client)

    def note(self, product: str, chosen: PrecomputeSetRecord) -> None:
        """Note what was chosen to be precomputed."""
        pipeline = self._client.pipeline(transaction=True)
        noted = asdict(chosen)
        pipeline.hset(precompute_set_key(product), items=[part for pair in noted.items() for part in pair])
        pipeline.expire(precompute_set_key(product), _NOTE_KEPT_S)
        pipeline.execute()

    def of(self, product: str) -> ProductCoverage:
        """The coverage of one product.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
        """
        live = live_entry(self._client, product)
        requested = self._usage_counters.requested(product, KEPT)
        missed = self._usage_counters.missed(product, KEPT)
        shown = missed[:MISSES_SHOWN]
        held = self._held(live, [*(one.filter for one in requested), *(one.filter for one in shown)])
        return ProductCoverage(
            product=product,
            live=live,
            chosen=self._chosen(product),
            requested=len(requested),
            requested_missing=sum(one.filter not in held for one in requested),
            reads=self._usage_counters.reads(product),
            missed=tuple(MissedVariant(one, one.filter in held) for one in shown),
            most_requested=self._most_requested(product, requested[:REQUESTED_SHOWN], missed, held),
        )

    def _most_requested(
        self,
        product: str,
        requested: Sequence[RequestedFilter],
        missed: Sequence[MissedFilter],
        held: set[Filter],
    ) -> tuple[RequestedVariant, ...]:
        """Variants with how they were answered; what nobody could be told of is no ask."""
        stale = {one.filter: one.weight for one in self._usage_counters.stale(product, KEPT)}
        misses: dict[Filter, float] = defaultdict(float)
        for one in missed:
            if one.reason is not MissReason.UNREACHABLE:
                misses[one.filter] += one.weight
        return tuple(
            RequestedVariant(one, one.filter in held, stale.get(one.filter, 0.0), misses[one.filter])
            for one in requested
        )

    def _chosen(self, product: str) -> PrecomputeSetRecord | None:
        noted = cast("dict[bytes, bytes]", self._client.hgetall(precompute_set_key(product)))
        try:
            return PrecomputeSetRecord(
                **{field.name: int(noted[field.name.encode()]) for field in fields(PrecomputeSetRecord)}
            )
        except (KeyError, ValueError):
            return None

    def _held(self, live: ManifestEntry | None, filters: Sequence[Filter]) -> set[Filter]:
        """Those of some filters that the live generation holds."""
        if live is None:
            return set()
        held: set[Filter] = set()
        for batch in _batches(list(dict.fromkeys(filters))):
            pipeline = self._client.pipeline(transaction=False)
            for one in batch:
                pipeline.exists(payload_key(live.generation, variant_key(live.product, one)))
            held.update(one for one, found in zip(batch, pipeline.execute(), strict=True) if found)
        return held


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for begin in range(0, len(items), _BATCH):
        yield items[begin : begin + _BATCH]

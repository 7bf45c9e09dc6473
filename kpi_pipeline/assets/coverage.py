"""The coverage ledger in Dagster: what is precomputed, what is hit and missed, as figures over time."""

from typing import Any

from dagster import MaterializeResult, MetadataValue, TableRecord, asset

from kpi_pipeline.assets.policies import TRY_AGAIN
from kpi_pipeline.cache.usage.counters import DAYS_KEPT
from kpi_pipeline.cache.usage.coverage import Coverage, MissedVariant, ProductCoverage
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource

_MISSES_SHOWN = 20


@asset(
    group_name="coverage",
    owners=["team:data-engineering"],
    kinds={"redis"},
    retry_policy=TRY_AGAIN,
    description="Which variants of each product exist, are precomputed, hit and missed, and why they are "
    f"missed; hits and misses of the last {DAYS_KEPT} days.",
)
def coverage(cache: CacheResource) -> MaterializeResult[None]:
    """Read the coverage of every product."""
    found = [Coverage(cache.client).of(product) for product in PRODUCTS]
    hits, misses = sum(one.reads.hits for one in found), sum(one.reads.missed for one in found)
    return MaterializeResult(
        metadata={
            "precomputed": sum(one.live.variants for one in found if one.live),
            "bytes": sum(one.live.bytes for one in found if one.live),
            "hits": hits,
            "misses": misses,
            **({"hit_share": round(hits / (hits + misses), 4)} if hits + misses else {}),
            "products": MetadataValue.table([TableRecord(_row(one)) for one in found]),
            **_missed(found),
        }
    )


def _row(found: ProductCoverage) -> dict[str, str | int | float | bool | None]:
    chosen = found.chosen
    return {
        "product": found.product,
        "exist": chosen.known if chosen else None,
        "precomputed": found.live.variants if found.live else 0,
        "left_out": chosen.left_out if chosen else None,
        "refused": chosen.refused if chosen else None,
        "bytes": found.live.bytes if found.live else 0,
        "asked": found.requested,
        "asked_missing": found.requested_missing,
        "hits": found.reads.hits,
        "misses": found.reads.missed,
        "reasons": ", ".join(f"{reason} {times}" for reason, times in found.reads.misses.items()),
    }


def _missed(found: list[ProductCoverage]) -> dict[str, Any]:
    """The variants missed most, if any: a table must have rows."""
    most = sorted(
        ((one.product, missed) for one in found for missed in one.missed),
        key=lambda pair: -pair[1].missed.weight,
    )
    rows = [_missed_row(product, missed) for product, missed in most[:_MISSES_SHOWN]]
    return {"missed": MetadataValue.table(rows)} if rows else {}


def _missed_row(product: str, missed: MissedVariant) -> TableRecord:
    return TableRecord(
        {
            "product": product,
            "filter": str(missed.missed.filter),
            "reason": missed.missed.reason.value,
            "weight": round(missed.missed.weight, 2),
            "precomputed_now": missed.precomputed,
        }
    )

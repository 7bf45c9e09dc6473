"""Coverage in Dagster: precomputed variants, hits and misses, as figures over time."""

from typing import Any

from dagster import MaterializeResult, MetadataValue, TableRecord, asset

from kpi_pipeline.assets.freshness_policies import TRY_AGAIN
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
    products = [Coverage(cache.client).of(product) for product in PRODUCTS]
    hits = sum(product.reads.hits for product in products)
    misses = sum(product.reads.missed for product in products)
    return MaterializeResult(
        metadata={
            "precomputed": sum(product.live.variants for product in products if product.live),
            "bytes": sum(product.live.bytes for product in products if product.live),
            "hits": hits,
            "misses": misses,
            **({"hit_share": round(hits / (hits + misses), 4)} if hits + misses else {}),
            "products": MetadataValue.table([TableRecord(_row(product)) for product in products]),
            **_missed(products),
        }
    )


def _row(coverage: ProductCoverage) -> dict[str, str | int | float | bool | None]:
    chosen = coverage.chosen
    return {
        "product": coverage.product,
        "exist": chosen.known if chosen else None,
        "precomputed": coverage.live.variants if coverage.live else 0,
        "left_out": chosen.left_out if chosen else None,
        "refused": chosen.refused if chosen else None,
        "bytes": coverage.live.bytes if coverage.live else 0,
        "asked": coverage.requested,
        "asked_missing": coverage.requested_missing,
        "hits": coverage.reads.hits,
        "misses": coverage.reads.missed,
        "reasons": ", ".join(f"{reason} {times}" for reason, times in coverage.reads.misses.items()),
    }


def _missed(products: list[ProductCoverage]) -> dict[str, Any]:
    """The variants missed most, if any: a table must have rows."""
    most = sorted(
        ((product.product, missed) for product in products for missed in product.missed),
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

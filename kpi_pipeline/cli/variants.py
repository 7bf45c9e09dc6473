"""`kpi variants`: which variants exist, which are precomputed, and how lookups are answered."""

from collections.abc import Sequence
from typing import Annotated

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.usage.counters import DAYS_KEPT
from kpi_pipeline.cache.usage.coverage import Coverage, ProductCoverage
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json, Products
from kpi_pipeline.cli.problems import load_settings, reported_errors
from kpi_pipeline.model.dimensions import PRODUCTS


def variants(
    products: Products = None,
    misses: Annotated[bool, typer.Option("--misses", help="List the missed variants.")] = False,
    as_json: Json = False,
) -> None:
    """Show how many variants exist, are precomputed, hit and missed, and why they were missed.

    A variant is one filter of one product. The known variants are the unfiltered one, single values, pairs
    that occur, and what readers have requested. Hits and misses are those of the last days.

    Exit codes: 0 success, 1 Redis cannot be read, 2 usage error.

    Example: `kpi variants`

    Example: `kpi variants --product kpis --misses`
    """
    with reported_errors(as_json):
        with connect(redis_url(load_settings())) as client:
            coverages = [Coverage(client).of(name) for name in products or PRODUCTS]
        if as_json:
            print_json(
                {"ok": True, "days": DAYS_KEPT, "products": [coverage.as_dict() for coverage in coverages]}
            )
            return
        _print_coverages(coverages)
        if misses:
            _print_misses(coverages)


def _print_coverages(coverages: Sequence[ProductCoverage]) -> None:
    print_table(
        ("Product", "Known", "Precomputed", "No room", "Requested", "Missing", "Hits", "Misses", "Bytes"),
        [
            (
                coverage.product,
                f"{coverage.chosen.known:,}" if coverage.chosen else "",
                f"{coverage.live.variants:,}" if coverage.live else "0",
                f"{coverage.chosen.left_out + coverage.chosen.refused:,}" if coverage.chosen else "",
                f"{coverage.requested:,}",
                f"{coverage.requested_missing:,}",
                f"{coverage.reads.hits:,}",
                f"{coverage.reads.missed:,}",
                f"{coverage.live.bytes:,}" if coverage.live else "0",
            )
            for coverage in coverages
        ],
    )
    for coverage in coverages:
        if coverage.reads.misses:
            reasons = ", ".join(f"{times:,} {reason}" for reason, times in coverage.reads.misses.items())
            print_line(f"{coverage.product} missed in {DAYS_KEPT} days: {reasons}")


def _print_misses(coverages: Sequence[ProductCoverage]) -> None:
    rows = [
        (
            coverage.product,
            str(variant.missed.filter),
            variant.missed.reason.value,
            f"{variant.missed.weight:.1f}",
            "precomputed" if variant.precomputed else "missing",
        )
        for coverage in coverages
        for variant in coverage.missed
    ]
    if not rows:
        print_line(f"no variant was missed in {DAYS_KEPT} days")
        return
    print_table(("Product", "Filter", "Reason", "Weight", "Now"), rows)

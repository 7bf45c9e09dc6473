"""`kpi variants`: which variants there are, which are precomputed, and how questions find them."""

from collections.abc import Sequence
from typing import Annotated

import redis
import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.usage.counters import DAYS_KEPT
from kpi_pipeline.cache.usage.coverage import Coverage, ProductCoverage
from kpi_pipeline.cli.console import print_json, say, show_table
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.dimensions import PRODUCTS


def variants(
    product: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(PRODUCTS)}; may be repeated; all if left out."),
    ] = None,
    misses: Annotated[bool, typer.Option("--misses", help="List the variants that were missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how many variants exist, are precomputed, hit and missed, and why they are missed.

    A variant is one filter of one product. What exists are everything, single values, pairs that occur,
    and what readers have asked for. Hits and misses are those of the last days.

    Exit codes: 0 shown, 1 Redis cannot be read, 2 wrong usage.

    Example: `kpi variants`

    Example: `kpi variants --product kpis --misses`
    """
    products = tuple(dict.fromkeys(product or PRODUCTS))
    unknown = [name for name in products if name not in PRODUCTS]
    if unknown:
        raise typer.BadParameter(f"unknown product {unknown[0]!r}: use one of {', '.join(PRODUCTS)}")
    with reported_errors(as_json):
        address = redis_url(load_settings())
        try:
            with connect(address) as client:
                coverage = Coverage(client)
                found = [coverage.of(name) for name in products]
        except redis.RedisError as error:
            raise Problem(f"Redis cannot be read ({error}): see `kpi doctor`") from error
        if as_json:
            print_json({"ok": True, "days": DAYS_KEPT, "products": [one.as_dict() for one in found]})
            return
        _show(found)
        if misses:
            _show_misses(found)


def _show(found: Sequence[ProductCoverage]) -> None:
    show_table(
        ("Product", "Exist", "Precomputed", "No room", "Asked", "Missing", "Hits", "Misses", "Bytes"),
        [
            (
                one.product,
                f"{one.chosen.known:,}" if one.chosen else "",
                f"{one.live.variants:,}" if one.live else "0",
                f"{one.chosen.left_out + one.chosen.refused:,}" if one.chosen else "",
                f"{one.requested:,}",
                f"{one.requested_missing:,}",
                f"{one.reads.hits:,}",
                f"{one.reads.missed:,}",
                f"{one.live.bytes:,}" if one.live else "0",
            )
            for one in found
        ],
    )
    for one in found:
        if one.reads.misses:
            reasons = ", ".join(f"{times:,} {reason}" for reason, times in one.reads.misses.items())
            say(f"{one.product} missed in {DAYS_KEPT} days: {reasons}")


def _show_misses(found: Sequence[ProductCoverage]) -> None:
    rows = [
        (
            one.product,
            str(variant.missed.filter),
            variant.missed.reason.value,
            f"{variant.missed.weight:.1f}",
            "precomputed" if variant.precomputed else "missing",
        )
        for one in found
        for variant in one.missed
    ]
    if not rows:
        say("no variant was missed lately")
        return
    show_table(("Product", "Filter", "Reason", "Misses, halved daily", "Now"), rows)

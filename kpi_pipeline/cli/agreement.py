"""`kpi agreement`: what audits of the published figures found, and the release of a product that is held."""

import time
from typing import Annotated, Any

import orjson
import typer

from kpi_pipeline.cache.agreements import hold_of, published_agreements, release
from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json, check_product
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.agreement import Agreement, Agreements, least_share, share_text
from kpi_pipeline.model.dimensions import PRODUCTS

_HEADINGS = ("Product", "Agree", "At least", "Audited", "Generation", "Held")


def agreement(
    released: Annotated[
        str | None,
        typer.Option(
            "--release",
            callback=check_product,
            help=f"Let one of {', '.join(PRODUCTS)} go live again that is held, whatever its audit found.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how far published figures agree with their recomputation, or release a product that is held.

    Each hour an audit computes a sample of the figures a second time, by other code, from the rows of their
    reading. A product for which they differ is held: what is live stays, nothing newer goes live. The next
    audit that agrees releases it, and so does this command. Then publish with `kpi rebuild`: nothing of the
    generation that disagrees is reused.

    Exit codes: 0 all agrees, or released; 1 figures disagree, or the product is not held; 2 usage error.

    Example: `kpi agreement`

    Example: `kpi agreement --release kpis`
    """
    with reported_errors(as_json):
        settings = load_settings()
        address = redis_url(settings)
    with reported_errors(as_json), connect(address) as client:
        if released is not None:
            if hold_of(client, released) is None:
                raise Problem(f"{released} is not held: see `kpi agreement`")
            with audited(settings, AuditAction.RELEASE, released):
                release(client, released)
            if as_json:
                print_json({"ok": True, "released": released})
            else:
                print_line(f"{released} may go live again. Publish it with `kpi rebuild`.")
            return
        found = published_agreements(client)
    if as_json:
        print_json({"ok": not found.holds, "products": found.as_dict(), "holds": _holds(found)})
    else:
        _print(found)
    if found.holds:
        raise typer.Exit(1)


def _print(found: Agreements) -> None:
    if not found.by_product:
        print_line("no audit has been made yet: the job `audit_figures` in Dagster makes one each hour")
    else:
        print_table(_HEADINGS, [_row(one, found) for one in found.by_product.values()])
    for hold in found.holds.values():
        for one in hold.first:
            print_line(one.as_text())
        print_line(
            f"{hold.product} is held: nothing newer goes live. Solve the cause, then run `kpi agreement "
            f"--release {hold.product}` and `kpi rebuild`"
        )


def _row(one: Agreement, found: Agreements) -> tuple[str, ...]:
    share = least_share(one.agreeing, one.figures)
    return (
        one.product,
        f"{one.agreeing:,} of {one.figures:,}",
        "" if share is None else f"{share_text(share)}%",
        f"{max(time.time() - one.checked_at, 0) / 60:.0f} min ago",
        one.generation,
        "yes" if one.product in found.holds else "",
    )


def _holds(found: Agreements) -> dict[str, Any]:
    return {product: orjson.loads(hold.to_json()) for product, hold in found.holds.items()}

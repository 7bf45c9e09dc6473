"""`kpi warm`: publish through Dagster, and verify by reading back."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.requests.fulfil import REFRESH_ALL_JOB, refresh_job
from kpi_pipeline.cli.console import Board, print_json, say, show_table
from kpi_pipeline.cli.problems import FAILED, load_settings, reported_errors
from kpi_pipeline.cli.refresh import Refresh, refresh
from kpi_pipeline.cli.server import dagster_client
from kpi_pipeline.cli.warming import Verified, Warmed, verify, warm_variants
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.stack.dagster_client import DagsterClient

_PROBLEMS_SHOWN: Final = 20


def warm(
    product: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(PRODUCTS)}; may be repeated; all if left out."),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="NAME=VALUE",
            help="Publish the variant of this filter; may be repeated, as in the address of a page.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Refresh every product and read every variant back.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish now, follow how it goes, and read back what is live.

    Without a filter, products are refreshed by Dagster's jobs, and some answers of each are read back;
    with --all, every answer. With filters, their one variant is asked for as readers do, and from then on
    it is precomputed as long as it is popular.

    Exit codes: 0 live, 1 failed (the live figures stay), 2 wrong usage, 3 the stack does not run.

    Example: `kpi warm`

    Example: `kpi warm --product kpis --product dashboards`

    Example: `kpi warm --filter client=X --filter month=2024-05 --filter state=pagado`
    """
    products = tuple(dict.fromkeys(product or ()))
    unknown = [name for name in products if name not in PRODUCTS]
    if unknown:
        raise typer.BadParameter(f"unknown product {unknown[0]!r}: use one of {', '.join(PRODUCTS)}")
    if everything and (products or filters):
        raise typer.BadParameter("--all warms everything: leave out --product and --filter, or --all")
    with reported_errors(as_json):
        settings = load_settings()
        server = dagster_client(settings)
        address = redis_url(settings)
        if filters:
            with connect(address) as client, Board(silent=as_json) as board:
                warmed = warm_variants(client, products or PRODUCTS, filters, board)
            _tell_warmed(server, warmed, as_json)
            return
        jobs = [refresh_job(name) for name in products] or [REFRESH_ALL_JOB]
        with Board(silent=as_json) as board, ThreadPoolExecutor(len(jobs)) as together:
            done = list(together.map(lambda job: refresh(server, address, job, "kpi warm", board), jobs))
            verified: list[Verified] = []
            if everything:
                with connect(address) as client:
                    verified = verify(client, PRODUCTS, board)
        _tell_refreshed(done, verified, as_json)


def _tell_refreshed(done: Sequence[Refresh], verified: Sequence[Verified], as_json: bool) -> None:
    problems = [f"{one.product}: {problem}" for one in verified for problem in one.problems]
    if as_json:
        read = {"verified": [one.as_dict() for one in verified]} if verified else {}
        print_json({"ok": not problems, "runs": [one.as_dict() for one in done], **read})
    else:
        for one in done:
            show_refresh(one)
        _list(problems)
    if problems:
        raise typer.Exit(FAILED)


def _tell_warmed(server: DagsterClient, warmed: Sequence[Warmed], as_json: bool) -> None:
    problems = [f"{one.product}: {one.problem}" for one in warmed if one.problem is not None]
    if as_json:
        print_json({"ok": not problems, "variants": [one.as_dict() for one in warmed]})
    else:
        show_table(
            ("Product", "Filter", "Outcome", "Seconds", "Generation", "Run"),
            [
                (
                    one.product,
                    str(one.filter),
                    "fresh" if one.problem is None else "failed",
                    f"{one.seconds:.2f}",
                    one.generation or "",
                    server.link(one.run_id) if one.run_id else "",
                )
                for one in warmed
            ],
        )
        _list(problems)
    if problems:
        raise typer.Exit(FAILED)


def _list(problems: Sequence[str]) -> None:
    for problem in problems[:_PROBLEMS_SHOWN]:
        say(problem)
    if len(problems) > _PROBLEMS_SHOWN:
        say(f"and {len(problems) - _PROBLEMS_SHOWN:,} more")


def show_refresh(done: Refresh) -> None:
    """Print what a refresh has made live."""
    show_table(
        ("Product", "Outcome", "Seconds", "Variants", "Bytes", "Generation"),
        [
            (
                live.product,
                live.outcome,
                "made by a later run" if live.seconds is None else f"{live.seconds:.2f}",
                f"{live.variants:,}",
                f"{live.bytes:,}",
                live.generation,
            )
            for live in done.products
        ],
    )
    say(f"{done.job} took {done.seconds:.1f} s: {done.link}")

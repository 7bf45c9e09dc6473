"""`kpi warm`: refresh products through Dagster, and verify that they are live."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from kpi_pipeline.cache.connection import redis_url
from kpi_pipeline.cli.console import Board, print_json, say, show_table
from kpi_pipeline.cli.problems import NotRunning, load_settings, told
from kpi_pipeline.cli.refresh import REFRESH_ALL, Refresh, job_of, refresh
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.runs import DagsterServer
from kpi_pipeline.stack.supervision import running_addresses


def warm(
    product: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(PRODUCTS)}; may be repeated; all if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Refresh now: run Dagster's job, follow it, and read back what it has made live.

    Exit codes: 0 live, 1 failed (the live figures stay), 2 wrong usage, 3 the stack does not run.

    Example: `kpi warm`

    Example: `kpi warm --product kpis --product dashboards`
    """
    products = tuple(dict.fromkeys(product or ()))
    unknown = [name for name in products if name not in PRODUCTS]
    if unknown:
        raise typer.BadParameter(f"unknown product {unknown[0]!r}: use one of {', '.join(PRODUCTS)}")
    with told(as_json):
        settings = load_settings()
        server = DagsterServer(_dagster_url(settings))
        address = redis_url(settings)
        jobs = [job_of(name) for name in products] or [REFRESH_ALL]
        with Board(silent=as_json) as board, ThreadPoolExecutor(len(jobs)) as together:
            done = list(together.map(lambda job: refresh(server, address, job, "kpi warm", board), jobs))
        if as_json:
            print_json({"ok": True, "runs": [one.as_dict() for one in done]})
            return
        for one in done:
            show_refresh(one)


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


def _dagster_url(settings: Settings) -> str:
    """The web server of the stack that runs, or else of the deployment that settings name.

    Raises:
        NotRunning: If there is neither.
    """
    addresses = running_addresses(Home(settings))
    if addresses is not None:
        return addresses.dagster_url
    if settings.dagster_url is not None:
        return str(settings.dagster_url)
    raise NotRunning(settings)

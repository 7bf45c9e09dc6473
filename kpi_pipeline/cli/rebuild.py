"""`kpi rebuild`: drop what is known of the source, and read, compute and publish everything again."""

from kpi_pipeline.cache.connection import redis_url
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS
from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import ProgressDisplay, print_json, print_line
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import load_settings, reported_errors
from kpi_pipeline.cli.refresh import dagster_client, refresh
from kpi_pipeline.model.access import AuditAction


def rebuild(as_json: Json = False) -> None:
    """Drop what is known of the source, and read, compute and publish everything again.

    A refresh reads only what has changed in a database. This command is for the case that its figures are
    doubted: the live figures stay until everything is read and computed.

    Exit codes: 0 published, 1 failed (the live figures stay), 3 the stack is not running.

    Example: `kpi rebuild`
    """
    # It brings the number crunchers along: the help of all commands loads this module.
    from kpi_pipeline.resources.local_store import LocalStore  # noqa: PLC0415

    with reported_errors(as_json):
        settings = load_settings()
        server, address = dagster_client(settings), redis_url(settings)
        with (
            audited(settings, AuditAction.CLEAR, ALL_PRODUCTS),
            ProgressDisplay(silent=as_json) as display,
        ):
            LocalStore.drop()
            refreshed = refresh(server, address, ALL_PRODUCTS, "kpi rebuild", display, rebuilds=True)
    if as_json:
        print_json(
            {"ok": True, "run_id": refreshed.run_id, "run": refreshed.link, "seconds": refreshed.seconds}
        )
        return
    print_line(
        f"Everything is read, computed and published again, in {refreshed.seconds:.1f} s: {refreshed.link}"
    )

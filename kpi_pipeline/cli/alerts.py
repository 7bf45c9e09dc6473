"""`kpi alerts`: check the rules, show what fires, and test a route."""

from typing import Final

import typer

from kpi_pipeline.cli.console import print_json, print_line
from kpi_pipeline.cli.doctor import check_alerts
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import load_settings, reported_errors

alerts: Final = typer.Typer(
    help="""Check the rules of alerts, show what fires, and test a route.

    Rules and routes are in the file KPI_ALERTS_FILE, or `alerts.toml` in KPI_HOME.""",
    no_args_is_help=True,
)


@alerts.command()
def check(as_json: Json = False) -> None:
    """Check the file of rules and the secrets that it names.

    Each problem names the key, its value and what is allowed. Secrets are never shown.

    Exit codes: 0 the file can be used, 1 it cannot.

    Example: `kpi alerts check`
    """
    with reported_errors(as_json):
        found = check_alerts(load_settings())
        if as_json:
            print_json({"ok": True, "found": found})
        else:
            print_line(found)

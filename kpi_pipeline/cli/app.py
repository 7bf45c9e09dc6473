"""The `kpi` command line application."""

import typer

from kpi_pipeline.cli.accept_reading import accept_reading
from kpi_pipeline.cli.access import audit, token, user
from kpi_pipeline.cli.agreement import agreement
from kpi_pipeline.cli.alerts import alerts
from kpi_pipeline.cli.backfill import backfill
from kpi_pipeline.cli.backtest import backtest
from kpi_pipeline.cli.doctor import doctor
from kpi_pipeline.cli.down import down
from kpi_pipeline.cli.load import load
from kpi_pipeline.cli.logs import logs
from kpi_pipeline.cli.rebuild import rebuild
from kpi_pipeline.cli.restart import restart
from kpi_pipeline.cli.rollback import rollback
from kpi_pipeline.cli.run import run
from kpi_pipeline.cli.setup import setup
from kpi_pipeline.cli.status import status
from kpi_pipeline.cli.top import top
from kpi_pipeline.cli.up import up
from kpi_pipeline.cli.variants import variants
from kpi_pipeline.cli.warm import warm

app = typer.Typer(
    help="""Precomputed KPIs of payment certificates.

    Start with `kpi up`: it runs the whole stack on this machine, on the loopback interface only, and
    prints the addresses. Settings come from the environment or `.env`; `.env.example` lists all of them.

    Exit codes: 0 success, 1 failure, 2 usage error, 3 the stack is not running, 4 the stack is already
    running.""",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    *(up, load, accept_reading, warm, rebuild, variants, backfill, backtest, rollback),
    *(status, top, logs, restart, doctor, agreement, audit, down, run),
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(setup, name="setup")
app.add_typer(alerts, name="alerts")
app.add_typer(user, name="user")
app.add_typer(token, name="token")


def main() -> None:
    """Run the command line."""
    app(prog_name="kpi")

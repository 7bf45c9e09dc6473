"""The `kpi` command line application."""

import atexit
import gc
from collections import UserDict
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

COMMANDS: Final = (
    *("up", "load", "accept-reading", "warm", "rebuild", "variants", "backfill", "backtest", "rollback"),
    *("status", "top", "logs", "restart", "doctor", "agreement", "audit", "down", "run"),
    *("setup", "alerts", "user", "token"),
)
_MODULES: Final = {"audit": "access", "user": "access", "token": "access"}
"""Of the commands that are not named like their module."""


class CommandsWhenCalled(UserDict[str, Any]):
    """The commands by name, each imported when it is asked for.

    To import what all of them need takes longer than most of them do.
    """

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(COMMANDS))

    def __getitem__(self, name: str) -> Any:
        if super().__getitem__(name) is None:
            self[name] = _command(name)
        return super().__getitem__(name)


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = CommandsWhenCalled()

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - the signature is typer's
        """The names in the order of help, without importing what they name."""
        return list(self.commands)


def _application(**options: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown", **options
    )


def _command(name: str) -> Any:
    attribute = name.replace("-", "_")
    found = getattr(import_module(f"kpi_pipeline.cli.{_MODULES.get(name, attribute)}"), attribute)
    application = _application()
    if isinstance(found, typer.Typer):
        application.add_typer(found, name=name)
    else:
        application.command()(found)
    return typer.main.get_group(application).commands[name]


app = _application(
    cls=Commands,
    help="""Precomputed KPIs of payment certificates.

    Start with `kpi up`: it runs the whole stack on this machine, on the loopback interface only, and
    prints the addresses. Settings come from the environment or `.env`; `.env.example` lists all of them.

    Exit codes: 0 success, 1 failure, 2 usage error, 3 the stack is not running, 4 the stack is already
    running.""",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _of_all() -> None:
    """Nothing: it makes the application a group."""


def main() -> None:
    """Run the command line."""
    # The interpreter looks for cycles in all that was imported, several times, before it ends.
    atexit.register(gc.freeze)
    app(prog_name="kpi")

"""`kpi restart`: stop a process of the stack and start it again."""

from typing import Annotated

import typer

from kpi_pipeline.cli.console import print_line
from kpi_pipeline.cli.problems import NotRunning, Problem, load_settings, reported_errors
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.supervision import NoSuchProcess, restart_process, running_addresses


def restart(
    name: Annotated[str, typer.Argument(help="A process, as `kpi status` names it.")],
) -> None:
    """Restart one process of the stack; it may end what it is doing first.

    Exit codes: 0 it runs again, 1 it does not or there is no such process, 2 usage error, 3 the stack is not
    running.

    Example: `kpi restart worker`
    """
    with reported_errors():
        settings = load_settings()
        addresses = running_addresses(Home(settings))
        if addresses is None:
            raise NotRunning(settings)
        try:
            restart_process(addresses, name)
        except NoSuchProcess as error:
            raise Problem(str(error)) from error
        print_line(f"{name} runs again")

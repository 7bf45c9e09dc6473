"""`kpi run`: become one process of the stack, for systemd, containers and other supervisors."""

import os
import socket
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated

import typer

from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.settings import AccessMode, Settings
from kpi_pipeline.stack.addresses import LOOPBACK, Addresses
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.programs import Program, programs


class Process(StrEnum):
    """A process of the stack; the embedded Valkey is none, since only `kpi up` starts it."""

    DAGSTER_CODE = "dagster-code"
    DAGSTER_WEB = "dagster-web"
    DAGSTER_DAEMON = "dagster-daemon"
    WORKER = "worker"
    DISPATCHER = "dispatcher"
    MONITOR = "monitor"
    WEB = "web"
    EVENTS = "events"


def run(
    process: Annotated[Process, typer.Argument(help="Which process.")],
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Network address that a server listens on. Dagster's servers ask nobody for a password, and "
            "the dashboard only by KPI_ACCESS: without it, it listens on the loopback address alone.",
        ),
    ] = LOOPBACK,
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="Name of a worker, different from those of others on this host."),
    ] = "kpi",
) -> None:
    """Run one process of the stack in the foreground, in place of this command.

    Another program supervises it, such as systemd: `deploy` holds the units. `kpi setup dagster` comes first.
    All addresses come from settings: REDIS_URL, for `web` and `events` REDIS_SERVING_URL,
    DAGSTER_POSTGRES_URL, KPI_WEB_PORT, KPI_EVENTS_PORT, KPI_DAGSTER_PORT, KPI_DAGSTER_URL and
    KPI_CODE_SERVER.

    Exit codes: those of the process; 1 a setting is missing, 2 usage error.

    Example: `kpi run web`

    Example: `kpi run worker --name 2`
    """
    with reported_errors():
        program = _program(load_settings(), process, listen, name)
    os.execve(program.command[0], program.command, {**os.environ, **program.environment})  # noqa: S606


def _program(settings: Settings, process: Process, listen: str, name: str) -> Program:
    """The program of a process.

    Raises:
        Problem: If a setting is missing or nothing is set up; says what to do.
    """
    home = Home(settings)
    if process in (Process.WEB, Process.EVENTS):
        if settings.access is AccessMode.OPEN and not _is_loopback(listen):
            raise Problem(
                f"{process} does not listen on {listen}: nobody would be asked for a name. Set KPI_ACCESS to "
                "accounts and add people by `kpi user add`, or to proxy; or let it listen on 127.0.0.1"
            )
        if settings.redis_serving_url is None:
            raise Problem(
                "REDIS_SERVING_URL is not set: the dashboard reads as a user who cannot write; "
                "`kpi setup redis` creates that user"
            )
        home.run.mkdir(parents=True, exist_ok=True)
        if process is Process.WEB:
            home.empty_metrics()
        elif not settings.events_port:
            raise Problem("KPI_EVENTS_PORT is not set: name the port that nginx passes on")
    else:
        if settings.redis_url is None:
            raise Problem("REDIS_URL is not set: only `kpi up` starts a cache of its own")
        if not home.workspace.exists():
            raise Problem(f"{home.root} is not set up: run `kpi setup dagster` first")
    listed = programs(
        settings,
        home,
        Addresses.of_settings(settings),
        listen=listen,
        worker=f"{name}@{socket.gethostname()}",
    )
    return next(program for program in listed if program.name == process)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"

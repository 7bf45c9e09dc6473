"""`kpi doctor`: check everything that a stack needs, each with what to do about it."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Annotated, Final

import typer

from kpi_pipeline.cache.connection import redis_url
from kpi_pipeline.cli.console import OUT, print_json
from kpi_pipeline.cli.problems import EXPECTED_ERRORS, FAILED, Problem, load_settings, reported_errors
from kpi_pipeline.cli.source_check import read_source, refuse_if_too_dirty
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses, http_answers, port_is_free
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.home import Home, HomeUnusable
from kpi_pipeline.stack.redis_check import check_redis
from kpi_pipeline.stack.supervision import running_addresses

OLDEST_PYTHON: Final = (3, 11)
INTEGRATIONS: Final = ("dagster-webserver", "dagster-graphql", "dagster-celery")


class Finding(StrEnum):
    """How a check went."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing checked.

    Attributes:
        name: What.
        finding: How it went.
        detail: What was found, and for a problem what to do.
    """

    name: str
    finding: Finding
    detail: str


class _Skipped(Exception):
    """A check that cannot be made now; the message says why."""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check Python, KPI_HOME, ports, Redis, the source and its mapping, Dagster and the dashboard.

    Exit codes: 0 no problem, 1 a problem, with what to do about it.

    Example: `kpi doctor`
    """
    with reported_errors(as_json):
        settings = load_settings()
        home = Home(settings)
        running = running_addresses(home)
        checks: dict[str, Callable[[], str]] = {
            "python": _python,
            "versions": _versions,
            "home": lambda: _home(home),
            "ports": lambda: _ports(settings, running),
            "redis": lambda: _redis(settings, running),
            "source": lambda: _source(settings),
            "dagster": lambda: _dagster(settings, running),
            "web": lambda: _web(running),
        }
        found = [_check(name, check) for name, check in checks.items()]
        sound = all(check.finding is not Finding.PROBLEM for check in found)
        if as_json:
            print_json({"ok": sound, "checks": [asdict(check) for check in found]})
        else:
            colours = {Finding.OK: "green", Finding.PROBLEM: "red", Finding.SKIPPED: "dim"}
            for check in found:
                OUT.print(f"{check.finding:8}", style=colours[check.finding], end="")
                OUT.print(f"{check.name:10}{check.detail}", markup=False)
        if not sound:
            raise typer.Exit(FAILED)


def _check(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, Finding.OK, check())
    except _Skipped as reason:
        return Check(name, Finding.SKIPPED, str(reason))
    except EXPECTED_ERRORS as error:
        return Check(name, Finding.PROBLEM, str(error))


def _python() -> str:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        raise Problem(f"Python {found} is too old: use {'.'.join(map(str, OLDEST_PYTHON))} or later")
    return f"Python {found}"


def _versions() -> str:
    """Dagster's packages must be of one release: a resolver can mix them silently."""
    try:
        dagster = version("dagster")
        differing = [
            f"{package} {version(package)}"
            for package in INTEGRATIONS
            if f"dagster=={dagster}" not in (requires(package) or [])
        ]
    except PackageNotFoundError as error:
        raise Problem(f"{error.name} is not installed: run `make test`, which installs all") from error
    if differing:
        raise Problem(
            f"{', '.join(differing)} do not belong to dagster {dagster}: install from requirements.lock"
        )
    return f"dagster {dagster} and its integrations agree"


def _home(home: Home) -> str:
    nearest = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise HomeUnusable(f"KPI_HOME {home.root} cannot be written; set KPI_HOME to another folder")
    return f"KPI_HOME {home.root} can be written"


def _ports(settings: Settings, running: Addresses | None) -> str:
    if running is not None:
        return f"held by the stack: {running.web_port} (dashboard), {running.dagster_port} (Dagster)"
    wanted = {
        settings.web_port: "KPI_WEB_PORT",
        settings.dagster_port: "KPI_DAGSTER_PORT",
        settings.redis_port: "KPI_REDIS_PORT",
    }
    taken = [f"{port} ({name})" for port, name in wanted.items() if port and not port_is_free(port)]
    if taken:
        raise Problem(
            f"taken by other programs: {', '.join(taken)}; set another in .env, or give it to `kpi up`"
        )
    return f"free: {', '.join(str(port) for port in wanted if port)}"


def _redis(settings: Settings, running: Addresses | None) -> str:
    if settings.redis_url is None and running is None:
        raise _Skipped("embedded, and the stack does not run")
    return check_redis(redis_url(settings))


def _source(settings: Settings) -> str:
    if settings.source_url is None:
        raise _Skipped("none is chosen: `kpi up` writes a demo, `kpi load` chooses another")
    check = read_source(settings.source_url.get_secret_value(), settings.source_mapping)
    refuse_if_too_dirty(check, settings)
    return f"{check.source} (mapping {check.mapping}): {check.in_words()}"


def _dagster(settings: Settings, running: Addresses | None) -> str:
    if running is not None:
        url = running.dagster_url
    elif settings.dagster_url is not None:
        url = str(settings.dagster_url)
    else:
        raise _Skipped("the stack does not run")
    if not DagsterClient(url).answers():
        raise Problem(f"Dagster at {url} does not answer: see logs/dagster-web.log in KPI_HOME")
    return f"{url} answers and has loaded the definitions"


def _web(running: Addresses | None) -> str:
    if running is None:
        raise _Skipped("the stack does not run")
    if not http_answers(f"{running.web_url}/health/system"):
        raise Problem(f"the dashboard at {running.web_url} does not answer: see logs/web.log in KPI_HOME")
    return f"{running.dashboard_url} answers"

"""`kpi doctor`: check everything that a stack needs, and say how to fix each problem."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

import typer

from kpi_pipeline.cache.connection import redis_url
from kpi_pipeline.cli.console import OUT, print_json
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import (
    EXPECTED_ERRORS,
    FAILED,
    Problem,
    load_settings,
    message_of,
    reported_errors,
)
from kpi_pipeline.cli.source_check import read_source, refuse_excesses
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses, http_answers, port_is_free
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.home import Home, HomeUnusable
from kpi_pipeline.stack.redis_check import check_redis
from kpi_pipeline.stack.supervision import running_addresses

MIN_PYTHON: Final = (3, 11)
INTEGRATIONS: Final = ("dagster-webserver", "dagster-graphql", "dagster-celery")


class Finding(StrEnum):
    """Result of a check."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check; the detail is what was found and, for a problem, how to fix it."""

    name: str
    finding: Finding
    detail: str


class _Skipped(Exception):
    """A check that cannot be made; the message says why."""


def doctor(as_json: Json = False) -> None:
    """Check Python, KPI_HOME, ports, Redis, the source and its mapping, Dagster and the dashboard.

    Every problem comes with how to fix it.

    Exit codes: 0 no problem, 1 at least one problem.

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
        results = [_check(name, check) for name, check in checks.items()]
        ok = all(check.finding is not Finding.PROBLEM for check in results)
        if as_json:
            print_json({"ok": ok, "checks": list(map(asdict, results))})
        else:
            colours = {Finding.OK: "green", Finding.PROBLEM: "red", Finding.SKIPPED: "dim"}
            for check in results:
                OUT.print(f"{check.finding:8}", style=colours[check.finding], end="")
                OUT.print(f"{check.name:10}{check.detail}", markup=False)
        if not ok:
            raise typer.Exit(FAILED)


def _check(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, Finding.OK, check())
    except _Skipped as reason:
        return Check(name, Finding.SKIPPED, str(reason))
    except EXPECTED_ERRORS as error:
        return Check(name, Finding.PROBLEM, message_of(error))


def _python() -> str:
    installed = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < MIN_PYTHON:
        raise Problem(f"Python {installed} is too old: use {'.'.join(map(str, MIN_PYTHON))} or later")
    return f"Python {installed}"


def _versions() -> str:
    """Check that Dagster's packages are of one release, which a resolver can mix silently."""
    try:
        dagster = version("dagster")
        differing = [
            f"{package} {version(package)}"
            for package in INTEGRATIONS
            if f"dagster=={dagster}" not in (requires(package) or [])
        ]
    except PackageNotFoundError as error:
        raise Problem(f"{error.name} is not installed: install requirements.lock") from error
    if differing:
        raise Problem(f"{', '.join(differing)} do not match dagster {dagster}: install requirements.lock")
    return f"dagster {dagster} and its integrations match"


def _home(home: Home) -> str:
    nearest = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise HomeUnusable(f"KPI_HOME {home.root} cannot be written; set KPI_HOME to another folder")
    return f"KPI_HOME {home.root} is writable"


def _ports(settings: Settings, running: Addresses | None) -> str:
    if running is not None:
        return f"used by the stack: {running.web_port} (dashboard), {running.dagster_port} (Dagster)"
    wanted = {
        settings.web_port: "KPI_WEB_PORT",
        settings.dagster_port: "KPI_DAGSTER_PORT",
        settings.redis_port: "KPI_REDIS_PORT",
    }
    taken = [f"{port} ({name})" for port, name in wanted.items() if port and not port_is_free(port)]
    if taken:
        raise Problem(
            f"used by other programs: {', '.join(taken)}; choose others in .env or as options of `kpi up`"
        )
    return f"free: {', '.join(str(port) for port in wanted if port)}"


def _redis(settings: Settings, running: Addresses | None) -> str:
    if settings.redis_url is None and running is None:
        raise _Skipped("embedded, and the stack is not running")
    return check_redis(redis_url(settings))


def _source(settings: Settings) -> str:
    if settings.source_url is None:
        raise _Skipped("none is chosen: `kpi up` creates a demo, `kpi load` chooses your own")
    url = settings.source_url.get_secret_value()
    check = read_source(url, settings.source_mapping, settings, settings.today())
    refuse_excesses(check)
    found = f"{check.source} (mapping {check.mapping}): {check.summary()}"
    return f"{found}; {similar}" if (similar := check.similar_text()) else found


def _dagster(settings: Settings, running: Addresses | None) -> str:
    if running is not None:
        url = running.dagster_url
    elif settings.dagster_url is not None:
        url = str(settings.dagster_url)
    else:
        raise _Skipped("the stack is not running")
    if not DagsterClient(url).answers():
        raise Problem(f"Dagster at {url} does not answer: see logs/dagster-web.log in KPI_HOME")
    return f"{url} answers and has loaded the definitions"


def _web(running: Addresses | None) -> str:
    if running is None:
        raise _Skipped("the stack is not running")
    if not http_answers(f"{running.web_url}/health/system"):
        raise Problem(f"the dashboard at {running.web_url} does not answer: see logs/web.log in KPI_HOME")
    return f"{running.dashboard_url} answers"

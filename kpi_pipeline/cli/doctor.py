"""`kpi doctor`: check everything that a stack needs, and say how to fix each problem."""

import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import redis
import typer

from kpi_pipeline.alerts.rule_file import load_rules
from kpi_pipeline.cache.connection import NoRedis, connect, connect_reader, redis_url
from kpi_pipeline.cache.pipeline_report import published_report
from kpi_pipeline.cache.reading.health import pipeline_findings, source_findings
from kpi_pipeline.cli.access_checks import check_policy, check_provider
from kpi_pipeline.cli.console import OUT, print_json
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import (
    FAILED,
    Problem,
    expected_errors,
    load_settings,
    message_of,
    reported_errors,
)
from kpi_pipeline.model import health, health_conditions
from kpi_pipeline.model.alerts.rule_kind import Group
from kpi_pipeline.model.pipeline_report import LOW_DISK_BYTES
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile
from kpi_pipeline.sources.selection import masked_url
from kpi_pipeline.stack.addresses import Addresses, http_answers, port_is_free
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.home import Home, HomeUnusable
from kpi_pipeline.stack.programs import EMBEDDED_REDIS
from kpi_pipeline.stack.redis_check import RedisSilent, check_redis, check_serving_user
from kpi_pipeline.stack.supervision import control, read_states, running_addresses

MIN_PYTHON: Final = (3, 11)
EARLIEST_DAY: Final = date(2025, 1, 1)
"""No machine that runs this can have an earlier day: one without a battery starts in 1970."""

MAX_DRIFT_S: Final = 5.0
"""How far the clocks of this machine and of Redis may differ; products are fresh for some minutes."""

ENV_FILE: Final = Path(".env")
_TOKENS: Final = frozenset(
    {"KPI_ADMIN_TOKEN", "KPI_WEBHOOK_SECRET", "KPI_PROXY_SECRET", "KPI_OIDC_CLIENT_SECRET"}
)
_ADDRESSES: Final = frozenset(
    {
        *("KPI_SOURCE_URL", "REDIS_URL", "REDIS_SERVING_URL", "DAGSTER_POSTGRES_URL"),
        *("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"),
    }
)

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


class Skipped(Exception):
    """A check that cannot be made; the message says why."""


def doctor(as_json: Json = False) -> None:
    """Check what the stack needs, and whether what runs of it works.

    That is Python, KPI_HOME with its disk and passwords, the clock, ports, Redis, the source with its mapping
    and reading, Dagster, the dashboard, the processes of the pipeline, the rules of alerts, the policy of
    scopes and the identity provider.

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
            "disk": lambda: check_disk(home),
            "secrets": lambda: _secrets(home),
            "clock": lambda: check_clock(settings, running),
            "ports": lambda: _ports(settings, running),
            "redis": lambda: check_cache(settings, running),
            "source": lambda: _source(settings),
            "reading": lambda: _reading(settings),
            "dagster": lambda: _dagster(settings, running),
            "web": lambda: _web(running),
            "pipeline": lambda: check_pipeline(settings, running),
            "alerts": lambda: check_alerts(settings),
            "scopes": lambda: check_policy(settings),
            "sign-in": lambda: check_provider(settings),
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
    except Skipped as reason:
        return Check(name, Finding.SKIPPED, str(reason))
    except expected_errors() as error:
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
    nearest = home.nearest()
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise HomeUnusable(f"KPI_HOME {home.root} cannot be written; set KPI_HOME to another folder")
    return f"KPI_HOME {home.root} is writable"


def check_disk(home: Home) -> str:
    """The free space of the disk of KPI_HOME; a Problem where it is little."""
    free = home.free_bytes()
    if free < LOW_DISK_BYTES:
        raise Problem(
            f"{free / 2**20:,.0f} MiB are free on the disk of KPI_HOME {home.root}, and "
            f"{LOW_DISK_BYTES / 2**20:.0f} are needed: free some space, or set KPI_HOME to a folder of "
            "another disk"
        )
    return f"{free / 2**30:,.1f} GiB free"


def _secrets(home: Home) -> str:
    """Check that files with passwords can be read by their owner only."""
    files = home.secret_files()
    if holds_secrets(ENV_FILE):
        files.append(ENV_FILE)
    open_to_others = [path for path in files if path.stat().st_mode & 0o077]
    if open_to_others:
        paths = [str(path.absolute()) for path in open_to_others]
        raise Problem(f"others can read passwords: run `chmod 600 {shlex.join(paths)}`")
    return f"only their owner can read {', '.join(path.name for path in files)}" if files else "none yet"


def holds_secrets(path: Path) -> bool:
    """Whether a file of settings sets a token, or an address with a password."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    for line in lines:
        name, _, value = line.removeprefix("export ").partition("=")
        given = value.strip().strip("\"'")
        if name.strip() in _TOKENS and given:
            return True
        if name.strip() in _ADDRESSES and any(mask in masked_url(given) for mask in ("***", "hidden")):
            return True
    return False


def check_clock(settings: Settings, running: Addresses | None) -> str:
    """The time of this machine, by which figures age; a Problem where it differs from that of Redis."""
    now = datetime.now(ZoneInfo(settings.timezone))
    if now.date() < EARLIEST_DAY:
        raise Problem(f"the clock of this machine says {now:%F %R}: set it, best by NTP")
    drift_s = _drift_s(settings) if settings.redis_url is not None or running is not None else 0.0
    if abs(drift_s) > MAX_DRIFT_S:
        raise Problem(
            f"the clocks of this machine and of Redis differ by {abs(drift_s):.0f} s, and figures age by "
            "both: set them by NTP"
        )
    return f"{now:%F %R} in {settings.timezone} (KPI_TIMEZONE)"


def _drift_s(settings: Settings) -> float:
    """How far the clock of Redis is ahead; 0 where it does not answer, which is a problem of its own."""
    try:
        with connect(redis_url(settings)) as client:
            seconds, microseconds = client.time()
    except (redis.RedisError, NoRedis):
        return 0.0
    return float(seconds + microseconds / 1e6) - time.time()


def _ports(settings: Settings, running: Addresses | None) -> str:
    if running is not None:
        return f"used by the stack: {running.web_port} (dashboard), {running.dagster_port} (Dagster)"
    if settings.redis_serving_url is not None:
        raise Skipped("each process is started on its own, by `kpi run`")
    wanted = {settings.web_port: "KPI_WEB_PORT", settings.dagster_port: "KPI_DAGSTER_PORT"}
    if settings.redis_url is None:
        wanted[settings.redis_port] = "KPI_REDIS_PORT"
    wanted.setdefault(settings.events_port, "KPI_EVENTS_PORT")
    taken = [f"{port} ({name})" for port, name in wanted.items() if port and not port_is_free(port)]
    if taken:
        raise Problem(
            f"used by other programs: {', '.join(taken)}; choose others in .env or as options of `kpi up`"
        )
    return f"free: {', '.join(str(port) for port in wanted if port)}"


def check_cache(settings: Settings, running: Addresses | None) -> str:
    """Name and version of the Redis server; a Problem where it cannot serve as the cache."""
    if settings.redis_url is None and running is None:
        raise Skipped("embedded, and the stack is not running")
    try:
        found = check_redis(redis_url(settings))
    except RedisSilent as error:
        if settings.redis_url is None and running is not None:
            raise Problem(_embedded_silence(running)) from error
        raise
    if settings.redis_serving_url is None:
        return found
    check_serving_user(settings.redis_serving_url.get_secret_value())
    return f"{found}; the user of the dashboard cannot write figures"


def _embedded_silence(running: Addresses) -> str:
    server = next((state for state in read_states(control(running)) if state.name == EMBEDDED_REDIS), None)
    if server is None:
        state = "does not answer"
    elif server.pid:
        state = f"hangs: its process {server.pid} lives and does not answer"
    else:
        state = f"is {server.state}: see `kpi logs {EMBEDDED_REDIS}`"
    return f"the embedded server {EMBEDDED_REDIS} {state}; restart it with `kpi restart {EMBEDDED_REDIS}`"


def _source(settings: Settings) -> str:
    if settings.source_url is None:
        raise Skipped("none is chosen: `kpi up` creates a demo, `kpi load` chooses your own")
    # What reads a source takes long to load, and other commands that check do not need it.
    from kpi_pipeline.cli.source_check import read_source, refuse_excesses  # noqa: PLC0415

    url = settings.source_url.get_secret_value()
    check = read_source(url, settings.source_mapping, settings, settings.today())
    refuse_excesses(check)
    found = f"{check.source} (mapping {check.mapping}): {check.summary()}"
    return f"{found}; {similar}" if (similar := check.similar_text()) else found


def _reading(settings: Settings) -> str:
    if settings.source_url is None:
        raise Skipped("no source is chosen")
    readings = ReadingsFile(settings).load()
    for finding in source_findings(readings):
        raise Problem(_told(finding))
    return "none is held" if readings.accepted else "none yet"


def _dagster(settings: Settings, running: Addresses | None) -> str:
    if running is not None:
        url = running.dagster_url
    elif settings.dagster_url is not None:
        url = str(settings.dagster_url)
    else:
        raise Skipped("the stack is not running")
    if not DagsterClient(url).answers():
        raise Problem(f"Dagster at {url} does not answer: see logs/dagster-web.log in KPI_HOME")
    return f"{url} answers and has loaded the definitions"


def _web(running: Addresses | None) -> str:
    if running is None:
        raise Skipped("the stack is not running")
    if not http_answers(f"{running.web_url}/health/system"):
        raise Problem(f"the dashboard at {running.web_url} does not answer: see logs/web.log in KPI_HOME")
    return f"{running.dashboard_url} answers"


def check_pipeline(settings: Settings, running: Addresses | None) -> str:
    """Check the processes, daemons, runs and requests by the last report of the monitor."""
    if settings.redis_url is None and running is None:
        raise Skipped("the stack is not running")
    with connect_reader(redis_url(settings)) as client:
        try:
            report = published_report(client)
        except redis.RedisError as error:
            # The monitor cannot report there: its silence means nothing.
            raise Skipped("Redis does not answer, by which the pipeline reports its state") from error
    if report is None or report.is_silent(time.time()):
        if running is None:
            raise Skipped("no stack reports its state")
        raise Problem(_told(health.Finding(health_conditions.PIPELINE_SILENT, ("pipeline",))))
    if findings := list(pipeline_findings(report)):
        raise Problem("; ".join(map(_told, findings)))
    names = [process.name for process in report.processes or ()]
    return f"{', '.join(names) or 'Dagster'} and {len(report.daemons or {})} daemons of Dagster are well"


def check_alerts(settings: Settings) -> str:
    """The rules and routes of alerts; a Problem where a secret that they name is missing or open to others.

    Raises:
        RulesError: If the file of rules cannot be used.
    """
    file = load_rules(settings)
    if problems := file.problems():
        raise Problem("; ".join(problems))
    routes = file.rules.routes
    named = ", ".join(routes) or "none, so that nobody is told"
    if routes and not any(Group.OPERATIONAL in route.groups for route in routes.values()):
        named += ', none of them with groups = ["operational"], so that nobody is told of the system'
    return f"{len(file.rules.enabled)} rules of {file.origin or 'the package'}; routes: {named}"


def _told(finding: health.Finding) -> str:
    return f"{finding.reason('en')}: {finding.advice('en')}"

"""`kpi status`: the running processes, the live figures and the latest runs."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import typer

from kpi_pipeline.cache.connection import connect_reader, redis_url
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import FAILED, NotRunning, load_settings, reported_errors
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.dagster_client import DagsterClient, DagsterUnreachable, RecentRun
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.supervision import ProcessState, control, read_states, running_addresses

RUNS_SHOWN: Final = 5

_HEALTHY_RUNS: Final = frozenset({"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "SUCCESS"})
_HEALTHY_PROCESSES: Final = frozenset({"RUNNING", "STARTING"})


def status(as_json: Json = False) -> None:
    """Show the state of processes, products, Redis and the latest runs.

    Exit codes: 0 healthy, 1 degraded (the output lists the problems), 3 the stack is not running.

    Example: `kpi status --json`
    """
    with reported_errors(as_json):
        settings = load_settings()
        home = Home(settings)
        addresses = running_addresses(home)
        if addresses is None:
            raise NotRunning(settings)
        processes = read_states(control(addresses))
        cache = CacheReader(connect_reader(redis_url(settings))).status()
        runs = _runs(addresses)
        problems = _problems(processes, cache, runs)
        if not StackLock(home.lock_file).held():
            problems.append("`kpi up` itself has ended, so nothing supervises the stack: run `kpi up` again")
        if as_json:
            print_json(
                {
                    "ok": not problems,
                    "problems": problems,
                    "dashboard": addresses.dashboard_url,
                    "dagster": addresses.dagster_url,
                    "processes": list(map(asdict, processes)),
                    "products": cache["products"],
                    "redis": cache["redis"],
                    "alarms": cache["alarms"],
                    "source": cache["source"],
                    "runs": None if runs is None else list(map(asdict, runs)),
                }
            )
        else:
            _print_status(settings, addresses, processes, cache, runs or [], problems)
        if problems:
            raise typer.Exit(FAILED)


def _runs(addresses: Addresses) -> list[RecentRun] | None:
    try:
        return DagsterClient(addresses.dagster_url).recent_runs(RUNS_SHOWN)
    except DagsterUnreachable:
        return None


def _problems(
    processes: list[ProcessState], cache: dict[str, Any], runs: list[RecentRun] | None
) -> list[str]:
    """What is wrong, each with what to do."""
    problems = [] if processes else ["the supervisor does not answer: see logs/supervisord.log in KPI_HOME"]
    problems += [
        f"{process.name} is {process.state}: see logs/{process.name}.log in KPI_HOME"
        for process in processes
        if process.state not in _HEALTHY_PROCESSES
    ]
    if not cache["redis"]["reachable"]:
        problems.append("Redis does not answer: run `kpi doctor` to find out why")
    else:
        for product in PRODUCTS:
            live = cache["products"].get(product)
            if live is None or live["state"] == AnswerState.EXPIRED.value:
                problems.append(f"{product} is {'expired' if live else 'missing'}: run `kpi warm`")
    if (held := cache["source"]["held"]) is not None:
        problems.append(_held(held))
    if runs is None:
        problems.append("Dagster does not answer: see logs/dagster-web.log in KPI_HOME")
    elif runs and runs[0].status not in _HEALTHY_RUNS:
        problems.append(f"the latest run ({runs[0].job}) ended as {runs[0].status}: see {runs[0].link}")
    return problems


def _print_status(
    settings: Settings,
    addresses: Addresses,
    processes: list[ProcessState],
    cache: dict[str, Any],
    runs: list[RecentRun],
    problems: list[str],
) -> None:
    print_line(f"KPI_HOME   {settings.home}")
    print_line(f"dashboard  {addresses.dashboard_url}")
    print_line(f"dagster    {addresses.dagster_url}")
    print_table(
        ("Process", "State", "Detail"),
        [(process.name, process.state, process.detail) for process in processes],
    )
    print_table(
        ("Product", "State", "Age", "As of", "Variants", "Bytes", "Generation"),
        [_product_row(product, live) for product, live in cache["products"].items()],
    )
    if (accepted := cache["source"]["accepted"]) is not None:
        print_line(f"source     {_reading(accepted)}")
    server = cache["redis"]
    if server["reachable"]:
        print_line(
            f"Redis      {server['version']}, {server['used_memory']:,} bytes, {server['latency_ms']} ms"
        )
    print_table(("Run", "Job", "Status", "Started", "Seconds"), [_run_row(run) for run in runs])
    for problem in problems:
        print_line(f"problem: {problem}")
    if not problems:
        print_line("healthy")


def _held(held: Mapping[str, Any]) -> str:
    """Why a reading of the source is not published, with what to do."""
    if held["falls"]:
        return (
            f"the reading {held['digest']} of the source is not published: {'; '.join(held['falls'])}. "
            f"If that is right, run `kpi accept-reading {held['digest']}`, then `kpi warm`"
        )
    return (
        f"the reading {held['digest']} of the source is not published, for too much of it is refused "
        f"({_reading(held)}): run `kpi doctor`"
    )


def _reading(report: Mapping[str, Any]) -> str:
    """The rows of a reading and what is refused of them, in rows and in money."""
    texts = []
    for kind in ("certificates", "costs"):
        rows = report[kind]
        money = [
            f"{share:.1%} of the amount in {code}" for code, share in rows["refused_amount_shares"].items()
        ]
        money += [f"{rows['unreadable']:,} of unknown amount"] if rows["unreadable"] else []
        text = f"{rows['accepted']:,} {kind}, {rows['refused']:,} refused"
        texts.append(f"{text} ({', '.join(money)})" if money else text)
    return "; ".join(texts)


def _product_row(product: str, live: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        product,
        live["state"],
        f"{live['age_s']:.0f} s",
        live["as_of"],
        f"{live['variants']:,}",
        f"{live['bytes']:,}",
        live["generation"],
    )


def _run_row(run: RecentRun) -> tuple[str, ...]:
    started = "" if run.started_at is None else f"{datetime.fromtimestamp(run.started_at, UTC):%F %T} UTC"
    seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
    return run.run_id[:8], run.job, run.status, started, seconds

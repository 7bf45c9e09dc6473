"""`kpi status`: the running processes, the live figures and the latest runs."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import typer

from kpi_pipeline.cache.connection import connect_reader, redis_url
from kpi_pipeline.cache.reading.health import health_of, read_health
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import FAILED, NotRunning, load_settings, reported_errors
from kpi_pipeline.model.health import Health, HealthStatus
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.model.pipeline_report import PipelineReport
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.dagster_client import DagsterClient, DagsterUnreachable, RecentRun
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.monitor import Monitor, stack_state
from kpi_pipeline.stack.supervision import ProcessState, control, read_states, running_addresses

RUNS_SHOWN: Final = 5


def status(as_json: Json = False) -> None:
    """Show the state of processes, products, Redis and the latest runs.

    The verdict is that of `/health/system` and of the system page.

    Exit codes: 0 ok, 1 degraded or down (the output says why), 3 the stack is not running.

    Example: `kpi status --json`
    """
    with reported_errors(as_json):
        settings = load_settings()
        home = Home(settings)
        addresses = running_addresses(home) or addresses_elsewhere(settings)
        if addresses is None:
            raise NotRunning(settings)
        reader = CacheReader(connect_reader(redis_url(settings)))
        cache = reader.status()
        facts = read_health(reader, cache)
        runs, processes = _runs(addresses), read_states(control(addresses))
        health = health_of(replace(facts, report=_observe(home, addresses, facts.report)))
        if as_json:
            print_json(
                {
                    "ok": health.status is HealthStatus.OK,
                    "status": health.status.value,
                    "findings": [finding.as_dict() for finding in health.findings],
                    "dashboard": addresses.dashboard_url,
                    "dagster": addresses.dagster_url,
                    "processes": list(map(asdict, processes)),
                    "products": cache["products"],
                    "redis": cache["redis"],
                    "alarms": cache["alarms"],
                    "source": cache["source"],
                    "live_readings": cache["live_readings"],
                    "runs": None if runs is None else list(map(asdict, runs)),
                }
            )
        else:
            _print_status(settings, addresses, processes, cache, runs or [], health)
        if health.status is not HealthStatus.OK:
            raise typer.Exit(FAILED)


def addresses_elsewhere(settings: Settings) -> Addresses | None:
    """Addresses of processes that another program than `kpi up` started; None where settings name none."""
    if settings.redis_url is None or settings.dagster_url is None:
        return None
    return Addresses.of_settings(settings)


def _observe(home: Home, addresses: Addresses, reported: PipelineReport | None) -> PipelineReport:
    """How the pipeline is at this moment; what takes time to see, such as a silence, as reported."""
    monitor = Monitor(
        DagsterClient(addresses.dagster_url),
        lambda: stack_state(home),
        reported,
        disk_free=home.free_bytes,
    )
    observed = monitor.observe()
    if observed.daemons is None or reported is None or reported.daemons is None:
        return observed
    return replace(
        observed,
        daemons=reported.daemons,
        stalled=reported.stalled,
        silent_workers=reported.silent_workers,
        requests=reported.requests,
        ticks=reported.ticks,
    )


def _runs(addresses: Addresses) -> list[RecentRun] | None:
    try:
        return DagsterClient(addresses.dagster_url).recent_runs(RUNS_SHOWN)
    except DagsterUnreachable:
        return None


def _print_status(
    settings: Settings,
    addresses: Addresses,
    processes: list[ProcessState],
    cache: dict[str, Any],
    runs: list[RecentRun],
    health: Health,
) -> None:
    print_line(f"KPI_HOME   {settings.home}")
    print_line(f"dashboard  {addresses.dashboard_url}")
    print_line(f"dagster    {addresses.dagster_url}")
    if processes:
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
    for finding in health.findings:
        print_line(f"{finding.condition.status}: {finding.reason('en')}; {finding.advice('en')}")
    print_line(f"health     {health.status}")


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
    started = "" if run.started_at is None else as_iso(run.started_at)
    seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
    return run.run_id[:8], run.job, run.status, started, seconds

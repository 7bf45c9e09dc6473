"""`kpi top`: what the system is doing, brought up to date on a terminal until it is interrupted."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final

import redis
import typer
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from kpi_pipeline.cache.connection import connect_reader, redis_url
from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.cache.reading.health import HealthFacts, health_of, read_health
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cli.console import OUT, print_line, print_table
from kpi_pipeline.cli.problems import load_settings, reported_errors
from kpi_pipeline.model.performance import FIVE_MINUTES, Distribution, Lookups, Measure, Performance

_NOTHING: Final = Performance(FIVE_MINUTES, {}, {})
_MISSING: Final = "-"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the screen: its headings and rows."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Screen:
    """What is shown at one moment: lines, then tables."""

    lines: Sequence[str]
    sections: Sequence[Section]


def top(
    interval: Annotated[
        float, typer.Option(min=0.5, max=60, metavar="SECONDS", help="Seconds between two readings.")
    ] = 2.0,
) -> None:
    """Show products, answers, refreshes and processes as they change; Ctrl-C ends it.

    Times and counts are those of the last five minutes. Where the output is no terminal it is shown once.

    Exit codes: 0 it was interrupted or shown, 1 no server is known.

    Example: `kpi top --interval 5`
    """
    with reported_errors():
        client = connect_reader(redis_url(load_settings()))
        reader, counters = CacheReader(client), PerformanceCounters(client)
        if not OUT.is_terminal:
            _print(_screen(reader, counters))
            return
        with suppress(KeyboardInterrupt), Live(console=OUT, screen=True, auto_refresh=False) as live:
            while True:
                live.update(_drawn(_screen(reader, counters)), refresh=True)
                time.sleep(interval)


def _screen(reader: CacheReader, counters: PerformanceCounters) -> Screen:
    status = reader.status()
    facts = read_health(reader, status)
    measured = _measured(counters) if facts.reachable else _NOTHING
    health = health_of(facts)
    server = status["redis"]
    lines = [f"health     {health.status}", *(f"           {one.reason('en')}" for one in health.findings)]
    if facts.reachable:
        lines.append(f"Redis      {server['used_memory']:,} bytes, {server['latency_ms']} ms")
    if facts.report is not None and (requests := facts.report.requests) is not None:
        lines.append(f"requests   {requests.unread} unread")
    return Screen(
        lines,
        (
            Section(
                ("Product", "State", "Age", "As of", "Variants", "Lookups", "Hits", "Stale"),
                [
                    (
                        product,
                        live["state"],
                        f"{live['age_s']:.0f} s",
                        live["as_of"],
                        f"{live['variants']:,}",
                        *_lookups(measured.lookups.get(product, Lookups())),
                    )
                    for product, live in status["products"].items()
                ],
            ),
            _durations("Answer", measured, Measure.ANSWER),
            _durations("Refresh", measured, Measure.REFRESH),
            _processes(facts),
        ),
    )


def _measured(counters: PerformanceCounters) -> Performance:
    """What was measured; nothing where Redis does not answer just now."""
    with suppress(redis.RedisError):
        return counters.read(FIVE_MINUTES)
    return _NOTHING


def _lookups(lookups: Lookups) -> tuple[str, str, str]:
    rate = lookups.hit_rate
    return f"{lookups.count:,}", _MISSING if rate is None else f"{rate:.1%}", f"{lookups.stale:,}"


def _durations(heading: str, measured: Performance, measure: Measure) -> Section:
    rows = [
        (name, f"{of.count:,}", *(_milliseconds(of, share) for share in (0.5, 0.95, 0.99)))
        for name, of in measured.durations.get(measure, {}).items()
    ]
    return Section((heading, "Count", "p50 ms", "p95 ms", "p99 ms"), rows)


def _milliseconds(of: Distribution, share: float) -> str:
    seconds = of.quantile_s(share)
    return _MISSING if seconds is None else f"{1000 * seconds:,.1f}"


def _processes(facts: HealthFacts) -> Section:
    processes = (facts.report.processes or ()) if facts.report is not None else ()
    return Section(("Process", "State", "Detail"), [(one.name, one.state, one.detail) for one in processes])


def _print(screen: Screen) -> None:
    for line in screen.lines:
        print_line(line)
    for section in screen.sections:
        print_table(section.headings, section.rows)


def _drawn(screen: Screen) -> Group:
    tables = []
    for section in screen.sections:
        table = Table(*section.headings, expand=True)
        for row in section.rows:
            table.add_row(*map(escape, row))
        tables.append(table)
    return Group(*map(Text, screen.lines), *tables)

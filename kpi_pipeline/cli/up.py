"""`kpi up`: run the whole stack on this machine, in the foreground."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Annotated, Final

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS
from kpi_pipeline.cli.console import ProgressDisplay, print_line, print_problem
from kpi_pipeline.cli.load import DEMO_ROWS, DEMO_SEED, make_demo, store_choice
from kpi_pipeline.cli.problems import (
    ALREADY_RUNNING,
    Problem,
    expected_errors,
    load_settings,
    message_of,
    reported_errors,
)
from kpi_pipeline.cli.refresh import not_fresh, refresh
from kpi_pipeline.cli.warm import print_refresh
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses, http_answers
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.home import Home, create_run_storage
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.programs import pipeline_environment, programs
from kpi_pipeline.stack.redis_check import RedisUnusable, check_redis
from kpi_pipeline.stack.running_processes import end_processes
from kpi_pipeline.stack.supervision import ORPHAN_SECONDS, Supervisor
from kpi_pipeline.stack.watchdog import Watchdog

READY_SECONDS: Final = 120
"""How long the servers may take until they answer."""

_POLL_S: Final = 0.1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """A signal requests that everything stops."""


def up(
    web_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Port of the dashboard; default: 5000."),
    ] = None,
    dagster_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Port of the Dagster UI; default: 3000."),
    ] = None,
    redis_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Port of the embedded Valkey; default: a free one."
        ),
    ] = None,
    events_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Port of the events of open pages; default: a free one.",
        ),
    ] = None,
) -> None:
    """Run the whole stack on this machine until Ctrl-C: cache, Dagster, worker and dashboard.

    The first start creates and publishes a demo; later starts find their data again. KPI_HOME (default:
    .kpi) holds all state, and the logs in its folder logs. Everything listens on the loopback interface
    only.

    Exit codes: 0 stopped, 1 failed, 2 usage error, 4 the stack is already running.

    Example: `kpi up`

    Example: `kpi up --web-port 5050 --dagster-port 3030`
    """
    with reported_errors():
        settings = load_settings(
            KPI_WEB_PORT=web_port,
            KPI_DAGSTER_PORT=dagster_port,
            KPI_REDIS_PORT=redis_port,
            KPI_EVENTS_PORT=events_port,
        )
        home = Home(settings)
        home.make()
        lock = StackLock(home.lock_file)
        if not lock.acquire():
            raise _already_running(home)
        _raise_on_signals()
        try:
            _run(settings, home)
        except StopRequested:
            # The terminal may be closed.
            with suppress(OSError):
                print_line("stopped")
        finally:
            _ignore_signals()
            end_processes(home.root, ORPHAN_SECONDS)
            home.clear_run()
            lock.release()


def _run(settings: Settings, home: Home) -> None:
    """Start the stack and wait; ends only by a signal or a problem."""
    if orphans := end_processes(home.root, ORPHAN_SECONDS):
        print_line(f"stopped {orphans} processes that an earlier `kpi up` had left")
    if settings.redis_url is not None:
        check_redis(settings.redis_url.get_secret_value())
    addresses = Addresses.choose(settings)
    listed = programs(settings, home, addresses)
    home.prepare(addresses)
    create_run_storage(home, pipeline_environment(settings, home, addresses))
    watchdog = Watchdog(Supervisor(home, listed, addresses), print_line)
    try:
        with ProgressDisplay() as display:
            _choose_demo_if_none(settings, display)
            _await_servers(settings, home, addresses, watchdog, display)
        print_line(f"dashboard  {addresses.dashboard_url}")
        print_line(f"dagster    {addresses.dagster_url}")
        _warm_if_needed(settings, addresses)
        print_line("Ctrl-C stops everything")
        while True:
            signal.pause()
    finally:
        _ignore_signals()
        watchdog.stop()


def _choose_demo_if_none(settings: Settings, display: ProgressDisplay) -> None:
    """Create and choose the demo if no source is chosen; the servers start meanwhile."""
    if settings.source_url is None:
        choice, _ = make_demo(settings, DEMO_ROWS, DEMO_SEED, None, display)
        store_choice(settings, choice)


def _await_servers(
    settings: Settings, home: Home, addresses: Addresses, watchdog: Watchdog, display: ProgressDisplay
) -> None:
    """Wait until every server answers.

    Raises:
        Problem: If one does not in time; names its log.
    """
    dagster = DagsterClient(addresses.dagster_url)
    answering: dict[str, Callable[[], bool]] = {
        "cache": lambda: _redis_answers(redis_url(settings)),
        "web": lambda: http_answers(f"{addresses.web_url}/health/system"),
        "worker": lambda: watchdog.states["worker"].state == "RUNNING",
        "dagster-web": dagster.answers,
    }
    deadline = time.monotonic() + READY_SECONDS
    for name, answers in answering.items():
        display.update(name, "starting", transient=True)
        while not (watchdog.states and answers()):
            state = watchdog.states.get(name)
            if time.monotonic() > deadline or (state is not None and state.state == "FATAL"):
                raise Problem(f"{name} did not start: see {home.logs / f'{name}.log'}")
            time.sleep(_POLL_S)
        display.update(name, "ready", done=True)


def _redis_answers(url: str) -> bool:
    try:
        check_redis(url)
    except RedisUnusable:
        return False
    return True


def _warm_if_needed(settings: Settings, addresses: Addresses) -> None:
    """Refresh everything unless all figures are fresh; a failure is reported, and the stack stays up."""
    address = redis_url(settings)
    try:
        with connect(address) as client:
            outdated = not_fresh(client)
        if not outdated:
            print_line("all figures are fresh")
            return
        with ProgressDisplay() as display:
            refreshed = refresh(
                DagsterClient(addresses.dagster_url), address, ALL_PRODUCTS, "kpi up", display
            )
        print_refresh(refreshed)
    except expected_errors() as error:
        print_problem(message_of(error))
        print_line(
            "The stack stays up: solve this or choose another source with `kpi load`, then run `kpi warm`."
        )


def _already_running(home: Home) -> Problem:
    addresses = Addresses.read(home.addresses_file)
    if addresses is None:
        return Problem(
            f"the stack of {home.root} is starting or stopping: try again in a moment", ALREADY_RUNNING
        )
    return Problem(
        f"the stack of {home.root} is already running: dashboard {addresses.dashboard_url}, "
        f"dagster {addresses.dagster_url}; stop it with `kpi down`",
        ALREADY_RUNNING,
    )


def _raise_on_signals() -> None:
    for number in _SIGNALS:
        # A signal that `nohup` ignores stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the stopping.
    _ignore_signals()
    raise StopRequested

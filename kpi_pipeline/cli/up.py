"""`kpi up`: the whole stack on this machine, in the foreground, until it is stopped."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Annotated, Final

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.requests.fulfil import REFRESH_ALL_JOB
from kpi_pipeline.cli.console import Board, print_problem, say
from kpi_pipeline.cli.load import DEMO_ROWS, DEMO_SEED, keep, make_demo
from kpi_pipeline.cli.problems import (
    EXPECTED_ERRORS,
    RUNNING_ALREADY,
    Problem,
    load_settings,
    reported_errors,
)
from kpi_pipeline.cli.refresh import not_fresh, refresh
from kpi_pipeline.cli.warm import show_refresh
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses, http_answers
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.home import Home, create_run_storage
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.processes import end_processes
from kpi_pipeline.stack.programs import pipeline_environment, programs
from kpi_pipeline.stack.redis_check import RedisUnusable, check_redis
from kpi_pipeline.stack.supervision import ORPHAN_SECONDS, Supervisor
from kpi_pipeline.stack.watchdog import Watchdog

READY_SECONDS: Final = 120
"""How long the servers may take to answer."""

_POLL_S: Final = 0.1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """A signal asks to stop everything."""


def up(
    web_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the dashboard; 5000 if not given.")
    ] = None,
    dagster_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the Dagster UI; 3000 if not given.")
    ] = None,
    redis_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the embedded Valkey; a free one if not given."),
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C: cache, Dagster, worker and dashboard.

    The first start writes a demo and loads it; later starts find their data again. All state is in
    KPI_HOME (.kpi), logs in its folder logs. Everything listens on the loopback interface only.

    Exit codes: 0 stopped, 1 failed, 2 wrong usage, 4 it runs already.

    Example: `kpi up`

    Example: `kpi up --web-port 5050 --dagster-port 3030`
    """
    with reported_errors():
        settings = load_settings(
            KPI_WEB_PORT=web_port, KPI_DAGSTER_PORT=dagster_port, KPI_REDIS_PORT=redis_port
        )
        home = Home(settings)
        home.make()
        lock = StackLock(home.lock_file)
        if not lock.acquire():
            raise _running_already(home)
        _raise_on_signals()
        try:
            _run(settings, home)
        except StopRequested:
            # The terminal may be gone.
            with suppress(OSError):
                say("stopped")
        finally:
            _ignore_signals()
            end_processes(home.root, ORPHAN_SECONDS)
            home.clear_run()
            lock.release()


def _run(settings: Settings, home: Home) -> None:
    """Start the stack and keep it; ends by a signal or a problem only."""
    left = end_processes(home.root, ORPHAN_SECONDS)
    if left:
        say(f"stopped {left} processes that an earlier `kpi up` left behind")
    if settings.redis_url is not None:
        check_redis(settings.redis_url.get_secret_value())
    addresses = Addresses.choose(settings)
    listed = programs(settings, home, addresses)
    home.prepare(addresses)
    create_run_storage(home, pipeline_environment(settings, home, addresses))
    watchdog = Watchdog(Supervisor(home, listed, addresses), say)
    try:
        with Board() as board:
            _choose_demo_if_none(settings, board)
            _await_servers(settings, home, addresses, watchdog, board)
        say(f"dashboard  {addresses.dashboard_url}")
        say(f"dagster    {addresses.dagster_url}")
        _warm_if_needed(settings, addresses)
        say("Ctrl-C stops everything")
        while True:
            signal.pause()
    finally:
        _ignore_signals()
        watchdog.stop()


def _choose_demo_if_none(settings: Settings, board: Board) -> None:
    """Write and choose the demo where no source is chosen, while the servers start."""
    if settings.source_url is None:
        keep(settings, make_demo(settings, DEMO_ROWS, DEMO_SEED, None, board))


def _await_servers(
    settings: Settings, home: Home, addresses: Addresses, watchdog: Watchdog, board: Board
) -> None:
    """Wait until every server answers.

    Raises:
        Problem: If one does not; names its log.
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
        board.show(name, "starting", changing=True)
        while not (watchdog.states and answers()):
            state = watchdog.states.get(name)
            if time.monotonic() > deadline or (state is not None and state.state == "FATAL"):
                raise Problem(f"{name} does not start: see {home.logs / f'{name}.log'}")
            time.sleep(_POLL_S)
        board.show(name, "ready", done=True)


def _redis_answers(url: str) -> bool:
    try:
        check_redis(url)
    except RedisUnusable:
        return False
    return True


def _warm_if_needed(settings: Settings, addresses: Addresses) -> None:
    """Refresh everything unless all that is live is fresh; why it fails is told, and the stack stays."""
    address = redis_url(settings)
    try:
        with connect(address) as client:
            waiting = not_fresh(client)
        if not waiting:
            say("everything that is live is fresh")
            return
        with Board() as board:
            done = refresh(DagsterClient(addresses.dagster_url), address, REFRESH_ALL_JOB, "kpi up", board)
        show_refresh(done)
    except EXPECTED_ERRORS as error:
        print_problem(str(error))
        say("The stack stays up: choose another source with `kpi load`, then run `kpi warm`.")


def _running_already(home: Home) -> Problem:
    addresses = Addresses.read(home.addresses_file)
    if addresses is None:
        return Problem(f"the stack of {home.root} is just being started or stopped", RUNNING_ALREADY)
    return Problem(
        f"the stack of {home.root} runs already: dashboard {addresses.dashboard_url}, "
        f"dagster {addresses.dagster_url}; `kpi down` stops it",
        RUNNING_ALREADY,
    )


def _raise_on_signals() -> None:
    for number in _SIGNALS:
        # One that `nohup` has made harmless stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Whoever is impatient must not cut the stopping short.
    _ignore_signals()
    raise StopRequested

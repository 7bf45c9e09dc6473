"""`kpi down`: stop the stack from another terminal."""

import time

from kpi_pipeline.cli.console import print_line
from kpi_pipeline.cli.problems import NotRunning, Problem, load_settings, reported_errors
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.running_processes import end_processes, stack_processes
from kpi_pipeline.stack.supervision import ORPHAN_SECONDS, STOP_SECONDS, request_stop


def down() -> None:
    """Stop the stack that runs in another terminal, and any processes that an earlier one left.

    Exit codes: 0 stopped, 1 the stack did not stop, 3 the stack is not running.

    Example: `kpi down`
    """
    with reported_errors():
        settings = load_settings()
        home = Home(settings)
        lock = StackLock(home.lock_file)
        if not lock.held() and not stack_processes(home.root):
            raise NotRunning(settings)
        addresses = Addresses.read(home.addresses_file)
        if addresses is not None:
            request_stop(addresses)
        deadline = time.monotonic() + STOP_SECONDS
        # `kpi up` frees the lock when everything else has stopped.
        while not lock.acquire():
            if time.monotonic() > deadline:
                raise Problem("the stack did not stop: press Ctrl-C in the terminal that runs `kpi up`")
            time.sleep(0.1)
        end_processes(home.root, ORPHAN_SECONDS)
        home.clear_run()
        lock.release()
        print_line("stopped")

"""A thread that watches the supervisor while the stack runs, and repairs what the supervisor cannot."""

import os
import signal
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from kpi_pipeline.stack.supervision import ProcessState, Supervisor

_POLL_S: Final = 0.25


class Watchdog:
    """Checks a supervisor in a thread of its own until stopped.

    Nothing else may use the supervisor meanwhile. When another process makes it stop, this process gets
    SIGTERM. `report` is called with one sentence for each event.
    """

    def __init__(self, supervisor: Supervisor, report: Callable[[str], None]) -> None:
        self._supervisor = supervisor
        self._report = report
        self._stopping = Event()
        self._states: dict[str, ProcessState] = {}
        self._pids: dict[str, int] = {}
        self._thread = Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    @property
    def states(self) -> dict[str, ProcessState]:
        """The processes by name, as last checked."""
        return self._states

    def stop(self) -> None:
        """Stop the supervisor and everything that it runs."""
        self._stopping.set()
        self._thread.join()
        self._supervisor.stop()

    def _watch(self) -> None:
        try:
            while not self._stopping.wait(_POLL_S):
                exit_code = self._supervisor.exit_code()
                if exit_code == 0:
                    self._report("another process requested a stop")
                    return
                if exit_code is not None:
                    self._report("the supervisor was lost: restarting everything")
                    self._supervisor.restart()
                    self._pids.clear()
                self._check()
        finally:
            if not self._stopping.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    def _check(self) -> None:
        states = {state.name: state for state in self._supervisor.check()}
        for name, state in states.items():
            before = self._states.get(name)
            if state.state == "FATAL" and before is not None and before.state != "FATAL":
                self._report(f"{name} keeps failing and is not restarted: see logs/{name}.log in KPI_HOME")
            if not state.pid:
                continue
            if self._pids.get(name, state.pid) != state.pid:
                self._report(f"{name} ended and was restarted")
            self._pids[name] = state.pid
        self._states = states

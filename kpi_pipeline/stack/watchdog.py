"""Watching over a supervisor while the stack runs: what it cannot mend itself is mended here."""

import os
import signal
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from kpi_pipeline.stack.supervision import ProcessState, Supervisor

_POLL_S: Final = 0.25


class Watchdog:
    """Tends a supervisor in a thread of its own, until stopped.

    When the supervisor is asked to stop from elsewhere, this process gets SIGTERM.

    Args:
        supervisor: What to tend; nobody else may use it meanwhile.
        tell: Told in a sentence what has happened.
    """

    def __init__(self, supervisor: Supervisor, tell: Callable[[str], None]) -> None:
        self._supervisor = supervisor
        self._tell = tell
        self._asked_to_end = Event()
        self._states: dict[str, ProcessState] = {}
        self._pids: dict[str, int] = {}
        self._thread = Thread(target=self._keep, name="keeper", daemon=True)
        self._thread.start()

    @property
    def states(self) -> dict[str, ProcessState]:
        """The processes by name, as last seen."""
        return self._states

    def stop(self) -> None:
        """Stop everything that the supervisor keeps, and the supervisor."""
        self._asked_to_end.set()
        self._thread.join()
        self._supervisor.stop()

    def _keep(self) -> None:
        try:
            while not self._asked_to_end.wait(_POLL_S):
                ended = self._supervisor.exit_code()
                if ended == 0:
                    self._tell("asked to stop from elsewhere")
                    return
                if ended is not None:
                    self._tell("the supervisor was lost: everything is started again")
                    self._supervisor.restart()
                    self._pids.clear()
                self._look()
        finally:
            if not self._asked_to_end.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    def _look(self) -> None:
        now = {state.name: state for state in self._supervisor.check()}
        for name, state in now.items():
            before = self._states.get(name)
            if state.state == "FATAL" and before is not None and before.state != "FATAL":
                self._tell(f"{name} does not stay up and is given up: see logs/{name}.log in KPI_HOME")
            if not state.pid:
                continue
            if self._pids.get(name, state.pid) != state.pid:
                self._tell(f"{name} had ended and was started again")
            self._pids[name] = state.pid
        self._states = now

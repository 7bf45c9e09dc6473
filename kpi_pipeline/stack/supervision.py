"""Keeping the stack's processes alive, by supervisord: restarts, logs, and stopping as groups."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from xmlrpc.client import Fault, ServerProxy

from kpi_pipeline.stack.addresses import LOOPBACK, Addresses, write_private
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.programs import Program

STOP_SECONDS: Final = 30
"""How long stopping everything may take before what is left is killed."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One supervised process.

    Attributes:
        name: The program's name.
        state: The supervisor's word: RUNNING, STARTING, BACKOFF, FATAL ...
        pid: Process id; 0 when it does not run.
        detail: The supervisor's description, such as its uptime.
    """

    name: str
    state: str
    pid: int
    detail: str


class Supervisor:
    """A running supervisord and its control port."""

    def __init__(self, process: subprocess.Popen[bytes], addresses: Addresses) -> None:
        self._process = process
        self._control = control(addresses)
        self._seen: dict[str, int] = {}

    @classmethod
    def start(cls, home: Home, listed: Iterable[Program], addresses: Addresses) -> "Supervisor":
        """Start supervisord, which starts the programs."""
        write_private(home.supervisor_config, _config(home, listed, addresses))
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(home.supervisor_config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(home.logs / "supervisord.err").open("wb"),
            # Ctrl-C must reach `kpi up` alone, which then stops the rest in order.
            start_new_session=True,
        )
        return cls(process, addresses)

    def alive(self) -> bool:
        """Whether supervisord itself runs."""
        return self._process.poll() is None

    def states(self) -> list[ProcessState]:
        """The processes as they are now; empty while the supervisor does not answer."""
        found = read_states(self._control)
        self._seen.update({state.name: state.pid for state in found if state.pid})
        return found

    def stop(self) -> None:
        """Stop every program and the supervisor; kill what does not stop in time."""
        if self.alive():
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Each program leads a process group of its own; one that outlived its supervisor still goes.
        for pid in self._seen.values():
            _kill_group(pid)


def control(addresses: Addresses) -> ServerProxy:
    """The control port of a stack's supervisor."""
    login = f"kpi:{addresses.supervisor_password}"
    return ServerProxy(f"http://{login}@{LOOPBACK}:{addresses.supervisor_port}/RPC2")


def read_states(proxy: ServerProxy) -> list[ProcessState]:
    """The processes that a supervisor keeps; empty when it does not answer."""
    try:
        answer: Any = proxy.supervisor.getAllProcessInfo()
    except (OSError, Fault):
        return []
    return [
        ProcessState(row["name"], row["statename"], row["pid"], row["description"] or row["spawnerr"])
        for row in answer
    ]


def shut_down(addresses: Addresses, wait_seconds: float) -> bool:
    """Ask a stack's supervisor to stop everything; True when it has gone."""
    proxy = control(addresses)
    try:
        proxy.supervisor.shutdown()
    except (OSError, Fault):
        return True
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        if not read_states(proxy):
            return True
        time.sleep(0.1)
    return False


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _config(home: Home, listed: Iterable[Program], addresses: Addresses) -> str:
    """The supervisor's configuration file."""
    login = f"username = kpi\npassword = {addresses.supervisor_password}"
    sections = [
        f"[supervisord]\nlogfile = {_plain(str(home.logs / 'supervisord.log'))}\n"
        f"pidfile = {_plain(str(home.run / 'supervisord.pid'))}\nnodaemon = true\n"
        f"logfile_maxbytes = 5MB\nlogfile_backups = 1\numask = 077",
        f"[inet_http_server]\nport = {LOOPBACK}:{addresses.supervisor_port}\n{login}",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for priority, program in enumerate(listed):
        environment = ",".join(
            f'{name}="{_plain(value)}"' for name, value in sorted(program.environment.items())
        )
        sections.append(
            f"[program:{program.name}]\n"
            f"command = {_plain(shlex.join(program.command))}\n"
            f"environment = {environment}\n"
            f"priority = {priority}\n"
            f"autorestart = true\nstartsecs = 2\nstartretries = 20\n"
            f"stopsignal = TERM\nstopwaitsecs = {program.stop_seconds}\n"
            f"stopasgroup = true\nkillasgroup = true\n"
            f"redirect_stderr = true\n"
            f"stdout_logfile = {_plain(str(home.logs / (program.name + '.log')))}\n"
            f"stdout_logfile_maxbytes = 10MB\nstdout_logfile_backups = 2"
        )
    return "\n\n".join(sections) + "\n"


def _plain(text: str) -> str:
    """A value that supervisord takes as it is: it expands per cent signs."""
    return text.replace("%", "%%")

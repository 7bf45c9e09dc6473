"""Supervision of the stack's processes by supervisord: restarts, logs, and stopping in order."""

import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from xml.parsers.expat import ExpatError

from kpi_pipeline.stack.addresses import LOOPBACK, Addresses, write_private
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.lock import StackLock
from kpi_pipeline.stack.programs import EMBEDDED_REDIS, Program
from kpi_pipeline.stack.running_processes import STACK_VARIABLE, end_processes, kill_group, stack_processes

STOP_SECONDS: Final = 30
"""How long the whole stack may take to stop before its remaining processes are killed."""

ORPHAN_SECONDS: Final = 3
"""How long processes without a supervisor may take to stop before they are killed."""

_ANSWER_S: Final = 5.0
_NO_ANSWER: Final = (OSError, xmlrpc.client.Error, HTTPException, ExpatError)


@dataclass(frozen=True, slots=True)
class ProcessState:
    """State of one supervised process in supervisord's terms; pid 0 when it does not run."""

    name: str
    state: str
    pid: int
    detail: str


class Supervisor:
    """A running supervisord and its programs, which it starts in the given order."""

    def __init__(self, home: Home, listed: Iterable[Program], addresses: Addresses) -> None:
        self._home = home
        self._addresses = addresses
        self._control = control(addresses)
        self._pids: dict[str, int] = {}
        write_private(home.supervisor_config, _config(home, list(listed), addresses))
        self._process = self._start()

    def exit_code(self) -> int | None:
        """Exit code of supervisord: 0 after a requested stop, negative for a signal; None while it runs."""
        return self._process.poll()

    def restart(self) -> None:
        """Start supervisord again after it was killed, and end the processes that it left."""
        self.stop()
        self._process = self._start()

    def check(self) -> list[ProcessState]:
        """The current states, after killing what replaced processes have left.

        A killed server can leave children that hold its port.
        """
        states = read_states(self._control)
        for state in states:
            before = self._pids.get(state.name, 0)
            if before not in (0, state.pid):
                kill_group(self._home.root, before)
            self._pids[state.name] = state.pid
        return states

    def stop(self) -> None:
        """Stop every program and supervisord; kill what does not stop in time."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        end_processes(self._home.root, wait_s=ORPHAN_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._home.logs / "supervisord.err").open("wb") as errors:
            return subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "supervisor.supervisord"),
                    *("--nodaemon", "--configuration", str(self._home.supervisor_config)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, STACK_VARIABLE: str(self._home.root)},
                # Ctrl-C must reach only `kpi up`, which then stops the rest in order.
                start_new_session=True,
                # Only the owner may read what the stack writes.
                umask=0o077,
            )


class NoSuchProcess(LookupError):
    """There is no such process, or it does not start; the message says what to do."""


class _BoundedTransport(xmlrpc.client.Transport):
    """A transport with a timeout."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s

    def make_connection(self, host: Any) -> HTTPConnection:
        """Connect with a timeout."""
        connection = super().make_connection(host)
        connection.timeout = self._timeout_s
        return connection


def running_addresses(home: Home) -> Addresses | None:
    """The addresses of the stack of a KPI_HOME; None when it does not run."""
    addresses = Addresses.read(home.addresses_file)
    # The file can outlive its stack, for example after a power cut.
    alive = StackLock(home.lock_file).held() or bool(stack_processes(home.root))
    return addresses if alive else None


def control(addresses: Addresses, timeout_s: float = _ANSWER_S) -> xmlrpc.client.ServerProxy:
    """A client of the control port of a stack's supervisor."""
    login = f"kpi:{addresses.supervisor_password}"
    return xmlrpc.client.ServerProxy(
        f"http://{login}@{LOOPBACK}:{addresses.supervisor_port}/RPC2", transport=_BoundedTransport(timeout_s)
    )


def read_states(proxy: xmlrpc.client.ServerProxy) -> list[ProcessState]:
    """States of the processes of a supervisor; empty when it does not answer."""
    try:
        answer: Any = proxy.supervisor.getAllProcessInfo()
    except _NO_ANSWER:
        return []
    return [
        ProcessState(row["name"], row["statename"], row["pid"], row["description"] or row["spawnerr"])
        for row in answer
    ]


def restart_process(addresses: Addresses, name: str) -> None:
    """Stop a process, as gently as its program demands, and start it again.

    Args:
        addresses: Of the running stack.
        name: The name of its program.

    Raises:
        NoSuchProcess: If the supervisor has none of that name or does not answer, or if it does not start.
    """
    supervisor: Any = control(addresses, STOP_SECONDS).supervisor
    try:
        groups = {row["name"]: row["group"] for row in supervisor.getAllProcessInfo()}
        if name not in groups:
            raise NoSuchProcess(f"there is no process {name!r}: choose one of {', '.join(sorted(groups))}")
        full_name = f"{groups[name]}:{name}"
        with suppress(xmlrpc.client.Fault):  # it does not run
            supervisor.stopProcess(full_name)
        supervisor.startProcess(full_name)
    except _NO_ANSWER as error:
        raise NoSuchProcess(
            f"{name} was not started ({error}): see `kpi logs {name}` and `kpi logs supervisord`"
        ) from error


def request_stop(addresses: Addresses) -> bool:
    """Request that a supervisor stops its programs and itself; False when it does not answer."""
    try:
        control(addresses).supervisor.shutdown()
    except _NO_ANSWER:
        return False
    return True


def _config(home: Home, listed: list[Program], addresses: Addresses) -> str:
    """The supervisor's configuration file."""
    login = f"username = kpi\npassword = {addresses.supervisor_password}"
    sections = [
        f"[supervisord]\nlogfile = {_escape_percent(str(home.logs / 'supervisord.log'))}\n"
        f"pidfile = {_escape_percent(str(home.run / 'supervisord.pid'))}\nnodaemon = true\n"
        f"logfile_maxbytes = 5MB\nlogfile_backups = 1",
        f"[inet_http_server]\nport = {LOOPBACK}:{addresses.supervisor_port}\n{login}",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    # Groups stop one after another, the programs of a group together: the cache's server stops last.
    grouped = {"servers": [program for program in listed if program.name != EMBEDDED_REDIS]}
    grouped["cache"] = [program for program in listed if program.name == EMBEDDED_REDIS]
    for priority, (group, members) in enumerate(sorted(grouped.items())):
        if members:
            names = ",".join(program.name for program in members)
            sections.append(f"[group:{group}]\nprograms = {names}\npriority = {priority}")
    sections.extend(_program(home, priority, program) for priority, program in enumerate(listed))
    return "\n\n".join(sections) + "\n"


def _program(home: Home, priority: int, program: Program) -> str:
    environment = ",".join(
        f'{name}="{_escape_percent(_escape_quotes(value))}"'
        for name, value in sorted(program.environment.items())
    )
    # A program that does not stop in time is killed with all its children.
    return (
        f"[program:{program.name}]\n"
        f"command = {_escape_percent(shlex.join(program.command))}\n"
        f"environment = {environment}\n"
        f"priority = {priority}\n"
        f"autorestart = true\nstartsecs = 2\nstartretries = 20\n"
        f"stopsignal = TERM\nstopwaitsecs = {program.stop_seconds}\n"
        f"stopasgroup = {str(program.stop_children).lower()}\nkillasgroup = true\n"
        f"redirect_stderr = true\n"
        f"stdout_logfile = {_escape_percent(str(home.logs / (program.name + '.log')))}\n"
        f"stdout_logfile_maxbytes = 10MB\nstdout_logfile_backups = 2"
    )


def _escape_percent(text: str) -> str:
    """Escape percent signs, which supervisord expands."""
    return text.replace("%", "%%")


def _escape_quotes(value: str) -> str:
    """Escape quotes in an address."""
    return value.replace('"', "%22").replace("'", "%27")

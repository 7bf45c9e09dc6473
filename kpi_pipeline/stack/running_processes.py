"""Every process of a stack, found by a variable of its environment, whatever its parent is.

The supervisor ends the processes that it has started. This module finds those that lost their parent
because the supervisor or a server was killed. It searches /proc; on a system without it, none is found.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

STACK_VARIABLE: Final = "KPI_STACK"
"""Environment variable of every process of a stack; its value is KPI_HOME."""

_PROC: Final = Path("/proc")
_POLL_S: Final = 0.1


def stack_processes(root: Path) -> list[int]:
    """Ids of the living processes of the stack of a KPI_HOME (absolute), except this process."""
    variable = f"{STACK_VARIABLE}={root}".encode()
    return [pid for pid in _all_processes() if pid != os.getpid() and variable in _environment(pid)]


def end_processes(root: Path, wait_s: float) -> int:
    """End every process of a stack, by killing it after `wait_s`; returns how many there were."""
    pids = stack_processes(root)
    _signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + wait_s
    while remaining := stack_processes(root):
        if time.monotonic() > deadline:
            _signal(remaining, signal.SIGKILL)
        time.sleep(_POLL_S)
    return len(pids)


def kill_group(root: Path, group: int) -> None:
    """Kill the remaining processes of one process group of a stack; its id is that of its first process."""
    _signal((pid for pid in stack_processes(root) if _group(pid) == group), signal.SIGKILL)


def _all_processes() -> list[int]:
    if not _PROC.is_dir():
        return []
    return sorted(int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _environment(pid: int) -> list[bytes]:
    # Another user's process is not readable; one that has ended has no environment.
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

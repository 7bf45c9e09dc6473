"""Processes of a stack are known by their mark, when nobody else knows them any more."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpi_pipeline.stack.running_processes import STACK_VARIABLE, end_processes, kill_group, stack_processes
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")

DEAF = "import signal, sys; signal.signal(15, signal.SIG_IGN); print(flush=True); sys.stdin.read()"
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(flush=True)
child.wait()
"""


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a process of the stack of a folder; it leads a group of its own."""
    started: list[subprocess.Popen] = []

    def run(root: Path, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, STACK_VARIABLE: str(root)},
            process_group=0,
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_only_the_stack_s_own_processes_are_found(start, tmp_path: Path) -> None:
    mine = start(tmp_path / "a", DEAF)
    start(tmp_path / "ab", DEAF)
    assert stack_processes(tmp_path / "a") == [mine.pid]


def test_what_does_not_stop_is_killed(start, tmp_path: Path) -> None:
    deaf = start(tmp_path, DEAF)
    assert end_processes(tmp_path, wait_s=0.2) == 1
    assert deaf.wait(10) == -signal.SIGKILL
    assert end_processes(tmp_path, wait_s=0.2) == 0


def test_children_of_a_killed_process_are_found_by_its_group(start, tmp_path: Path) -> None:
    parent, other = start(tmp_path, PARENT, DEAF), start(tmp_path, DEAF)
    assert len(stack_processes(tmp_path)) == 3
    parent.kill()
    parent.wait()
    (orphan,) = set(stack_processes(tmp_path)) - {other.pid}
    kill_group(tmp_path, parent.pid)
    wait_until(lambda: orphan not in stack_processes(tmp_path), what="the end of the child")
    assert end_processes(tmp_path, wait_s=0.2) == 1

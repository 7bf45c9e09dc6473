"""Two `kpi up` at the same moment on one KPI_HOME: one goes on, the other says why it does not."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kpi_pipeline.cli.problems import ALREADY_RUNNING
from tests.faults.records import FaultRecord
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

FAULT = "two `kpi up` begin at the same moment on one KPI_HOME"


@pytest.fixture
def endless_redis() -> Iterator[str]:
    """The address of a server whose replies never end: who has won waits for it, and starts nothing."""
    ended = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        listening.settimeout(0.2)
        thread = threading.Thread(target=reply_endlessly, args=(listening, ended))
        thread.start()
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        ended.set()
        thread.join()


def reply_endlessly(listening: socket.socket, ended: threading.Event) -> None:
    """To each connection, a reply that goes on until the end."""
    connections: list[socket.socket] = []
    while not ended.is_set():
        with suppress(TimeoutError):
            connection = listening.accept()[0]
            connection.recv(1)
            connection.sendall(b"+")
            connections.append(connection)
        for connection in connections:
            with suppress(OSError):
                connection.sendall(b"O")
    for connection in connections:
        connection.close()


def start_both(home: Path, redis_url: str, tries: FaultRecord) -> None:
    """Start both, and look at what becomes of them."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("KPI_", "REDIS_"))
    } | {"KPI_HOME": str(home), "REDIS_URL": redis_url}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "kpi_pipeline.cli", "up"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    tries.tries += 1
    try:
        wait_until(lambda: any(one.poll() is not None for one in started), 120)
        lost = [one for one in started if one.poll() is not None]
        won = [one for one in started if one.poll() is None]
        output = "".join(one.communicate()[0] for one in lost)
        if len(won) != 1 or lost[0].returncode != ALREADY_RUNNING or f"the stack of {home}" not in output:
            tries.wrong.append(f"{len(won)} goes on, the other one ended with {lost[0].returncode}: {output}")
    finally:
        for one in started:
            if one.poll() is None:
                one.terminate()
                one.communicate()


def test_one_of_two_simultaneous_starts_goes_on(tmp_path: Path, endless_redis: str) -> None:
    tries = FaultRecord(FAULT, "")
    start_both(tmp_path / "home", endless_redis, tries)
    assert tries.wrong == []


@pytest.mark.sweep
@pytest.mark.timeout(900)
def test_one_of_two_simultaneous_starts_goes_on_each_time(tmp_path: Path, endless_redis: str, record) -> None:
    with record(FAULT, "each_time") as tries:
        for number in range(10):
            start_both(tmp_path / f"home-{number}", endless_redis, tries)

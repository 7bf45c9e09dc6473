"""Servers of events, and what listens to them: plain connections that read only when they are told to."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import free_port
from tests.serving.event_servers import PATIENCE_S, Running, events_server
from tests.waiting import wait_until


@dataclass
class Listener:
    """A connection; `headers` are of the request and of the answer."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)
    path: str = "/manager/events"
    receive_buffer: int = 0

    def __post_init__(self) -> None:
        self.socket = socket.socket()
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", self.port))
        lines = [f"{name}: {value}" for name, value in {"Host": "localhost", **self.headers}.items()]
        self.socket.sendall("\r\n".join([f"GET {self.path} HTTP/1.1", *lines, "", ""]).encode())
        self._text = b""

    def answer(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        head = self._until(b"\r\n\r\n").decode()
        first, *lines = head.splitlines()
        return int(first.split()[1]), {
            name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)
        }

    def message(self) -> dict[str, Any]:
        """The next message, with its id; signs of life are passed over."""
        while True:
            event = self._until(b"\n\n").decode()
            fields = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if "data" in fields:
                return {"id": fields["id"], **json.loads(fields["data"])}

    def alive(self) -> None:
        """Wait for a sign of life."""
        while b"event: alive" not in self._until(b"\n\n"):
            pass

    def is_quiet(self) -> bool:
        """Whether nothing has come that was not read."""
        self.socket.setblocking(False)
        with suppress(BlockingIOError):
            self._text += self.socket.recv(65_536)
        self.socket.settimeout(PATIENCE_S)
        return b"data: {" not in self._text

    def ends(self) -> bool:
        """Whether the server ends the connection."""
        with suppress(ConnectionError):
            while self.socket.recv(65_536):
                pass
        return True

    def close(self) -> None:
        self.socket.close()

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._text:
            received = self.socket.recv(65_536)
            assert received, f"the stream ended: {self._text!r}"
            self._text += received
        found, _, self._text = self._text.partition(mark)
        return found


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def start(port: int, **options: Any) -> Listener:
        made.append(Listener(port, **options))
        return made[-1]

    yield start
    for one in made:
        one.close()


@dataclass
class Process:
    """The process as it is shipped."""

    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "serving.events.server", "--host", "127.0.0.1", "--port"]
        self.running = subprocess.Popen(
            [*command, str(self.port)], env={**os.environ, **self.environment}, stderr=subprocess.DEVNULL
        )
        wait_until(self.answers, 30, "the process answers")

    def answers(self) -> bool:
        try:
            probe = Listener(self.port, path="/health/live")
        except OSError:
            return False
        with suppress(AssertionError, OSError):
            return probe.answer()[0] == 200
        return False

    def stop(self) -> int:
        assert self.running is not None
        self.running.terminate()
        return self.running.wait(PATIENCE_S)


@pytest.fixture
def process(tmp_path, cache_url: str) -> Iterator[Process]:
    made = Process({"KPI_HOME": str(tmp_path), "REDIS_URL": cache_url, "KPI_WEB_PORT": "5000"})
    yield made
    if made.running is not None:
        made.running.kill()
        made.running.wait()


@pytest.fixture
def in_thread(cache_url: str) -> Iterator[Callable[..., Running]]:
    """Starts a server in a thread, by default of the cache of the test."""
    with ExitStack() as running:
        yield lambda url=cache_url, **options: running.enter_context(events_server(url, **options))

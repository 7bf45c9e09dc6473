"""A proxy before Redis that cuts connections, delays, refuses or changes replies, as a test orders."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

Forward = Callable[[], bytes]
"""Sends a command on, and returns the reply as the server sent it."""

Treatment = Callable[[Sequence[bytes], Forward], bytes]
"""What happens to a command: given it and how to send it on, returns the reply for the client."""


class Cut(Exception):
    """A treatment raises it to cut the connection instead of replying."""


def untouched(_command: Sequence[bytes], forward: Forward) -> bytes:
    """The treatment of a proxy that does nothing."""
    return forward()


def down(_command: Sequence[bytes], _forward: Forward) -> bytes:
    """The treatment of a server that is away."""
    raise Cut


class Proxy:
    """Passes commands on one at a time, also those of one pipeline, each as `treatment` says.

    Attributes:
        treatment: What happens to each command from now on.
        target: The server's address; connections that are open keep theirs until `cut`.
    """

    def __init__(self, url: str) -> None:
        self.treatment: Treatment = untouched
        self.target = _address(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def switch(self, url: str) -> None:
        """Fail over to another server: every connection is cut, and new ones lead there."""
        self.target = _address(url)
        self.cut()

    def cut(self) -> None:
        """Cut every connection."""
        with self._lock:
            for client in self._open:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._acceptor.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with suppress(OSError, Cut), client, socket.create_connection(self.target) as server:
                requests, replies = Stream(client), Stream(server)
                while (command := requests.read()) is not None:
                    client.sendall(self.treatment(arguments(command), _exchange(server, replies, command)))
        finally:
            with self._lock:
                self._open.discard(client)


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before a server, while the block lasts."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()


READS = frozenset(
    b"GET MGET EXISTS TTL PTTL EXPIRETIME STRLEN HGET HMGET HGETALL HVALS HKEYS SMEMBERS".split()
    + b"SCAN SSCAN ZRANGE".split()
)
"""Commands that change nothing in Redis: a death at one leaves there what a death at the one before does."""


@dataclass
class Death:
    """The writer dies at one of its commands, before or after it is executed.

    Attributes:
        at: The number of the command, from 0.
        executed: Whether the server executes it.
        passed_over: Commands that do not count.
        seen: How many of those that count the writer has sent.
        dead: Whether it has died: nothing of it arrives any more.
    """

    at: int
    executed: bool
    passed_over: frozenset[bytes] = READS
    seen: int = 0
    dead: bool = False

    def __call__(self, command: Sequence[bytes], forward: Forward) -> bytes:
        if self.dead:
            raise Cut
        if command[0].upper() in self.passed_over:
            return forward()
        self.seen += 1
        if self.seen <= self.at:
            return forward()
        if self.executed:
            forward()
        self.dead = True
        raise Cut


class Stream:
    """Reads whole commands or replies of RESP 2 from a socket."""

    def __init__(self, source: socket.socket) -> None:
        self._source = source
        self._held = b""

    def read(self) -> bytes | None:
        """The next one as it came; None at the end."""
        while (end := _end_of(self._held, 0)) is None:
            if not (more := self._source.recv(1 << 16)):
                return None
            self._held += more
        whole, self._held = self._held[:end], self._held[end:]
        return whole


def arguments(command: bytes) -> list[bytes]:
    """The arguments of a command, which is an array of strings."""
    found, at = [], command.index(b"\r\n") + 2
    while at < len(command):
        end = command.index(b"\r\n", at)
        begin, size = end + 2, int(command[at + 1 : end])
        found.append(command[begin : begin + size])
        at = begin + size + 2
    return found


def _end_of(held: bytes, at: int) -> int | None:
    """Where the value that begins at a place ends; None where it is not whole."""
    line = held.find(b"\r\n", at)
    if line < 0:
        return None
    kind, end = held[at : at + 1], line + 2
    if kind not in b"$*":
        return end
    size = int(held[at + 1 : line])
    if kind == b"$":
        end += max(size + 2, 0) if size >= 0 else 0
        return end if end <= len(held) else None
    for _ in range(size):
        if (inner := _end_of(held, end)) is None:
            return None
        end = inner
    return end


def _exchange(server: socket.socket, replies: Stream, command: bytes) -> Forward:
    def forward() -> bytes:
        server.sendall(command)
        reply = replies.read()
        if reply is None:
            raise Cut
        return reply

    return forward


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port

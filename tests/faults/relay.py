"""A relay before any server, that cuts connections, delays or withholds what the server sends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Passes bytes on, from the server's as `passes` says.

    Attributes:
        target: Host and port of the server.
        passes: Called with the bytes sent so far on a connection before more is sent: whether it goes on.
        is_down: Whether connections are refused.
    """

    target: tuple[str, int]
    passes: Callable[[int], bool] = lambda _sent: True
    is_down: bool = False
    connections: int = 0
    _open: set[socket.socket] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut(self) -> None:
        """Cut every connection."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

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
            self.connections += 1
            if self.is_down:
                client.close()
                continue
            server = socket.create_connection(self.target)
            self._open |= {client, server}
            for source, sink, is_reply in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=(source, sink, is_reply), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        sent = 0
        try:
            with suppress(OSError):
                while (data := source.recv(1 << 12)) and (not is_reply or self.passes(sent)):
                    sink.sendall(data)
                    sent += len(data)
        finally:
            for one in (source, sink):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                self._open.discard(one)


@contextmanager
def relayed(host: str, port: int) -> Iterator[Relay]:
    """A relay before a server, while the block lasts."""
    relay = Relay((host, port))
    try:
        yield relay
    finally:
        relay.close()

"""What is published by hand, and receivers of messages."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import redis
from aiosmtpd.controller import Controller

from kpi_pipeline.alerts.cycle import AlertCycle
from kpi_pipeline.alerts.delivery import Undelivered
from kpi_pipeline.alerts.facts import FactsReader
from kpi_pipeline.alerts.messages import Note
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.settings import Settings
from tests.conftest import free_port
from tests.serving.conftest import Press, client, press, settings_of  # noqa: F401 - fixtures


@dataclass
class Post:
    """One request that was received."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that answers each POST with `status`."""

    url: str
    posts: list[Post] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.posts.append(Post(self.path, dict(self.headers), body))
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Mailbox:
    """What an SMTP server has taken."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(free_port())

    class Handler:
        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - theirs
            box.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            return "250 taken"

    controller = Controller(Handler(), hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@dataclass
class Notifications:
    """Stands in for apprise."""

    sent: list[tuple[str, Note]] = field(default_factory=list)
    failure: str = ""

    def send(self, address: str, note: Note) -> None:
        if self.failure:
            raise Undelivered(self.failure)
        self.sent.append((address, note))

    @property
    def titles(self) -> list[str]:
        return [note.title for _, note in self.sent]


@pytest.fixture
def notifications() -> Notifications:
    return Notifications()


@dataclass
class Time:
    """The present, which a test moves."""

    now: float

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cycle_of(
    client: redis.Redis,  # noqa: F811
    settings_of: Callable[..., Settings],  # noqa: F811
    notifications: Notifications,
) -> Callable[..., AlertCycle]:
    """An evaluation with a file of rules; clocks and clients as given."""

    def make(rules: str, clock: Callable[[], float], **given: object) -> AlertCycle:
        settings = settings_of(KPI_PUBLIC_URL="https://kpi.example", KPI_DAGSTER_URL="http://127.0.0.1:3000")
        (settings.home / "alerts.toml").write_text(rules)
        used = given.get("client", client)
        assert isinstance(used, redis.Redis)
        facts = FactsReader(CacheReader(used, poll_s=0, clock=clock), settings.timezone)
        return AlertCycle(used, facts, settings, str(given.get("holder", "test")), notifications, clock)

    return make

"""Where the processes of a running stack listen: loopback ports, passwords and the file that holds them."""

import json
import secrets
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final, Self

from kpi_pipeline.atomic_files import replacing
from kpi_pipeline.settings import Settings

LOOPBACK: Final = "127.0.0.1"

OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses of this machine, bypassing any proxy that the environment names."""


class PortTaken(RuntimeError):
    """A port that the stack needs is in use; the message names the option that changes it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Ports and passwords of one run of the stack.

    Attributes:
        web_port: The dashboard.
        dagster_port: The Dagster UI.
        events_port: Where open pages hear of new figures.
        code_port: Dagster's code server.
        redis_port: The embedded Redis server; 0 when REDIS_URL names another.
        pipeline_password: The embedded server's user `pipeline`.
        serving_password: The embedded server's user `serving`.
        supervisor_port: The supervisor's control port.
        supervisor_password: That port.
        code_host: Where Dagster's code server is; elsewhere than here only without a supervisor of ours.
        dagster_address: Address of the Dagster UI; empty: its port of this machine.
    """

    web_port: int
    dagster_port: int
    events_port: int
    code_port: int
    redis_port: int
    pipeline_password: str
    serving_password: str
    supervisor_port: int
    supervisor_password: str
    code_host: str = LOOPBACK
    dagster_address: str = ""

    @classmethod
    def choose(cls, settings: Settings) -> Self:
        """Take the ports that the settings name and free ones for the rest.

        Raises:
            PortTaken: If a named port is in use, or named twice.
        """
        # All ports stay bound until the last is chosen, so that no two are equal.
        with ExitStack() as held:
            return cls(
                web_port=_port(held, settings.web_port, "--web-port", "KPI_WEB_PORT"),
                dagster_port=_port(held, settings.dagster_port, "--dagster-port", "KPI_DAGSTER_PORT"),
                redis_port=0
                if settings.redis_url
                else _port(held, settings.redis_port, "--redis-port", "KPI_REDIS_PORT"),
                events_port=_port(held, settings.events_port, "--events-port", "KPI_EVENTS_PORT"),
                code_port=_free_port(held),
                supervisor_port=_free_port(held),
                pipeline_password=secrets.token_urlsafe(24),
                serving_password=secrets.token_urlsafe(24),
                supervisor_password=secrets.token_urlsafe(24),
            )

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """Those of processes that something else than `kpi up` starts: all from the settings."""
        code_host, _, code_port = settings.code_server.rpartition(":")
        return cls(
            web_port=settings.web_port,
            dagster_port=settings.dagster_port,
            events_port=settings.events_port,
            code_port=int(code_port),
            redis_port=0,
            pipeline_password="",
            serving_password="",
            supervisor_port=0,
            supervisor_password="",
            code_host=code_host,
            dagster_address=str(settings.dagster_url or "").rstrip("/"),
        )

    @property
    def web_url(self) -> str:
        """The web server of the dashboard and its API."""
        return f"http://{LOOPBACK}:{self.web_port}"

    @property
    def dashboard_url(self) -> str:
        """The dashboard's page."""
        return f"{self.web_url}/manager/dashboard"

    @property
    def dagster_url(self) -> str:
        """The Dagster UI."""
        return self.dagster_address or f"http://{LOOPBACK}:{self.dagster_port}"

    def redis_url(self, user: str) -> str:
        """Address of the embedded server for one of its users, `pipeline` or `serving`."""
        password = self.pipeline_password if user == "pipeline" else self.serving_password
        return f"redis://{user}:{password}@{LOOPBACK}:{self.redis_port}/0"

    def write(self, path: Path) -> None:
        """Write them to a file for other commands, readable by its owner only."""
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read them from that file; None when there is none or it is damaged."""
        try:
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, TypeError):
            return None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text(text)


def http_answers(url: str, timeout_s: float = 5.0) -> bool:
    """Whether a web server of this machine answers, with whatever status."""
    try:
        OPENER.open(url, timeout=timeout_s).close()
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, HTTPException):
        return False
    return True


def port_is_free(port: int) -> bool:
    """Whether a process can listen on a loopback port."""
    with ExitStack() as held:
        try:
            _bind(held, port)
        except OSError:
            return False
    return True


def _port(held: ExitStack, wanted: int, option: str, variable: str) -> int:
    """Bind the wanted port, or any free one for 0."""
    try:
        return _bind(held, wanted)
    except OSError as error:
        raise PortTaken(
            f"port {wanted} is in use; choose another: `kpi up {option} PORT` "
            f"(or `make up ARGS='{option} PORT'`, or {variable} in .env)"
        ) from error


def _free_port(held: ExitStack) -> int:
    return _bind(held, 0)


def _bind(held: ExitStack, port: int) -> int:
    probe = held.enter_context(socket.socket())
    # A port of a stack stopped a moment ago must count as free.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((LOOPBACK, port))
    # Only a port that is listened on is refused to others.
    probe.listen()
    return int(probe.getsockname()[1])

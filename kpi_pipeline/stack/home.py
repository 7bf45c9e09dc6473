"""The folder of state, KPI_HOME: what lies where and how it is prepared."""

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from kpi_pipeline.cache.access import acl_file
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import LOOPBACK, Addresses, write_private

_ODD: Final = frozenset("\"'\\;#\n")


class HomeUnusable(RuntimeError):
    """KPI_HOME cannot be written to; the message says what to do."""


class Home:
    """Paths under KPI_HOME.

    Attributes:
        root: KPI_HOME itself.
        run: What lives only while the stack runs: addresses, supervisor's files.
        logs: One log file a process.
        redis: Data of the embedded server.
        dagster: DAGSTER_HOME.
    """

    def __init__(self, settings: Settings) -> None:
        self.root = settings.home
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.redis = self.root / "redis"
        self.dagster = settings.dagster_home

    @property
    def addresses_file(self) -> Path:
        """Where the running stack's addresses are kept."""
        return self.run / "addresses.json"

    @property
    def lock_file(self) -> Path:
        """What `kpi up` locks while it runs."""
        return self.run / "lock"

    @property
    def demo_file(self) -> Path:
        """The demo's database."""
        return self.root / "demo.db"

    @property
    def redis_url_file(self) -> Path:
        """Where the cache package looks for the running embedded server."""
        return self.run / "redis.url"

    @property
    def supervisor_config(self) -> Path:
        """The supervisor's configuration."""
        return self.run / "supervisord.conf"

    @property
    def workspace(self) -> Path:
        """Dagster workspace that names the running code server."""
        return self.dagster / "workspace.yaml"

    def make(self) -> None:
        """Create the folders and Dagster's instance configuration.

        Raises:
            HomeUnusable: If the folder cannot be written, or its name would break configuration files.
        """
        odd = sorted(set(str(self.root)) & _ODD)
        if odd:
            raise HomeUnusable(
                f"KPI_HOME {str(self.root)!r} holds {' '.join(map(repr, odd))}, which configuration files "
                "of the stack cannot carry; set KPI_HOME to another folder"
            )
        try:
            for folder in (self.root, self.run, self.logs, self.redis, self.dagster):
                folder.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            configuration = _template("dagster.yaml").substitute(dagster=self.dagster)
            (self.dagster / "dagster.yaml").write_text(configuration)
        except OSError as error:
            raise HomeUnusable(
                f"KPI_HOME {self.root} cannot be written: {error.strerror}; set KPI_HOME to another folder"
            ) from error

    def prepare(self, addresses: Addresses) -> None:
        """Write the files by which this run of the stack finds its parts."""
        addresses.write(self.addresses_file)
        self.workspace.write_text(
            _template("workspace.yaml").substitute(host=LOOPBACK, port=addresses.code_port)
        )
        if addresses.redis_port:
            self.prepare_redis(addresses)

    def prepare_redis(self, addresses: Addresses) -> None:
        """Write the embedded server's configuration and users, and where to find it."""
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
        """Forget the addresses of a stack that has stopped."""
        for path in (self.addresses_file, self.redis_url_file, self.supervisor_config):
            path.unlink(missing_ok=True)


def _template(name: str) -> Template:
    return Template(files("kpi_pipeline.stack").joinpath("templates", name).read_text())

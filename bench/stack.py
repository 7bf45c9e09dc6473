"""A stack of its own in a temporary folder, and sources for it."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from threading import Thread

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi

from kpi_pipeline.demo.database import write_demo
from kpi_pipeline.model.pipeline_report import SOURCE_SENSOR
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.dagster_client import DagsterClient

TODAY = date(2024, 6, 28)
START_S = 1800
_LOOK_S = 0.5
SETTINGS = {
    "KPI_WEB_PORT": "0",
    "KPI_DAGSTER_PORT": "0",
    "KPI_AS_OF": TODAY.isoformat(),
    # Runs of the past would take turns with those that are measured.
    "KPI_BACKFILL_MONTHS": "0",
}
AUTOMATIONS = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { scheduleState { id } } sensors { name sensorState { id } }
} } } }
"""
STOP_SCHEDULE = "mutation Stop($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
STOP_SENSOR = "mutation Stop($id: String!) { stopSensor(id: $id) { __typename } }"
# The demo is invalid in these columns where SQLite takes text for a number.
NUMBERS = {"edp": "monto_aprobado", "cost_header": "importe_neto"}


class Stack:
    """`kpi up` on free ports, with one source."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.home = folder / "home"
        self.process: subprocess.Popen[bytes] | None = None
        self._peak_mib = 0

    def start(self) -> None:
        bare = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_"))
        }
        environment = {**bare, **SETTINGS, "KPI_HOME": str(self.home), "KPI_SOURCE_URL": self.url}
        log = self.folder / "up.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kpi_pipeline.cli", "up"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        Thread(target=self._watch_peaks, daemon=True).start()
        deadline = time.monotonic() + START_S
        while "Ctrl-C stops everything" not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text())
            time.sleep(0.2)
        self._stop_automations()

    def _stop_automations(self) -> None:
        """Let runs start only for those who ask: the sensor would request one for each change too."""
        client = DagsterClient(self.addresses.dagster_url)
        (repository,) = client._query(AUTOMATIONS)["repositoriesOrError"]["nodes"]
        for schedule in repository["schedules"]:
            client._query(STOP_SCHEDULE, id=schedule["scheduleState"]["id"])
        for sensor in repository["sensors"]:
            if sensor["name"] == SOURCE_SENSOR:
                client._query(STOP_SENSOR, id=sensor["sensorState"]["id"])

    @property
    def addresses(self) -> Addresses:
        found = Addresses.read(self.home / "run" / "addresses.json")
        assert found is not None
        return found

    def first_publication_s(self) -> float:
        """Seconds of the run that published every product first."""
        runs = [run for run in DagsterClient(self.addresses.dagster_url).recent_runs(50) if run.seconds]
        seconds = runs[-1].seconds
        assert seconds is not None
        return seconds

    def peak_mib(self) -> int:
        """The most memory that a process of the worker has had."""
        self._look_at_peaks()
        return self._peak_mib

    def _watch_peaks(self) -> None:
        """Look again and again: a process counts its peak from its last run."""
        while self.process is not None and self.process.poll() is None:
            self._look_at_peaks()
            time.sleep(_LOOK_S)

    def _look_at_peaks(self) -> None:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                command = (status.parent / "cmdline").read_bytes()
                if b"kpi_pipeline.worker" not in command:
                    continue
                environment = (status.parent / "environ").read_bytes()
                text = status.read_text()
            except OSError:
                continue
            if str(self.home).encode() in environment:
                self._peak_mib = max(self._peak_mib, int(text.partition("VmHWM:")[2].split()[0]) // 1024)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


@contextmanager
def stack_of(url: str) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder), url)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


def demo(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}.db"
    write_demo(path, rows, 1, TODAY, None)
    return path


@contextmanager
def postgres() -> Iterator[str | None]:
    """URL of a private server of Debian's package; None where that is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        yield None
        return
    binaries = found[-1].parent
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bench-postgres-", ignore_cleanup_errors=True) as name:
        if user:
            shutil.chown(name, "postgres", "postgres")

        def call(program: str, *arguments: str) -> None:
            command = [str(binaries / program), *arguments]
            quiet = subprocess.DEVNULL
            subprocess.run(command, check=True, cwd=name, stdout=quiet, stderr=quiet, **user)

        data = f"{name}/data"
        call("initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        call("pg_ctl", "start", "-w", "-D", data, "-o", options, "-l", f"{name}/log")
        try:
            yield f"postgresql://owner@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-D", data, "-m", "immediate")


def copy_to_postgres(demo_file: Path, url: str) -> None:
    """Copy a demo, without the rows whose numbers are text."""
    with closing(sqlite3.connect(demo_file)) as source:
        tables = [name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    with (
        adbc_driver_sqlite.dbapi.connect(str(demo_file)) as source,
        adbc_driver_postgresql.dbapi.connect(url) as target,
    ):
        for table in tables:
            number = NUMBERS.get(table)
            clean = f" WHERE {number} IS NULL OR typeof({number}) = 'integer'" if number else ""
            with source.cursor() as reader, target.cursor() as writer:
                reader.execute(f"SELECT * FROM {table}{clean}")
                writer.adbc_ingest(table, reader.fetch_record_batch(), mode="replace")
                target.commit()
        with target.cursor() as writer:
            writer.execute("CREATE UNIQUE INDEX ON edp (proyecto, n_edp)")
            writer.execute("CREATE INDEX ON edp (updated_at)")
            target.commit()


def change(url: str, rows: int) -> None:
    """Raise the proposed amounts of some certificates, as a system that keeps `updated_at` does."""
    if url.startswith("sqlite"):
        _update(url, "monto_propuesto", f"rowid <= {int(rows)}")
    else:
        _update(
            url,
            "monto_propuesto",
            f"ctid IN (SELECT ctid FROM edp ORDER BY proyecto, n_edp LIMIT {int(rows)})",
        )


def approve(url: str) -> None:
    """Raise the approved amount of one certificate: the shares of all that was approved change with it."""
    if url.startswith("sqlite"):
        latest = (
            "SELECT rowid FROM edp WHERE typeof(monto_aprobado) = 'integer' ORDER BY fecha_conformidad DESC"
        )
        _update(url, "monto_aprobado", f"rowid = ({latest} LIMIT 1)")
    else:
        latest = "SELECT ctid FROM edp WHERE monto_aprobado IS NOT NULL ORDER BY fecha_conformidad DESC"
        _update(url, "monto_aprobado", f"ctid = ({latest} LIMIT 1)")


def _update(url: str, amount: str, where: str) -> None:
    raised = f"UPDATE edp SET {amount} = {amount} + 1, updated_at ="
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as source, source:
            source.execute(f"{raised} strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE {where}")
        return
    with adbc_driver_postgresql.dbapi.connect(url) as target, target.cursor() as writer:
        writer.execute(f"{raised} clock_timestamp()::text WHERE {where}")
        target.commit()

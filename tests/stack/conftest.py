"""The real stack, as a user starts it, and what watches it from outside."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import OPENER, Addresses
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.running_processes import end_processes, stack_processes
from kpi_pipeline.stack.supervision import ProcessState, control, read_states
from tests.waiting import wait_until

START_S = 420
ROWS = 2_000
"""Certificates in the demo of the shared stack: a refresh takes half as long as with those of a start."""

SECRETS = {"KPI_WEBHOOK_SECRET": "webhook-0123456789abcdef", "KPI_API_TOKEN": "kpi_0123_abcdefghijk"}
"""Settings of the shared stack that nothing may tell."""

SCHEDULES = """
{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { scheduleState { id } } } } } }
"""
STOP_SCHEDULE = """
mutation Stop($id: String!) {
  stopRunningSchedule(id: $id) { ... on ScheduleStateResult { scheduleState { status } } }
}
"""


@dataclass(frozen=True)
class Ran:
    code: int
    output: str
    errors: str

    def json(self) -> dict[str, Any]:
        return json.loads(self.output)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Machine:
    """One KPI_HOME and whatever runs there. Ports are free ones, other settings the defaults."""

    folder: Path
    up: subprocess.Popen[bytes] | None = None
    starts: int = 0
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def output(self) -> str:
        return (self.folder / f"up-{self.starts}.log").read_text()

    @property
    def addresses(self) -> Addresses:
        found = Addresses.read(self.home / "run" / "addresses.json")
        assert found is not None
        return found

    @property
    def dagster(self) -> DagsterClient:
        return DagsterClient(self.addresses.dagster_url)

    def environment(self) -> dict[str, str]:
        bare = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_"))
        }
        ports = {"KPI_WEB_PORT": "0", "KPI_DAGSTER_PORT": "0"}
        # Tests that are about the past publish it themselves.
        quiet = {"KPI_BACKFILL_MONTHS": "0"}
        return {**bare, **ports, **quiet, "KPI_HOME": str(self.home), **self.settings}

    def kpi(self, *arguments: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "kpi_pipeline.cli", *arguments],
            cwd=self.folder,
            env=self.environment(),
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self) -> None:
        """Run `kpi up` until it has nothing more to do than to keep the stack."""
        self.starts += 1
        with (self.folder / f"up-{self.starts}.log").open("wb") as output:
            self.up = subprocess.Popen(
                [sys.executable, "-m", "kpi_pipeline.cli", "up"],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(
            lambda: "Ctrl-C stops everything" in self.output or self.up.poll() is not None,
            START_S,
            "`kpi up` is up",
        )
        assert self.up.poll() is None, self.output

    def signal(self, number: signal.Signals) -> int:
        """Send `kpi up` a signal; returns its exit code."""
        assert self.up is not None
        self.up.send_signal(number)
        return self.up.wait(180)

    def processes(self) -> list[int]:
        return stack_processes(self.home)

    def states(self) -> dict[str, ProcessState]:
        return {state.name: state for state in read_states(control(self.addresses))}

    def get(self, path: str, **headers: str) -> Reply:
        """Read a page of the dashboard's server."""
        request = urllib.request.Request(f"{self.addresses.web_url}{path}", headers=headers)
        try:
            with OPENER.open(request, timeout=15) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), error.read())

    def change_source(self) -> None:
        """Raise one proposed amount in the demo's database by one peso."""
        with closing(sqlite3.connect(self.home / "demo.db")) as source, source:
            source.execute(
                "UPDATE edp SET monto_propuesto = monto_propuesto + 1 WHERE rowid = "
                "(SELECT rowid FROM edp ORDER BY fecha_emision DESC LIMIT 1)"
            )

    def stop_schedules(self) -> None:
        """Let Dagster start runs only for sensors and for those who ask."""
        (repository,) = self.dagster._query(SCHEDULES)["repositoriesOrError"]["nodes"]
        for schedule in repository["schedules"]:
            stopped = self.dagster._query(STOP_SCHEDULE, id=schedule["scheduleState"]["id"])
            assert stopped["stopRunningSchedule"]["scheduleState"]["status"] == "STOPPED", stopped

    def clean(self) -> None:
        if self.up is not None and self.up.poll() is None:
            self.up.kill()
            self.up.wait()
        end_processes(self.home, wait_s=3)


@pytest.fixture
def wait() -> Callable[[Callable[[], Any], float, str], Any]:
    return wait_until


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A KPI_HOME where nothing has run yet."""
    made = Machine(tmp_path)
    yield made
    made.clean()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A stack after its first start, shared by tests that leave it healthy.

    Its schedules are stopped: their runs would read the source too, at whatever minute the tests reach.
    Its business date stays that of its start: all figures change with another.
    It ends with its last test: a stack that is idle takes a fifth of a processor.
    """
    settings = {"KPI_PRECOMPUTE_MAX_VARIANTS": "400", "KPI_AS_OF": Settings().today().isoformat()}
    made = Machine(tmp_path_factory.mktemp("stack"), settings={**settings, **SECRETS})
    try:
        loaded = made.kpi("load", "demo", "--rows", str(ROWS))
        assert loaded.code == 0, loaded.errors
        made.start()
        made.stop_schedules()
        yield made
    finally:
        made.clean()

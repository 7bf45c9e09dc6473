"""The command as users run it: a process in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.stack.running_processes import end_processes
from tests.cli.forked_commands import ForkedCommands


@dataclass(frozen=True)
class Ran:
    code: int
    output: str
    errors: str

    def json(self) -> dict[str, Any]:
        return json.loads(self.output)


Kpi = Callable[..., Ran]


KpiIn = Callable[[Path], Kpi]


@pytest.fixture(scope="session")
def bare_environment() -> Mapping[str, str]:
    """Without settings of the pipeline."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_"))
    }


@pytest.fixture(scope="session")
def kpi_in(bare_environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[KpiIn]:
    """In a folder, run `kpi` with arguments, and settings as keywords; KPI_HOME is its `home`."""
    streams = tmp_path_factory.mktemp("streams")
    output, errors = streams / "output", streams / "errors"

    def of(folder: Path) -> Kpi:
        def run(*arguments: str, **settings: str) -> Ran:
            environment = {**bare_environment, "KPI_HOME": str(folder / "home"), **settings}
            code = commands.run(arguments, folder, environment, output, errors)
            return Ran(code, output.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8"))

        return run

    commands = ForkedCommands(bare_environment)
    yield of
    commands.close()


@pytest.fixture
def kpi_from_nothing(bare_environment: Mapping[str, str], tmp_path: Path) -> Kpi:
    """The command as a shell starts it: a new interpreter imports all that it needs."""

    def run(*arguments: str, stdin: str = "", **settings: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "kpi_pipeline.cli", *arguments],
            cwd=tmp_path,
            env={**bare_environment, "KPI_HOME": str(tmp_path / "home"), **settings},
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def kpi(kpi_in: KpiIn, tmp_path: Path) -> Iterator[Kpi]:
    """The command in the test's folder."""
    yield kpi_in(tmp_path)
    end_processes(tmp_path / "home", wait_s=1)

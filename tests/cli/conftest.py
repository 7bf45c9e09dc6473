"""The command as users run it: a process in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.stack.running_processes import end_processes


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
def kpi_in() -> KpiIn:
    """In a folder, run `kpi` with arguments, and settings as keywords; KPI_HOME is its `home`."""
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_"))
    }

    def of(folder: Path) -> Kpi:
        def run(*arguments: str, **settings: str) -> Ran:
            done = subprocess.run(
                [sys.executable, "-m", "kpi_pipeline.cli", *arguments],
                cwd=folder,
                env={**bare, "KPI_HOME": str(folder / "home"), **settings},
                check=False,
                capture_output=True,
                text=True,
                timeout=180,
            )
            return Ran(done.returncode, done.stdout, done.stderr)

        return run

    return of


@pytest.fixture
def kpi(kpi_in: KpiIn, tmp_path: Path) -> Iterator[Kpi]:
    """The command in the test's folder."""
    yield kpi_in(tmp_path)
    end_processes(tmp_path / "home", wait_s=1)

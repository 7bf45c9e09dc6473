"""Runs of our jobs on a real Dagster instance, and what serving then sees."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult

from kpi_pipeline.assets import figures
from kpi_pipeline.cache.connection import connect_reader
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.definitions import defs


@pytest.fixture(autouse=True)
def another_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Each test begins in a worker that holds no figures, and may go on in such a one."""

    def begin() -> None:
        monkeypatch.setattr(figures, "_SHARED", type(figures._SHARED)())

    begin()
    return begin


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def run(instance: DagsterInstance) -> Callable[..., ExecuteInProcessResult]:
    """Run a job, or a part of it; a failure is in the result."""

    def execute(
        job: str = "refresh_all", *assets: str, tags: dict[str, str] | None = None
    ) -> ExecuteInProcessResult:
        return defs.resolve_job_def(job).execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags=tags,
            asset_selection=[AssetKey(name) for name in assets] or None,
        )

    return execute


@pytest.fixture
def read() -> Callable[[], CacheReader]:
    """A reader that knows nothing yet."""
    return lambda: CacheReader(connect_reader(os.environ["REDIS_URL"]), poll_s=0)


@pytest.fixture
def failure() -> Callable[[ExecuteInProcessResult], str]:
    """What a failed run says."""

    def message(result: ExecuteInProcessResult) -> str:
        assert not result.success
        data = [event.step_failure_data for event in result.all_events if event.is_step_failure]
        return str(data[0].user_failure_data.description)

    return message


@pytest.fixture
def source(demo_home: Path, small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A source of its own, to be changed by statements."""
    path = demo_home / "source.db"
    shutil.copy(small_demo, path)
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{path}")

    def execute(statement: str) -> None:
        with sqlite3.connect(path) as database:
            assert database.execute(statement).rowcount > 0

    return execute

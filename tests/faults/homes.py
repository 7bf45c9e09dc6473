"""A KPI_HOME of its own, whose source may be changed, and runs of the pipeline in this process."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance, ExecuteInProcessResult

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import live_entry
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.selection import choose_source
from tests.conftest import DEMO_DAY, FEW_VARIANTS
from tests.faults.readers import Readers
from tests.faults.records import FaultRecord
from tests.waiting import wait_until

_SECONDS = count()


def larger() -> str:
    """A change of the source that readers are to see: a statement that raises some amounts by one."""
    changed_at = datetime(2024, 6, 28, 12, tzinfo=UTC) + timedelta(seconds=next(_SECONDS))
    return (
        "UPDATE edp SET monto_propuesto = monto_propuesto + 1, "
        f"updated_at = '{changed_at:%Y-%m-%d %H:%M:%S}' WHERE n_edp = 7"
    )


@dataclass
class Home:
    """A pipeline that has published once.

    Attributes:
        folder: Its KPI_HOME.
        client: A client of its cache that nothing touches.
        url: The address of its cache.
        instance: Where its runs are recorded.
    """

    folder: Path
    client: redis.Redis
    url: str
    instance: DagsterInstance

    def run(self, job: str = "refresh_all", **tags: str) -> ExecuteInProcessResult:
        """Execute a job; a failure is in the result."""
        return defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=False, tags=tags
        )

    def generations(self) -> dict[str, str]:
        """The live generation of each product."""
        live = {product: live_entry(self.client, product) for product in PRODUCTS}
        return {product: entry.generation for product, entry in live.items() if entry is not None}

    def readers(self, record: FaultRecord) -> Readers:
        """Readers that hold everything, with an audit of it."""
        readers = Readers(record, self.client, self.url)
        readers.look()
        readers.audit()
        return readers

    def recover(self, readers: Readers, ended: float, before: dict[str, str]) -> None:
        """Refresh, once a fault has ended, until readers see what is new; nothing of it may be lost.

        Args:
            readers: Who looks.
            ended: When it ended, by `time.monotonic`.
            before: What was live while it lasted.
        """
        result = self.run()
        assert result.success
        after = self.generations()
        if unchanged := [product for product in PRODUCTS if after.get(product) == before.get(product)]:
            readers.record.lost.append(f"the change of the source does not show in {unchanged}")
        wait_until(lambda: readers.sees_all(after))
        readers.record.recovery_s.append(time.monotonic() - ended)
        readers.look()
        readers.audit()


@contextmanager
def home_of(folder: Path, cache_url: str, source_url: str) -> Iterator[Home]:
    """Publish a source once; the settings are those of this process while the block lasts."""
    with (
        pytest.MonkeyPatch.context() as patch,
        DagsterInstance.ephemeral() as instance,
        connect(cache_url) as client,
    ):
        client.flushall()
        patch.setenv("KPI_HOME", str(folder))
        patch.setenv("REDIS_URL", cache_url)
        for name, value in FEW_VARIANTS.items():
            patch.setenv(name, value)
        choose_source(Settings(), source_url, "edp", DEMO_DAY)
        home = Home(folder, client, cache_url, instance)
        assert home.run().success
        yield home


def change(path: Path, *statements: str) -> None:
    """Change an SQLite file."""
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


def room_left(folder: Path) -> int:
    """Bytes that may still be written to the disk of a folder."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize

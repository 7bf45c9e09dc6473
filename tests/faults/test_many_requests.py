"""A stream with very many requests: all of it is worked off, and readers are answered meanwhile."""

import os
import resource
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.keys import task_key
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests import requests as requests_module
from kpi_pipeline.cache.requests.fulfil import MOST_NAMED, tasks_of
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.stack.dagster_client import DagsterClient, UnfinishedRun
from kpi_pipeline.stack.dispatcher import Dispatcher
from tests.faults.publications import look, publish, seen_of

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(1800)]

MANY = 100_000
LONGEST_S = 600
MOST_MEMORY = 400 << 20


class Dagster(DagsterClient):
    """Starts runs, each of which reads the source at the next look and ends after some."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__("http://127.0.0.1:9")
        self.run_tasks = RunTasks(client)
        self.runs: list[UnfinishedRun] = []
        self.ages: Counter[str] = Counter()
        self.launched = 0

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        assert len(tasks_of(tags)) <= MOST_NAMED
        self.launched += 1
        run = UnfinishedRun(f"run {self.launched}", job, False, 1.0, tags=tags)
        self.runs.append(run)
        return run.run_id

    def unfinished_runs(self) -> list[UnfinishedRun]:
        for run in list(self.runs):
            self.ages[run.run_id] += 1
            if self.ages[run.run_id] == 2:
                self.run_tasks.begin_reading(run.run_id, tasks_of(run.tags))
            elif self.ages[run.run_id] == 12:
                self._end(run)
        return list(self.runs)

    def run_with_tag(self, key: str, value: str) -> str | None:
        return None

    def _end(self, run: UnfinishedRun) -> None:
        self.runs.remove(run)
        self.run_tasks.end(run.run_id)


def submit_many(client: redis.Redis) -> list[str]:
    requests = Requests(client)
    kinds = (RequestKind.WARM, RequestKind.REFRESH)
    return [
        requests.submit(
            kinds[number % 2],
            PRODUCTS[number // 2 % len(PRODUCTS)],
            Filter.of({"client": f"client {number}"}),
        ).id
        for number in range(MANY)
    ]


def test_a_hundred_thousand_requests(cache_url: str, tmp_path: Path, record, monkeypatch) -> None:
    # More than it takes: a server on which it is bounded otherwise, or an earlier version wrote it.
    monkeypatch.setattr(requests_module, "STREAM_LENGTH", 2 * MANY)
    with (
        record(f"a stream holds {MANY:,} requests", "hundred_thousand") as tries,
        connect(cache_url) as client,
        connect_reader(cache_url) as own,
    ):
        ids = submit_many(client)
        assert client.xlen("kpi:requests") == MANY
        now = time.time()
        publish(client, 1, fresh_until=now + LONGEST_S, stale_until=now + 2 * LONGEST_S)
        reader, ended = CacheReader(own, poll_s=0), threading.Event()

        def read() -> None:
            while not ended.wait(0.05):
                tries.reads += 1
                try:
                    if look(reader) != seen_of(1):
                        tries.wrong.append("other figures")
                except AssertionError as error:
                    tries.mixed.append(str(error))
                except Exception as error:
                    tries.refused.append(repr(error))

        tries.tries += 1
        thread = threading.Thread(target=read)
        thread.start()
        begun, memory = time.monotonic(), resident()
        dagster = Dagster(client)
        dispatcher = Dispatcher(client, dagster, Archive(client, tmp_path))
        try:
            while client.xlen("kpi:requests") or dagster.runs:
                dispatcher.dispatch(0.01)
                # The dispatcher looks at runs while something waits only.
                dagster.unfinished_runs()
                assert time.monotonic() - begun < LONGEST_S
        finally:
            ended.set()
            thread.join()
        tries.recovery_s.append(time.monotonic() - begun)
        # Each has been given to a run, whose end is the end of the task.
        pipeline = client.pipeline(transaction=False)
        for task_id in ids:
            pipeline.hget(task_key(task_id), "run_id")
        if without_run := pipeline.execute().count(None):
            tries.lost.append(f"{without_run} tasks have no run")
        assert resident() - memory < MOST_MEMORY
        assert dagster.launched < 1000


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = Path(f"/proc/{os.getpid()}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()

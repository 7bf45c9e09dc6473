"""The process of a refresh is killed in each of its steps: the next run mends what it has left.

`tests/faults/test_crash_points.py` tries a death at each command that is sent to Redis.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.publishing.integrity import IntegrityCheck, read_back
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.settings import Settings
from tests.faults.homes import Home, change, home_of, larger
from tests.faults.readers import Readers

REFRESH = """
import os, signal, sys
from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from kpi_pipeline.definitions import defs

name, *place = sys.argv[1:]
job = defs.resolve_job_def(name)
with DagsterInstance.ephemeral() as instance:
    run = instance.create_run_for_job(job)
    print(run.run_id, flush=True)
    for event in execute_run_iterator(InMemoryJob(job), run, instance):
        if [event.step_key, event.event_type_value] == place:
            os.kill(os.getpid(), signal.SIGKILL)
"""
"""A process of one refresh, which kills itself at an event of a step."""

MOMENTS = ("STEP_START", "STEP_OUTPUT")
"""Just after a step has begun, and when its work is done and not recorded."""


@pytest.fixture
def home(source: Path, tmp_path: Path, valkey_url: str) -> Iterator[Home]:
    with home_of(tmp_path / "home", valkey_url, f"sqlite:///{source}") as made:
        yield made


def killed_in(step: str, moment: str, job: str = "refresh_all") -> str:
    """Start a refresh that is killed in a step; returns its run."""
    process = subprocess.run(
        [sys.executable, "-c", REFRESH, job, step, moment], capture_output=True, text=True, check=False
    )
    assert process.returncode == -signal.SIGKILL, f"{step} has no {moment}: {process.stderr[-500:]}"
    return process.stdout.strip()


def kill(home: Home, source: Path, readers: Readers, step: str, moment: str) -> None:
    """Kill a refresh in a step while readers request figures, then let the next one mend what it left."""
    before = home.generations()
    change(source, larger())
    with readers.reading():
        run_id = killed_in(step, moment)
        readers.look()
        ended = time.monotonic()
        # As whoever finds the run dead does; else its leases end by themselves after 30 s.
        Leases(home.client).revoke(run_id)
        home.recover(readers, ended, before)
    archive, live = Archive(home.client, Settings().archive), home.generations()
    for product in PRODUCTS:
        archived, problems = archive.entries(product)
        readers.record.lost += problems
        if live[product] not in {one.entry.generation for one in archived}:
            readers.record.lost.append(f"{product} is not archived after {moment} of {step}")


@pytest.mark.slow
def test_a_run_is_killed_before_it_is_known_that_its_product_is_live(
    published: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{source}")
    with connect(os.environ["REDIS_URL"]) as client:
        before = Publisher(client).live("kpis")
        change(source, larger())
        Leases(client).revoke(killed_in("live_kpis", "STEP_OUTPUT", "refresh_kpis"))
        left = Publisher(client).live("kpis")
        assert left.generation != before.generation
        assert IntegrityCheck(client).of("kpis", time.time()) is None
        assert list(read_back(client, left))[-1][1] == []


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_a_run_is_killed_in_each_step(source: Path, home: Home, record) -> None:
    with record("the process of a refresh is killed in each of its steps", "killed_in_each_step") as tries:
        change(source, larger())
        steps = [event.step_key for event in home.run().all_events if event.is_step_success]
        assert len(steps) > len(PRODUCTS) * 3
        readers = home.readers(tries)
        # At the one moment in every second step, at the other one in the others.
        for step, moment in zip(steps, cycle(MOMENTS), strict=False):
            tries.tries += 1
            kill(home, source, readers, step, moment)
        for moment in MOMENTS:
            tries.tries += 1
            kill(home, source, readers, f"live_{PRODUCTS[0]}", moment)

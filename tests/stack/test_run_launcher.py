"""The run launcher: what is terminated stops for good, wherever it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, job, op
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.publishing.leases import Leases, Revoked
from kpi_pipeline.stack.run_launcher import RevokingCeleryRunLauncher

pytestmark = pytest.mark.slow


@op
def nothing() -> None:
    pass


@job
def some_job() -> None:
    nothing()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@pytest.fixture
def client(cache_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    monkeypatch.setenv("REDIS_URL", cache_url)
    with connect(cache_url) as connected:
        yield connected


@pytest.fixture
def launcher(instance: DagsterInstance, cache_url: str) -> RevokingCeleryRunLauncher:
    made = RevokingCeleryRunLauncher("background", cache_url, cache_url)
    made.register_instance(instance)
    return made


def run_of(instance: DagsterInstance, status: DagsterRunStatus, task: str) -> DagsterRun:
    return instance.create_run_for_job(some_job, status=status, tags={DAGSTER_CELERY_TASK_ID_TAG: task})


def status_of(instance: DagsterInstance, run: DagsterRun) -> DagsterRunStatus:
    return instance.get_run_by_id(run.run_id).status


def test_a_run_under_way_is_revoked_and_marked(instance, client, launcher) -> None:
    run = run_of(instance, DagsterRunStatus.STARTED, "task")
    launcher.celery.backend.store_result("task", {"pid": 1, "hostname": "kpi@here"}, "STARTED")
    leases = Leases(client)
    assert leases.take("kpis", run.run_id)
    assert launcher.terminate(run.run_id)
    assert status_of(instance, run) is DagsterRunStatus.CANCELING
    assert leases.holder("kpis") is None
    with pytest.raises(Revoked):
        leases.take("kpis", run.run_id)
    assert launcher.terminate(run.run_id)  # again, when it was not heard
    assert status_of(instance, run) is DagsterRunStatus.CANCELING


def test_a_run_that_no_worker_has_started_ends_at_once(instance, client, launcher) -> None:
    run = run_of(instance, DagsterRunStatus.STARTING, "task")
    assert launcher.terminate(run.run_id)
    assert status_of(instance, run) is DagsterRunStatus.CANCELED


def test_a_run_that_has_ended_or_is_unknown_stays_as_it_is(instance, client, launcher) -> None:
    run = run_of(instance, DagsterRunStatus.SUCCESS, "task")
    assert not launcher.terminate(run.run_id)
    assert status_of(instance, run) is DagsterRunStatus.SUCCESS
    assert not launcher.terminate("00000000-0000-0000-0000-000000000000")
    assert client.keys("kpi:revoked:*") == []


def test_without_redis_a_run_is_terminated_all_the_same(
    instance, launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    run = run_of(instance, DagsterRunStatus.STARTING, "task")
    assert launcher.terminate(run.run_id)
    assert status_of(instance, run) is DagsterRunStatus.CANCELED

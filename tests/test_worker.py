"""The worker's application: what it needs, and the runs that an earlier worker has left behind."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest
from celery import Celery
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, job, op
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.origin import JobPythonOrigin
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from kpi_pipeline import celery_internals
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.fulfil import run_request_specs
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, TaskState
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.filters import EVERYTHING

pytestmark = [
    pytest.mark.slow,
    # A worker has one application; this process may hold that of another test too.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

NAME = "kpi@here"


def reconstructable_origin(name: str) -> JobPythonOrigin:
    """Where a worker finds a job, as the code server tells it."""
    code = ModuleCodePointer("kpi_pipeline.definitions", "defs", working_directory=None)
    return ReconstructableRepository(code).get_reconstructable_job(name).get_python_origin()


@pytest.fixture(scope="session")
def worker_module(valkey_url: str) -> ModuleType:
    """The worker's module: like a worker, a process makes its application once."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CELERY_BROKER_URL", valkey_url)
        environment.setenv("CELERY_RESULT_BACKEND", valkey_url)
        return import_module("kpi_pipeline.worker")


@pytest.fixture
def worker(worker_module: ModuleType, cache_url: str) -> ModuleType:
    """The worker's module, on an empty broker."""
    return worker_module


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


@op
def nothing() -> None:
    pass


@job
def some_job() -> None:
    nothing()


def run_of(instance: DagsterInstance, status: DagsterRunStatus, task: str | None) -> DagsterRun:
    tags = {} if task is None else {DAGSTER_CELERY_TASK_ID_TAG: task}
    return instance.create_run_for_job(some_job, status=status, tags=tags)


def task_taken_up(app: Celery, task: str, hostname: str) -> None:
    app.backend.store_result(task, {"pid": 1, "hostname": hostname}, "STARTED")


def test_runs_of_a_worker_that_was_killed_are_failed_with_the_reason(worker, instance) -> None:
    lost = [
        run_of(instance, DagsterRunStatus.STARTED, "one"),
        run_of(instance, DagsterRunStatus.STARTING, "two"),
    ]
    task_taken_up(worker.app, "one", NAME)
    task_taken_up(worker.app, "two", NAME)
    failed = worker.fail_lost_runs(instance, worker.app, NAME)
    assert sorted(failed) == sorted(run.run_id for run in lost)
    for run in lost:
        assert instance.get_run_by_id(run.run_id).status is DagsterRunStatus.FAILURE
        messages = [entry.message for entry in instance.all_logs(run.run_id)]
        assert any("was lost" in message for message in messages)


def test_runs_that_others_execute_or_that_wait_or_have_ended_stay_as_they_are(worker, instance) -> None:
    elsewhere = run_of(instance, DagsterRunStatus.STARTED, "elsewhere")
    task_taken_up(worker.app, "elsewhere", "kpi@there")
    waiting = run_of(instance, DagsterRunStatus.STARTING, "waiting")
    without_task = run_of(instance, DagsterRunStatus.STARTED, None)
    ended = run_of(instance, DagsterRunStatus.SUCCESS, "ended")
    task_taken_up(worker.app, "ended", NAME)
    before = {run.run_id: run.status for run in (elsewhere, waiting, without_task, ended)}
    assert worker.fail_lost_runs(instance, worker.app, NAME) == []
    assert {run_id: instance.get_run_by_id(run_id).status for run_id in before} == before


def test_a_run_whose_message_was_lost_with_a_worker_is_failed_with_the_reason(
    worker, instance, monkeypatch
) -> None:
    monkeypatch.setattr(celery_internals, "ANSWER_S", 0.05)
    lost = run_of(instance, DagsterRunStatus.STARTING, "lost")
    queued = run_of(instance, DagsterRunStatus.STARTING, "queued")
    urgent = run_of(instance, DagsterRunStatus.STARTING, "urgent")
    begun = run_of(instance, DagsterRunStatus.STARTING, "begun")
    task_taken_up(worker.app, "begun", "kpi@there")
    unlaunched = run_of(instance, DagsterRunStatus.STARTING, None)
    worker.app.send_task("execute_job", task_id="queued", queue="background", priority=6)
    worker.app.send_task("execute_job", task_id="urgent", queue="kpis", priority=0)
    assert worker.fail_undelivered_runs(instance, worker.app, settled_s=0) == [lost.run_id]
    assert instance.get_run_by_id(lost.run_id).status is DagsterRunStatus.FAILURE
    assert any("before it began" in entry.message for entry in instance.all_logs(lost.run_id))
    for run in (queued, urgent, begun, unlaunched):
        assert instance.get_run_by_id(run.run_id).status is DagsterRunStatus.STARTING


def test_a_run_is_not_lost_whose_message_is_on_its_way_or_held_by_a_worker(
    worker, instance, monkeypatch
) -> None:
    held = [frozenset[str](), frozenset({"on its way"})]
    monkeypatch.setattr(worker, "held_tasks", lambda *_: held.pop(0))
    run = run_of(instance, DagsterRunStatus.STARTING, "on its way")
    assert worker.fail_undelivered_runs(instance, worker.app, settled_s=0) == []
    assert instance.get_run_by_id(run.run_id).status is DagsterRunStatus.STARTING


def test_a_person_who_waits_overtakes_a_schedule(worker) -> None:
    """Messages as the launcher sends them, with the priorities that runs have."""
    request = Request("1-0", "0" * 32, RequestKind.REFRESH, "kpis", EVERYTHING, "all", 1.0)
    (requested,) = run_request_specs([request])
    job_tags = defs.resolve_job_def(requested.job).tags
    with worker.app.connection_for_write() as connection:
        for name, tags in (("scheduled", job_tags), ("asked", requested.tags)):
            worker.app.send_task(
                name, connection=connection, queue="kpis", priority=int(tags["dagster-celery/run_priority"])
            )
        queue = connection.SimpleQueue("kpis")
        taken = [queue.get(timeout=10).headers["task"] for _ in range(2)]
        queue.close()
    assert taken == ["asked", "scheduled"]


def test_a_run_tells_its_readers_how_it_ended(worker, demo_home, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with connect(os.environ["REDIS_URL"]) as client, DagsterInstance.get() as instance:
        requests = Requests(client)
        told = []
        for source in (None, "sqlite:////nowhere/at/all.db"):
            if source:
                monkeypatch.setenv("KPI_SOURCE_URL", source)
            task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
            (request,) = requests.take("test", 1, 0.01)
            requests.acknowledge(request.entry)
            (order,) = run_request_specs([request])
            job = defs.resolve_job_def(order.job)
            run = instance.create_run_for_job(
                job,
                tags={**job.tags, **order.tags},
                job_code_origin=reconstructable_origin(order.job),
            )
            worker.execute_run(run.run_id)
            told.append((requests.status(task.id), run.run_id))
    (good, good_run), (bad, bad_run) = told
    assert (good.state, good.run_id, good.reason) == (TaskState.SUCCEEDED, good_run, None)
    assert good.progress.steps_done == good.progress.steps >= 4
    assert good.progress.computed_at <= good.progress.published_at <= good.finished_at
    assert (bad.state, bad.run_id) == (TaskState.FAILED, bad_run)
    assert "read_source" in bad.reason
    assert "nowhere" in bad.reason


def test_a_run_that_was_deleted_is_told(worker, monkeypatch, demo_home, tmp_path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(LookupError, match="deleted"):
        worker.execute_run("00000000-0000-0000-0000-000000000000")


def test_it_holds_what_a_run_needs_and_never_a_message_twice(worker) -> None:
    assert {"execute_job", "resume_job"} <= set(worker.app.tasks)
    assert worker.app.conf.task_acks_late is True
    assert worker.app.conf.worker_prefetch_multiplier == 1
    assert worker.app.conf.worker_max_tasks_per_child == 1000
    assert worker.app.conf.worker_max_memory_per_child == 1536 * 1024
    assert worker.app.conf.task_reject_on_worker_lost is False


def test_after_a_run_its_memory_counts_by_what_it_still_holds(worker, monkeypatch, caplog) -> None:
    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    held = bytearray(b"1") * 2**28
    before = peak()
    del held
    worker.give_back_memory()
    assert peak() < before - 2**17
    assert "KPI_WORKER_MEMORY_BYTES" not in caplog.text
    monkeypatch.setenv("KPI_WORKER_MEMORY_BYTES", str(2**20))
    worker.give_back_memory()
    assert "more than KPI_WORKER_MEMORY_BYTES" in caplog.text


def test_without_queues_it_says_what_to_set(tmp_path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("CELERY_", "KPI_"))}
    done = subprocess.run(
        [sys.executable, "-c", "import kpi_pipeline.worker"],
        check=False,
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "CELERY_BROKER_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_runs_need_is_loaded_before_the_fork_and_pandas_is_not() -> None:
    code = (
        "import sys, kpi_pipeline.worker as worker; worker.preload();"
        "print([name in sys.modules for name in ('altair', 'vl_convert', 'adbc_driver_sqlite', 'pandas')])"
    )
    queues = {"CELERY_BROKER_URL": "redis://localhost", "CELERY_RESULT_BACKEND": "redis://localhost"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **queues}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[True, True, True, False]"


def test_the_definitions_load_nothing_that_draws() -> None:
    names = "[name in sys.modules for name in ('altair', 'vl_convert')]"
    code = f"import sys, kpi_pipeline.definitions; print({names})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, False]"

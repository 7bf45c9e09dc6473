"""A run tells its readers how it comes on while it is executed: real runs, their own events."""

import os
from collections.abc import Iterator

import pytest
import redis
from dagster import DagsterInstance, DagsterRun, Failure, In, Nothing, Out, in_process_executor, job, op
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.sensors.task_progress import ProgressReporter, reporter_of
from tests.faults.proxy import proxied


@op(out=Out(Nothing))
def kpis() -> None:
    pass


@op(ins={"after": In(Nothing)}, out=Out(Nothing))
def live_kpis() -> None:
    pass


@op(ins={"after": In(Nothing)})
def archived_kpis() -> None:
    pass


@op(ins={"after": In(Nothing)})
def broken() -> None:
    raise Failure("the source cannot be read: start it")


@op(ins={"after": In(Nothing)})
def crashing() -> None:
    raise KeyError("unforeseen")


@job(executor_def=in_process_executor)
def publishing() -> None:
    archived_kpis(live_kpis(kpis()))


@job(executor_def=in_process_executor)
def failing() -> None:
    broken(kpis())


@job(executor_def=in_process_executor)
def falling() -> None:
    crashing(kpis())


@pytest.fixture
def requested(requests: Requests) -> tuple[str, dict[str, str]]:
    """A task, and the tags of the run that works on it."""
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    (request,) = requests.pending("test", 1)
    return task.id, {f"kpi-task/{task.id}": request.entry}


@pytest.fixture
def server(requests: Requests) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as client:
        yield client


def events_of(definition, instance: DagsterInstance, tags) -> tuple[DagsterRun, Iterator]:
    run = instance.create_run_for_job(definition, tags=tags)
    return run, execute_run_iterator(InMemoryJob(definition), run, instance)


def test_steps_and_the_moments_that_readers_wait_for(server, requests, instance, requested) -> None:
    task, tags = requested
    run, events = events_of(publishing, instance, tags)
    reporter = reporter_of(instance, server, run)
    told = []
    for event in events:
        reporter.report(event)
        status = requests.status(task)
        told.append((status.state, status.progress.steps_done, status.progress.published_at is not None))
    assert list(dict.fromkeys(told)) == [
        (TaskState.STARTED, 0, False),
        (TaskState.STARTED, 1, False),
        (TaskState.STARTED, 2, True),
        (TaskState.STARTED, 3, True),
        (TaskState.SUCCEEDED, 3, True),
    ]
    status = requests.status(task)
    assert (status.run_id, status.progress.steps) == (run.run_id, 3)
    assert status.started_at <= status.progress.computed_at <= status.progress.published_at
    assert status.progress.published_at <= status.finished_at


@pytest.mark.parametrize(
    ("definition", "reason"),
    [(failing, "broken: the source cannot be read: start it"), (falling, "crashing: KeyError: 'unforeseen'")],
    ids=["told", "unforeseen"],
)
def test_a_run_that_fails_tells_why(server, requests, instance, requested, definition, reason) -> None:
    task, tags = requested
    run, events = events_of(definition, instance, tags)
    reporter = reporter_of(instance, server, run)
    for event in events:
        reporter.report(event)
    status = requests.status(task)
    assert status.state is TaskState.FAILED
    assert status.reason.startswith(reason)
    assert (status.progress.steps, status.progress.steps_done) == (2, 1)
    assert status.progress.published_at is None


def test_a_run_that_nobody_waits_for_notes_nothing(server, instance) -> None:
    run, events = events_of(publishing, instance, {})
    reporter = reporter_of(instance, server, run)
    for event in events:
        reporter.report(event)
    assert server.keys("kpi:*") == []


def test_a_note_that_cannot_be_written_does_not_end_the_run(instance, requested, caplog) -> None:
    _, tags = requested
    run, events = events_of(publishing, instance, tags)
    with redis.Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        reporter = ProgressReporter(nowhere, run, 3)
        for event in events:
            reporter.report(event)
    assert "could not report" in caplog.text
    assert instance.get_run_by_id(run.run_id).is_success


def test_a_reply_of_another_kind_does_not_end_the_run(instance, server, requested, caplog) -> None:
    _, tags = requested
    run, events = events_of(publishing, instance, tags)
    with proxied(os.environ["REDIS_URL"]) as proxy, connect(proxy.url) as damaged:
        proxy.treatment = lambda _command, _forward: b":7\r\n"
        reporter = ProgressReporter(damaged, run, 3)
        for event in events:
            reporter.report(event)
    assert "could not report" in caplog.text
    assert instance.get_run_by_id(run.run_id).is_success

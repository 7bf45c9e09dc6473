"""A reader's task follows the run that works on it."""

import os

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    build_run_status_sensor_context,
)

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors.task_outcomes import TASK_SENSORS

EVENTS = {
    "started": DagsterEventType.RUN_START,
    "success": DagsterEventType.RUN_SUCCESS,
    "failure": DagsterEventType.RUN_FAILURE,
    "canceled": DagsterEventType.RUN_CANCELED,
}


@pytest.fixture
def taken(requests: Requests, instance: DagsterInstance) -> tuple[str, DagsterRun]:
    """A task and the run that works on it."""
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    (request,) = requests.pending("sensor", 1)
    job = defs.resolve_job_def("refresh_kpis")
    return task.id, instance.create_run_for_job(job, tags={f"kpi-task/{task.id}": request.entry})


def tell(word: str, run: DagsterRun, instance: DagsterInstance) -> None:
    report = {one.name: one for one in TASK_SENSORS}[f"task_{word}"]
    event = DagsterEvent(EVENTS[word].value, run.job_name, message=f"the run is {word}")
    with build_run_status_sensor_context(
        sensor_name=report.name,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        resources={"cache": CacheResource()},
    ) as context:
        report(context)


def test_there_is_a_sensor_for_each_way_a_run_comes_on() -> None:
    assert {one.name for one in TASK_SENSORS} == {f"task_{word}" for word in EVENTS}


def test_a_started_run_is_told_and_its_request_is_off_the_stream(
    requests: Requests, instance: DagsterInstance, taken
) -> None:
    task, run = taken
    tell("started", run, instance)
    status = requests.status(task)
    assert (status.state, status.run_id) == (TaskState.STARTED, run.run_id)
    assert requests.pending("another", 10) == []


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("success", TaskState.SUCCEEDED),
        ("failure", TaskState.FAILED),
        ("canceled", TaskState.FAILED),
    ],
)
def test_the_end_of_a_run_is_the_end_of_its_task(
    requests: Requests, instance: DagsterInstance, taken, word: str, state: TaskState
) -> None:
    task, run = taken
    tell("started", run, instance)
    tell(word, run, instance)
    status = requests.status(task)
    assert status.state is state
    if state is TaskState.FAILED:
        assert run.run_id in status.reason
        assert f"the run is {word}" in status.reason
    # An equal request starts anew.
    assert requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING).id != task


def test_the_task_of_a_lost_run_ends_with_its_retry(
    requests: Requests, instance: DagsterInstance, taken
) -> None:
    task, lost = taken
    tell("started", lost, instance)
    instance.add_run_tags(lost.run_id, {"dagster/will_retry": "true"})
    tell("failure", instance.get_run_by_id(lost.run_id), instance)
    assert requests.status(task).state is TaskState.STARTED
    # Whoever asks for the same waits for the retry, too.
    assert requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING).id == task
    retry = instance.create_run_for_job(defs.resolve_job_def("refresh_kpis"), tags=lost.tags)
    tell("started", retry, instance)
    tell("success", retry, instance)
    status = requests.status(task)
    assert (status.state, status.run_id) == (TaskState.SUCCEEDED, retry.run_id)


@pytest.mark.parametrize("word", ["failure", "canceled"])
def test_an_end_recorded_late_leaves_the_task_to_the_run_that_works_on_it(
    requests: Requests, instance: DagsterInstance, taken, word: str
) -> None:
    task, lost = taken
    tell("started", lost, instance)
    retry = instance.create_run_for_job(defs.resolve_job_def("refresh_kpis"), tags=lost.tags)
    tell("started", retry, instance)
    tell(word, lost, instance)
    assert requests.status(task).state is TaskState.STARTED
    tell(word, retry, instance)
    status = requests.status(task)
    assert status.state is TaskState.FAILED
    assert retry.run_id in status.reason


def test_a_run_that_nobody_asked_for_is_left_alone(requests: Requests, instance: DagsterInstance) -> None:
    run = instance.create_run_for_job(defs.resolve_job_def("refresh_kpis"))
    tell("success", run, instance)
    assert requests.pending("another", 10) == []


@pytest.mark.parametrize(
    ("word", "state"),
    [("success", TaskState.SUCCEEDED), ("failure", TaskState.QUEUED), ("canceled", TaskState.QUEUED)],
)
def test_a_task_that_joined_a_run_is_handed_on_when_that_is_lost(
    requests: Requests, instance: DagsterInstance, word: str, state: TaskState
) -> None:
    run = instance.create_run_for_job(defs.resolve_job_def("refresh_all"))
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING).id
    with connect(os.environ["REDIS_URL"]) as client:
        (request,) = requests.pending("test", 1)
        assert RunTasks(client).join(run.run_id, [task])
    requests.acknowledge(request.entry)
    requests.started(task, run.run_id)
    tell(word, run, instance)
    assert requests.status(task).state is state
    assert [again.id for again in requests.pending("test", 1)] == (
        [task] if state is TaskState.QUEUED else []
    )

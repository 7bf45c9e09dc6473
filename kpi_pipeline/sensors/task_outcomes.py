"""The outcome of runs is written to their tasks, also when a run could not do so itself."""

from typing import Final

from dagster import (
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunStatusSensorContext,
    SensorDefinition,
    run_status_sensor,
)

from kpi_pipeline.cache.requests.fulfil import ADD_ANSWERS_JOB
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.jobs import ADD_ANSWERS, PRODUCT_JOBS, RECONCILE, REFRESH_ALL
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors.task_progress import tasks_of

_STATUSES: Final = (
    DagsterRunStatus.STARTED,
    DagsterRunStatus.SUCCESS,
    DagsterRunStatus.FAILURE,
    DagsterRunStatus.CANCELED,
)

_RETRIED_TAG: Final = "dagster/will_retry"
"""Dagster sets it on a run that has failed: whether another run with the same tags takes its place."""


def _task_sensor(status: DagsterRunStatus) -> SensorDefinition:
    status_name = status.value.lower()

    @run_status_sensor(
        run_status=status,
        name=f"task_{status_name}",
        monitored_jobs=[ADD_ANSWERS, *PRODUCT_JOBS.values(), REFRESH_ALL, RECONCILE],
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Records on the tasks of readers that their run has the status {status_name}.",
    )
    def report(context: RunStatusSensorContext, cache: CacheResource) -> None:
        """Record the run's status on each of its tasks and acknowledge their requests.

        Tasks that had joined a run which was canceled or has crashed are worked on by another. Those of a
        run that is retried end with the retry.
        """
        run = context.dagster_run
        is_retried = status is DagsterRunStatus.FAILURE and run.tags.get(_RETRIED_TAG) == "true"
        # What such a run has handed on is no longer its own.
        only_of = run.run_id if run.job_name == ADD_ANSWERS_JOB else None
        tasks, requests, run_tasks = tasks_of(run), Requests(cache.client), RunTasks(cache.client)
        if status is not DagsterRunStatus.STARTED:
            for task in run_tasks.end(run.run_id):
                if status is DagsterRunStatus.SUCCESS:
                    requests.finished(task, True, run_id=only_of)
                else:
                    # The run reports why it fails to its tasks: if this one has not ended, it could not.
                    run_tasks.hand_on(task)
        for task, entry in tasks.items():
            if status is DagsterRunStatus.STARTED:
                if only_of is None:
                    requests.started(task, run.run_id)
            elif status is DagsterRunStatus.SUCCESS or not (is_retried or _has_other(task, run, requests)):
                reason = f"run {run.run_id} ended as {status_name}: {context.dagster_event.message}"
                requests.finished(task, status is DagsterRunStatus.SUCCESS, reason, run_id=only_of)
            requests.acknowledge(entry)

    return report


def _has_other(task: str, run: DagsterRun, requests: Requests) -> bool:
    """Whether another run has begun to work on a task: a retry may start before its end is recorded."""
    known = requests.status(task)
    return known is not None and known.run_id not in (None, run.run_id)


TASK_SENSORS: Final = [_task_sensor(status) for status in _STATUSES]

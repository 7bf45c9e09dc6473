"""The progress of a run, written to its tasks as it happens."""

import logging
import time
from typing import Final

import redis
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun

from kpi_pipeline.cache.connection import FAILURES, is_damage
from kpi_pipeline.cache.requests.fulfil import TASK_TAG, is_joinable
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.model.dimensions import PRODUCTS

_LOG: Final = logging.getLogger(__name__)

_REPORTED: Final = (DagsterEventType.RUN_START, DagsterEventType.STEP_SUCCESS)
"""Events that are written to all tasks that have joined a run by then."""

_TIMES: Final = {
    **dict.fromkeys(PRODUCTS, "computed_at"),
    **{f"live_{product}": "published_at" for product in PRODUCTS},
}
"""Steps whose end is reported to readers, and under which name."""


def tasks_of(run: DagsterRun) -> dict[str, str]:
    """The tasks that a run works on, each with its entry in the stream of requests."""
    return {tag.removeprefix(TASK_TAG): entry for tag, entry in run.tags.items() if tag.startswith(TASK_TAG)}


class ProgressReporter:
    """Writes the events of one run to its tasks.

    An event that cannot be written is skipped: the run matters more, and sensors record its end again.

    Args:
        client: Of the server where tasks are.
        run: The run.
        steps: How many steps it has.
    """

    def __init__(self, client: redis.Redis, run: DagsterRun, steps: int) -> None:
        self._requests = Requests(client)
        self._run_tasks = RunTasks(client)
        self._run_id = run.run_id
        self._is_joinable = is_joinable(run.job_name)
        self._requested = list(tasks_of(run))
        self._joined: list[str] = []
        self._started: set[str] = set()
        self._steps = steps
        self._done = 0
        self._times: dict[str, float] = {}
        self._reason: str | None = None

    def report(self, event: DagsterEvent) -> None:
        """Write an event, if readers see it."""
        if not self._requested and not self._is_joinable:
            return
        try:
            if self._is_joinable and event.event_type in _REPORTED:
                self._joined = self._run_tasks.joined(self._run_id)
            self._report(event)
        except FAILURES as error:
            _LOG.warning(
                "run %s could not report %s: %s",
                self._run_id,
                event.event_type_value,
                error,
                exc_info=is_damage(error),
            )

    def _report(self, event: DagsterEvent) -> None:
        kind = event.event_type
        if kind is DagsterEventType.RUN_START:
            self._progressed()
        elif kind is DagsterEventType.STEP_SUCCESS:
            self._done += 1
            if (name := _TIMES.get(event.step_key or "")) is not None:
                self._times[name] = time.time()
            self._progressed()
        elif kind is DagsterEventType.STEP_FAILURE:
            self._reason = self._reason or _failure(event)
        elif kind is DagsterEventType.RUN_SUCCESS:
            self._joined = self._end()
            self._finished(True, None)
        elif kind is DagsterEventType.RUN_FAILURE:
            self._joined = self._end()
            self._finished(False, self._reason or event.message)
        elif kind is DagsterEventType.RUN_CANCELED:
            joined = self._end()
            self._joined = []
            self._finished(False, self._reason or event.message)
            for task in joined:
                self._run_tasks.hand_on(task)

    def _tasks(self) -> list[str]:
        return list(dict.fromkeys([*self._requested, *self._joined]))

    def _progressed(self) -> None:
        tasks = self._tasks()
        for task in tasks:
            # Not again: the run may have handed it on.
            if task not in self._started:
                self._requests.started(task, self._run_id)
        self._started.update(tasks)
        if tasks:
            self._requests.progressed(self._run_id, self._steps, self._done, **self._times)

    def _end(self) -> list[str]:
        return self._run_tasks.end(self._run_id) if self._is_joinable else []

    def _finished(self, ok: bool, reason: str | None) -> None:
        for task in self._tasks():
            self._requests.finished(task, ok, reason, run_id=self._run_id)


def reporter_of(instance: DagsterInstance, client: redis.Redis, run: DagsterRun) -> ProgressReporter:
    """The reporter of a run that is about to be executed.

    Args:
        instance: It knows the run's steps.
        client: Of the server where tasks are.
        run: The run.
    """
    steps = 0
    if run.execution_plan_snapshot_id is not None:
        steps = len(instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id).step_keys_to_execute)
    return ProgressReporter(client, run, steps)


def _failure(event: DagsterEvent) -> str:
    """The error message of a failed step."""
    data = event.step_failure_data
    message = data.user_failure_data.description if data.user_failure_data else None
    if not message and data.error is not None:
        message = (data.error.cause or data.error).message
    return f"{event.step_key}: {(message or event.message or 'no reason given').strip()}"

"""The progress of a run, written to its tasks as it happens."""

import logging
import time
from typing import Final

import redis
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun

from kpi_pipeline.cache.requests.fulfil import TASK_TAG
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.dimensions import PRODUCTS

_LOG: Final = logging.getLogger(__name__)

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
        requests: Where tasks are.
        run: The run.
        steps: How many steps it has.
    """

    def __init__(self, requests: Requests, run: DagsterRun, steps: int) -> None:
        self._requests = requests
        self._run_id = run.run_id
        self._tasks = tasks_of(run)
        self._steps = steps
        self._done = 0
        self._times: dict[str, float] = {}
        self._reason: str | None = None

    def report(self, event: DagsterEvent) -> None:
        """Write an event, if readers see it."""
        if not self._tasks:
            return
        try:
            self._report(event)
        except redis.RedisError as error:
            _LOG.warning("run %s could not report %s: %s", self._run_id, event.event_type_value, error)

    def _report(self, event: DagsterEvent) -> None:
        kind = event.event_type
        if kind is DagsterEventType.RUN_START:
            for task in self._tasks:
                self._requests.started(task, self._run_id)
            self._progressed()
        elif kind is DagsterEventType.STEP_SUCCESS:
            self._done += 1
            if (name := _TIMES.get(event.step_key or "")) is not None:
                self._times[name] = time.time()
            self._progressed()
        elif kind is DagsterEventType.STEP_FAILURE:
            self._reason = self._reason or _failure(event)
        elif kind is DagsterEventType.RUN_SUCCESS:
            self._finished(True, None)
        elif kind in (DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED):
            self._finished(False, self._reason or event.message)

    def _progressed(self) -> None:
        self._requests.progressed(self._run_id, self._steps, self._done, **self._times)

    def _finished(self, ok: bool, reason: str | None) -> None:
        for task in self._tasks:
            self._requests.finished(task, ok, reason)


def reporter_of(instance: DagsterInstance, requests: Requests, run: DagsterRun) -> ProgressReporter:
    """The reporter of a run that is about to be executed.

    Args:
        instance: It knows the run's steps.
        requests: Where tasks are.
        run: The run.
    """
    steps = 0
    if tasks_of(run) and run.execution_plan_snapshot_id is not None:
        steps = len(instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id).step_keys_to_execute)
    return ProgressReporter(requests, run, steps)


def _failure(event: DagsterEvent) -> str:
    """The error message of a failed step."""
    data = event.step_failure_data
    message = data.user_failure_data.description if data.user_failure_data else None
    if not message and data.error is not None:
        message = (data.error.cause or data.error).message
    return f"{event.step_key}: {(message or event.message or 'no reason given').strip()}"

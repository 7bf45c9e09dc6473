"""Executing a run in this process, as Dagster's launchers request it."""

import signal
from collections.abc import Callable
from typing import Any, Final

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value

_BEFORE_WORK: Final = (
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_UP_FOR_RETRY,
)
"""Events after which a step's work may begin."""

_AT_WORK: Final = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
]


def run_id_of(packed_arguments: Any) -> str:
    """The id of the run that a launcher's message asks to execute."""
    return unpack_value(packed_arguments, as_type=ExecuteRunArgs).run_id


def execute_in_process(
    instance: DagsterInstance, run_id: str, on_event: Callable[[DagsterEvent], None]
) -> int:
    """Execute a run in this process; returns 0 when it succeeded.

    `on_event` is called with each event after it is recorded. Once the run has been terminated no further
    step begins, although Dagster takes the interrupt of a step with a retry policy for a failure to be
    retried, and ignores signals between steps. A run that was marked as canceled stays canceled, although
    Dagster takes a step that fails after that for the failure of the run.
    """

    def watch(event: DagsterEvent) -> None:
        on_event(event)
        # Also between the failure and the end of the run: who cancels it may note that in between.
        if event.is_step_failure or event.is_engine_event:
            run = instance.get_run_by_id(run_id)
            if run is not None and run.status is DagsterRunStatus.CANCELED:
                # Dagster ends a run as canceled only from this status.
                instance.report_run_canceling(run)
        if event.event_type in _BEFORE_WORK and _is_ended(instance, run_id):
            # Captured by Dagster, which raises it before the next work begins, outside of retry policies.
            signal.raise_signal(signal.SIGINT)

    return _execute_run_command_body(
        instance=instance, run_id=run_id, write_stream_fn=watch, set_exit_code_on_failure=True
    )


def _is_ended(instance: DagsterInstance, run_id: str) -> bool:
    # Counted: reading a run takes ten times as long.
    return not instance.get_runs_count(RunsFilter(run_ids=[run_id], statuses=_AT_WORK))

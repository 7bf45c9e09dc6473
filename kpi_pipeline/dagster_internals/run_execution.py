"""Executing a run in this process, as Dagster's launchers request it."""

from collections.abc import Callable
from typing import Any

from dagster import DagsterEvent, DagsterInstance
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value


def run_id_of(packed_arguments: Any) -> str:
    """The id of the run that a launcher's message asks to execute."""
    return unpack_value(packed_arguments, as_type=ExecuteRunArgs).run_id


def execute_in_process(
    instance: DagsterInstance, run_id: str, on_event: Callable[[DagsterEvent], None]
) -> int:
    """Execute a run in this process; returns 0 when it succeeded.

    `on_event` is called with each event after it is recorded.
    """
    return _execute_run_command_body(
        instance=instance, run_id=run_id, write_stream_fn=on_event, set_exit_code_on_failure=True
    )

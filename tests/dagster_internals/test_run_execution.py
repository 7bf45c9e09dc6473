"""What the execution of runs relies on in Dagster; a new version that changes it fails here."""

import inspect
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

pytestmark = pytest.mark.slow

CHANGED = f"dagster {version('dagster')} differs from what dagster_internals/run_execution.py relies on: "
JOBS = """
import os
import signal
import time

from dagster import RetryPolicy, in_process_executor, job, op

@op
def succeed():
    pass

@op
def fail():
    raise ValueError("on purpose")

@op(config_schema=dict)
def note(context):
    with open(context.op_config["trace"], "a") as trace:
        trace.write("began ")

@job
def noting():
    note()

@op(config_schema=dict, retry_policy=RetryPolicy(max_retries=2))
def be_terminated(context):
    with open(context.op_config["trace"], "a") as trace:
        trace.write("began ")
    context.instance.report_run_canceling(context.run)
    if context.op_config["signalled"]:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    with open(context.op_config["trace"], "a") as trace:
        trace.write("ended ")

@op
def follow(be_terminated):
    raise AssertionError("nothing follows")

@job(executor_def=in_process_executor)
def terminated():
    follow(be_terminated())

@op
def fail_once_canceled(context):
    context.instance.report_run_canceled(context.run)
    raise ValueError("its lease is revoked")

@job(executor_def=in_process_executor)
def canceled():
    fail_once_canceled()

@job
def succeeding():
    succeed()

@job
def failing():
    fail()
"""


def test_the_body_of_a_run_takes_the_same_arguments() -> None:
    from dagster._cli.api import _execute_run_command_body as body

    expected = {"instance", "run_id", "write_stream_fn", "set_exit_code_on_failure"}
    assert set(inspect.signature(body).parameters) == expected, f"{CHANGED}arguments of {body.__name__}"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def create_run(
    instance: DagsterInstance, folder: Path, name: str, config: dict[str, object] | None = None
) -> DagsterRun:
    from dagster._core.definitions.reconstruct import ReconstructableJob

    path = folder / "jobs.py"
    path.write_text(JOBS)
    recorded = ReconstructableJob.for_file(str(path), name)
    return instance.create_run_for_job(
        recorded.get_definition(), job_code_origin=recorded.get_python_origin(), run_config=config
    )


def test_a_message_of_the_launcher_names_its_run(instance: DagsterInstance, tmp_path: Path) -> None:
    from dagster._grpc.types import ExecuteRunArgs
    from dagster._serdes import pack_value

    from kpi_pipeline.dagster_internals.run_execution import run_id_of

    run = create_run(instance, tmp_path, "succeeding")
    # As `CeleryRunLauncher.launch_run` makes it.
    message = ExecuteRunArgs(
        job_origin=run.job_code_origin,
        run_id=run.run_id,
        instance_ref=instance.get_ref(),
        set_exit_code_on_failure=True,
    )
    assert run_id_of(pack_value(message)) == run.run_id, f"{CHANGED}the launcher's message"


@pytest.mark.parametrize(
    ("job", "last", "succeeds"),
    [
        ("succeeding", DagsterEventType.RUN_SUCCESS, True),
        ("failing", DagsterEventType.RUN_FAILURE, False),
    ],
)
def test_an_executed_run_gives_its_events_and_an_exit_code(
    instance: DagsterInstance, tmp_path: Path, job: str, last: DagsterEventType, succeeds: bool
) -> None:
    from kpi_pipeline.dagster_internals.run_execution import execute_in_process

    events: list[DagsterEvent] = []
    run = create_run(instance, tmp_path, job)
    code = execute_in_process(instance, run.run_id, events.append)
    kinds = [event.event_type for event in events]
    assert (code == 0) is succeeds, f"{CHANGED}the exit code of a run"
    assert DagsterEventType.RUN_START in kinds, f"{CHANGED}the events of a run"
    assert last in kinds, f"{CHANGED}the events of a run"
    assert {event.job_name for event in events} == {job}


@pytest.mark.parametrize("status", [DagsterRunStatus.STARTED, DagsterRunStatus.SUCCESS])
def test_a_run_whose_message_is_delivered_again_is_not_executed_again(
    tmp_path: Path, status: DagsterRunStatus
) -> None:
    """Redis delivers again what is not acknowledged in time; monitoring is on, as in dagster.yaml."""
    from kpi_pipeline.dagster_internals.run_execution import execute_in_process

    trace, events = tmp_path / "trace", list[DagsterEvent]()
    config = {"ops": {"note": {"config": {"trace": str(trace)}}}}
    monitored = {"run_monitoring": {"enabled": True}}
    with DagsterInstance.local_temp(str(tmp_path), overrides=monitored) as instance:
        run = create_run(instance, tmp_path, "noting", config)
        if status is DagsterRunStatus.SUCCESS:
            assert execute_in_process(instance, run.run_id, events.append) == 0
        else:
            instance.report_dagster_event(
                DagsterEvent(DagsterEventType.RUN_START.value, run.job_name), run_id=run.run_id
            )
        assert instance.get_run_by_id(run.run_id).status is status
        before = trace.read_text() if trace.exists() else ""
        execute_in_process(instance, run.run_id, events.append)
        assert instance.get_run_by_id(run.run_id).status is status, f"{CHANGED}duplicates of runs"
        assert (trace.read_text() if trace.exists() else "") == before, f"{CHANGED}duplicates of runs"


@pytest.mark.parametrize("signalled", [True, False])
def test_no_work_begins_or_is_repeated_once_a_run_is_terminated(
    instance: DagsterInstance, tmp_path: Path, signalled: bool
) -> None:
    from kpi_pipeline.dagster_internals.run_execution import execute_in_process

    trace = tmp_path / "trace"
    events: list[DagsterEvent] = []
    config = {"ops": {"be_terminated": {"config": {"signalled": signalled, "trace": str(trace)}}}}
    run = create_run(instance, tmp_path, "terminated", config)
    execute_in_process(instance, run.run_id, events.append)
    assert instance.get_run_by_id(run.run_id).status is DagsterRunStatus.CANCELED, f"{CHANGED}interrupts"
    assert trace.read_text().split() == (["began"] if signalled else ["began", "ended"])
    failures = [event.step_failure_data.error.message for event in events if event.is_step_failure]
    assert not [message for message in failures if "nothing follows" in message]


def test_a_run_marked_as_canceled_stays_canceled_when_its_step_fails_after_that(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    from kpi_pipeline.dagster_internals.run_execution import execute_in_process

    events: list[DagsterEvent] = []
    run = create_run(instance, tmp_path, "canceled")
    execute_in_process(instance, run.run_id, events.append)
    assert instance.get_run_by_id(run.run_id).status is DagsterRunStatus.CANCELED, f"{CHANGED}failures"
    # A failure would be retried, and told of.
    assert DagsterEventType.RUN_FAILURE not in {event.event_type for event in events}


def test_a_run_marked_as_canceled_after_its_step_failed_stays_canceled(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    from kpi_pipeline.dagster_internals.run_execution import execute_in_process

    run = create_run(instance, tmp_path, "failing")
    events: list[DagsterEvent] = []

    def cancel_before_it_ends(event: DagsterEvent) -> None:
        if event.is_engine_event and any(one.is_step_failure for one in events):
            instance.report_run_canceled(instance.get_run_by_id(run.run_id))
        events.append(event)

    execute_in_process(instance, run.run_id, cancel_before_it_ends)
    assert instance.get_run_by_id(run.run_id).status is DagsterRunStatus.CANCELED, f"{CHANGED}failures"
    assert DagsterEventType.RUN_FAILURE not in {event.event_type for event in events}

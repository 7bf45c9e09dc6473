"""What the adapter relies on in dagster-celery and Celery; a new version that changes it fails here."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import heartbeat_sent
from dagster import DagsterInstance, DagsterRun
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.launcher import LaunchRunContext

from kpi_pipeline.cache.connection import connect
from tests.waiting import wait_until

CHANGED = (
    f"dagster-celery {version('dagster-celery')} or celery {version('celery')} differs from what "
    "kpi_pipeline/celery_internals.py relies on: "
)
BROKER, RESULTS = "memory://", "cache+memory://"
NAME = "kpi@here"

JOB = """
from dagster import job, op

@op
def nothing():
    pass

@job
def some_job():
    nothing()
"""

LONG_JOB = """
import time
from pathlib import Path
from dagster import job, op

@op(config_schema={"trace": str, "until": str})
def wait(context):
    with open(context.op_config["trace"], "a") as trace:
        trace.write("begun\\n")
    until = Path(context.op_config["until"])
    for _ in range(1200):
        if until.exists():
            return
        time.sleep(0.05)
    raise TimeoutError

@job
def some_job():
    wait()
"""

# A worker has one application; this process may hold that of another test too.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@pytest.fixture
def run(instance: DagsterInstance, tmp_path: Path) -> DagsterRun:
    path = tmp_path / "jobs.py"
    path.write_text(JOB)
    recorded = ReconstructableJob.for_file(str(path), "some_job")
    return instance.create_run_for_job(
        recorded.get_definition(), job_code_origin=recorded.get_python_origin()
    )


def launch(
    instance: DagsterInstance, run: DagsterRun, broker: str = BROKER, results: str = RESULTS
) -> DagsterRun:
    """Put the task of a run into the queue, by the launcher that dagster.yaml names."""
    from dagster_celery.launcher import CeleryRunLauncher

    launcher = CeleryRunLauncher("background", broker, results)
    launcher.register_instance(instance)
    launcher.launch_run(LaunchRunContext(run, None))
    return instance.get_run_by_id(run.run_id)


def test_the_adapter_s_imports_are_still_there() -> None:
    try:
        import kpi_pipeline.celery_internals  # noqa: F401
    except ImportError as error:
        pytest.fail(f"{CHANGED}{error}")


def test_a_worker_executes_what_the_launcher_sends_and_is_known_to_have_started_it(instance, run) -> None:
    from kpi_pipeline.celery_internals import is_started_by, make_worker_app
    from kpi_pipeline.dagster_internals.run_execution import run_id_of

    executed: list[str] = []
    started_by: dict[str, bool] = {}

    def execute(arguments: Any) -> int:
        executed.append(run_id_of(arguments))
        started_by.update({name: is_started_by(app, launched.tags, name) for name in (NAME, "kpi@there")})
        return 0

    config = {"task_track_started": True, "task_default_queue": "background"}
    app = make_worker_app(BROKER, RESULTS, config, execute)
    assert {"execute_job", "resume_job"} <= set(app.tasks), f"{CHANGED}names of tasks"
    launched = launch(instance, run)
    assert not is_started_by(app, launched.tags, NAME)
    (task_id,) = [value for tag, value in launched.tags.items() if "task_id" in tag]
    with start_worker(app, queues=["background"], hostname=NAME, perform_ping_check=False):
        assert app.AsyncResult(task_id).get(timeout=30) == 0, f"{CHANGED}the result of a task"
    assert executed == [launched.run_id], f"{CHANGED}the launcher's message"
    assert started_by == {NAME: True, "kpi@there": False}, f"{CHANGED}what a started task records"
    assert not is_started_by(app, launched.tags, NAME)


def test_a_message_that_redis_delivers_again_executes_its_run_once(
    valkey_url, cache_url, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kpi_pipeline.celery_internals import make_worker_app
    from kpi_pipeline.dagster_internals.run_execution import execute_in_process, run_id_of

    # Launchers of other tests have announced their task of the same name to every application.
    monkeypatch.setattr("celery._state._on_app_finalizers", set())
    path, trace, may_end = tmp_path / "jobs.py", tmp_path / "trace", tmp_path / "may_end"
    path.write_text(LONG_JOB)
    recorded = ReconstructableJob.for_file(str(path), "some_job")
    delivered: list[str] = []
    # As the worker's configuration, but for the hour after which a message is delivered again.
    config = {
        "task_acks_late": True,
        "task_default_queue": "background",
        "task_track_started": True,
        "worker_prefetch_multiplier": 1,
        "broker_transport_options": {"visibility_timeout": 1},
    }
    monitored = {"run_monitoring": {"enabled": True}}
    with DagsterInstance.local_temp(str(tmp_path), overrides=monitored) as instance:
        run = instance.create_run_for_job(
            recorded.get_definition(),
            run_config={"ops": {"wait": {"config": {"trace": str(trace), "until": str(may_end)}}}},
            job_code_origin=recorded.get_python_origin(),
        )

        def execute(arguments: Any) -> int:
            delivered.append(run_id_of(arguments))
            return execute_in_process(instance, delivered[-1], lambda _: None)

        app = make_worker_app(valkey_url, valkey_url, config, execute)
        assert "execute_job" in app.tasks  # before the launcher's application has a task of this name
        launch(instance, run, valkey_url, valkey_url)
        of_both = {"queues": ["background"], "perform_ping_check": False}
        with (
            start_worker(app, hostname=NAME, **of_both),
            start_worker(app, hostname="kpi@there", **of_both),
        ):
            wait_until(trace.exists, 30, "the run is at work")
            # What each worker does every ten seconds.
            with app.connection_for_read() as connection:
                channel: Any = connection.default_channel
                wait_until(
                    lambda: channel.qos.restore_visible(interval=1) or len(delivered) == 2,
                    30,
                    "the message is delivered again",
                )
            may_end.touch()
            wait_until(lambda: instance.get_run_by_id(run.run_id).is_finished, 30, "the run ends")
            with connect(valkey_url) as broker:
                wait_until(lambda: not broker.hlen("unacked"), 30, "both deliveries are acknowledged")
                assert broker.llen("background") == 0
    assert delivered == 2 * [run.run_id]
    assert trace.read_text() == "begun\n"


def test_a_worker_gives_signs_with_its_name() -> None:
    from kpi_pipeline.celery_internals import make_worker_app

    names: list[str] = []

    def note(sender: Any, **_: object) -> None:
        names.append(sender.eventer.hostname)

    app = make_worker_app(BROKER, RESULTS, {}, lambda _: 0)
    heartbeat_sent.connect(note)
    try:
        with start_worker(app, hostname=NAME, perform_ping_check=False, without_heartbeat=False):
            wait_until(lambda: bool(names))
    finally:
        heartbeat_sent.disconnect(note)
    assert set(names) == {NAME}, f"{CHANGED}the signal of a heartbeat"


def test_a_run_without_a_task_was_started_by_no_worker() -> None:
    from kpi_pipeline.celery_internals import is_started_by

    assert not is_started_by(Celery(broker=BROKER, backend=RESULTS), {}, NAME)

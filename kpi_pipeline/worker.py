"""The warm worker: a Celery application whose tasks execute Dagster runs.

Started as `celery -A kpi_pipeline.worker worker`. Importing the definitions here means that every
child process is forked with them loaded, which is what makes a run start at once.
"""

import gc
from collections.abc import Mapping
from typing import Any, Final

from celery import Celery
from celery.signals import worker_process_init, worker_ready
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.make_app import make_app
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_resume_job_task

import kpi_pipeline.definitions  # noqa: F401 - loaded before the fork, see above
from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.requests.tasks import Requests
from kpi_pipeline.sensors.task_progress import reporter_of
from kpi_pipeline.settings import Settings

WORKER_CONFIG: Final[Mapping[str, Any]] = {
    # A message is gone only once its run has ended.
    "task_acks_late": True,
    # A run whose process is lost is failed by Dagster's run monitoring, and retried from there.
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    "worker_max_tasks_per_child": 1000,
    "task_default_queue": "background",
    # By this both Dagster and `fail_lost_runs` know which worker executes a run.
    "task_track_started": True,
    "result_expires": 86_400,
    "broker_connection_retry_on_startup": True,
    # Redis delivers again what was not acknowledged for so long: more than the longest run.
    "broker_transport_options": {"queue_order_strategy": "priority", "visibility_timeout": 3600},
    # Dagster writes its own log lines.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
"""Celery's settings for the worker; the launcher in dagster.yaml shares those that concern messages."""

_GC_THRESHOLDS: Final = (50_000, 20, 50)

LOST: Final = "The worker that executed this run was lost. It is tried again; the live figures stay."


def _make_app() -> Celery:
    settings = Settings()
    broker, backend = settings.celery_broker_url, settings.celery_result_backend
    if broker is None or backend is None:
        raise SystemExit(
            "CELERY_BROKER_URL and CELERY_RESULT_BACKEND are not set: start the worker by `kpi up`, "
            "or set both to a Redis database such as redis://127.0.0.1:6379/1"
        )
    made: Celery = make_app(  # type: ignore[no-untyped-call]
        {
            "broker": broker.get_secret_value(),
            "backend": backend.get_secret_value(),
            "config_source": WORKER_CONFIG,
        }
    )
    return made


def fail_lost_runs(instance: DagsterInstance, celery: Celery, hostname: str) -> list[str]:
    """Fail the runs that an earlier worker of this name was executing when it was killed.

    Nobody else can: Celery goes on calling their tasks started, which Dagster takes for a living
    worker.

    Args:
        instance: Where the runs are.
        celery: Where their tasks are.
        hostname: The worker's name; this worker must not have taken up a task yet.

    Returns:
        Ids of the runs failed.
    """
    under_way = RunsFilter(statuses=[DagsterRunStatus.STARTING, DagsterRunStatus.STARTED])
    lost = []
    for run in instance.get_runs(under_way):
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            continue
        task = celery.AsyncResult(task_id)
        if task.state == "STARTED" and task.info.get("hostname") == hostname:
            instance.report_run_failed(run, LOST)
            lost.append(run.run_id)
    return lost


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _spare_collections(**_: object) -> None:
    """Leave what is loaded before the fork out of garbage collection, and collect less often.

    A run makes and drops some hundred thousand small objects; looking for cycles among all that is
    loaded each time took a tenth of the writing of a generation.
    """
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _when_ready(sender: Any, **_: object) -> None:
    with DagsterInstance.get() as instance:
        fail_lost_runs(instance, app, sender.hostname)


def execute_run(run_id: str) -> int:
    """Execute a run as dagster-celery does, and tell readers who wait for it how it comes on.

    Args:
        run_id: The run, as it was created.

    Returns:
        0 when it succeeded.

    Raises:
        LookupError: If there is no such run.
    """
    with DagsterInstance.get() as instance, connect(redis_url(Settings())) as client:
        run = instance.get_run_by_id(run_id)
        if run is None:
            raise LookupError(f"there is no run {run_id}: it was deleted before it began")
        reporter = reporter_of(instance, Requests(client), run)
        return _execute_run_command_body(
            run_id=run_id, instance=instance, write_stream_fn=reporter.report, set_exit_code_on_failure=True
        )


app = _make_app()
create_resume_job_task(app)


@app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True)  # type: ignore[untyped-decorator]
def _execute_job(execute_job_args_packed: Any) -> int:
    """What the launcher in dagster.yaml sends."""
    return execute_run(unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs).run_id)

"""The warm worker: a Celery application whose tasks execute Dagster runs.

Started as `python -m kpi_pipeline.worker worker`. What runs need is loaded before the worker forks its child
processes, so a run starts at once, and they share that memory. A child that a run has made large is replaced
by a new one: memory that was freed in pieces goes back to the system only with its process.
"""

import ctypes
import gc
import logging
import os
import resource
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pyarrow as pa
import redis
from celery import Celery
from celery.exceptions import OperationalError
from celery.signals import (
    heartbeat_sent,
    setup_logging,
    worker_process_init,
    worker_ready,
    worker_shutdown,
)
from dagster import DagsterEvent, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

import kpi_pipeline.definitions  # noqa: F401 - loaded before the fork, see above
from kpi_pipeline.cache.connection import FAILURES, NoRedis, connect, connect_reader, redis_url
from kpi_pipeline.cache.requests.fulfil import TRACE_TAG, tasks_of
from kpi_pipeline.cache.worker_signs import forget_worker, give_sign
from kpi_pipeline.celery_internals import held_tasks, is_started_by, is_undelivered, make_worker_app
from kpi_pipeline.compute.charts.catalogue import chart_specifications
from kpi_pipeline.dagster_internals.loading import leave_out_pandas
from kpi_pipeline.dagster_internals.logs import write_dagster_logs
from kpi_pipeline.dagster_internals.run_execution import execute_in_process, run_id_of
from kpi_pipeline.dagster_internals.step_spans import StepSpans
from kpi_pipeline.jobs import QUEUES
from kpi_pipeline.logs import log_ids
from kpi_pipeline.resources.stored_tables import WRITTEN
from kpi_pipeline.sensors.task_progress import reporter_of
from kpi_pipeline.settings import Settings
from kpi_pipeline.tracing import span, traces

WORKER_CONFIG: Final[Mapping[str, Any]] = {
    # A message is acknowledged only once its run has ended.
    "task_acks_late": True,
    # Dagster's run monitoring fails and retries a run whose process is lost.
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    "worker_max_tasks_per_child": 1000,
    "task_default_queue": "background",
    # Dagster and `fail_lost_runs` learn from this which worker executes a run.
    "task_track_started": True,
    "result_expires": 86_400,
    "broker_connection_retry_on_startup": True,
    # Redis redelivers a message that is not acknowledged for longer than the longest run.
    "broker_transport_options": {"queue_order_strategy": "priority", "visibility_timeout": 3600},
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
"""Celery's settings for the worker; the launcher in dagster.yaml shares those that concern messages."""

_GC_THRESHOLDS: Final = (50_000, 20, 50)

PRELOADED: Final = (
    "kpi_pipeline.sources.arrow_databases",
    "kpi_pipeline.compute.charts.rendering",
)
"""What runs import only when they need it."""

LOST: Final = "The worker that executed this run was lost. The run is retried; the live figures stay."

UNDELIVERED: Final = (
    "The worker that had taken this run was lost before it began. The run is retried; the live figures stay."
)

SETTLED_S: Final = 10.0
"""After so long, a message that was being sent or received is in its queue or with a worker."""

_QUEUES: Final = ("background", *sorted({*QUEUES.values()} - {"background"}))
_LOG: Final = logging.getLogger(__name__)


def fail_lost_runs(instance: DagsterInstance, celery: Celery, hostname: str) -> list[str]:
    """Fail the runs that an earlier worker of this name was executing when it was killed.

    Dagster cannot detect them: Celery still reports their tasks as started. The worker named `hostname` must
    not have started a task yet. Returns the ids of the failed runs.
    """
    under_way = RunsFilter(statuses=[DagsterRunStatus.STARTING, DagsterRunStatus.STARTED])
    lost = [run for run in instance.get_runs(under_way) if is_started_by(celery, run.tags, hostname)]
    for run in lost:
        instance.report_run_failed(run, LOST)
    return [run.run_id for run in lost]


def fail_undelivered_runs(
    instance: DagsterInstance, celery: Celery, settled_s: float = SETTLED_S
) -> list[str]:
    """Fail the runs whose messages an earlier worker took along when it was killed: none will execute them.

    Args:
        instance: Where runs are recorded.
        celery: The application of the workers.
        settled_s: How long to wait between two looks: a run is failed that is lost at both.

    Returns:
        The ids of the failed runs.
    """
    first = {run.run_id for run in _undelivered_runs(instance, celery)}
    if not first:
        return []
    time.sleep(settled_s)
    lost = [run for run in _undelivered_runs(instance, celery) if run.run_id in first]
    for run in lost:
        instance.report_run_failed(run, UNDELIVERED)
    return [run.run_id for run in lost]


def _undelivered_runs(instance: DagsterInstance, celery: Celery) -> list[DagsterRun]:
    starting = list(instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTING])))
    held = held_tasks(celery, _QUEUES) if starting else frozenset[str]()
    return [run for run in starting if is_undelivered(celery, run.tags, held)]


@setup_logging.connect  # type: ignore[untyped-decorator]
def _write_logs(**_: object) -> None:
    """Write the log as every process does; Celery then leaves logging alone."""
    write_dagster_logs(Settings().log_format, "worker")


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _tune_garbage_collection(**_: object) -> None:
    """Exclude what is loaded before the fork from garbage collection, and collect less often.

    A run creates and drops several hundred thousand small objects; scanning everything loaded each time
    took a tenth of the time to write a generation.
    """
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _when_ready(sender: Any, **_: object) -> None:
    with DagsterInstance.get() as instance:
        fail_lost_runs(instance, app, sender.hostname)
    # Not here: this worker is to answer, too, which runs it holds.
    Thread(target=_look_for_undelivered_runs, name="undelivered-runs", daemon=True).start()


def _look_for_undelivered_runs() -> None:
    try:
        with DagsterInstance.get() as instance:
            failed = fail_undelivered_runs(instance, app)
    except (OperationalError, redis.RedisError) as error:
        _LOG.warning("it is not known whether runs were lost: %s", error)
    else:
        for run_id in failed:
            _LOG.warning("run %s was lost with an earlier worker", run_id)


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def _give_sign(sender: Any, **_: object) -> None:
    # Without Redis the monitor reads none either.
    with suppress(NoRedis, *FAILURES):
        give_sign(_cache(), sender.eventer.hostname)


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _when_ended(sender: Any, **_: object) -> None:
    with suppress(NoRedis, *FAILURES):
        forget_worker(_cache(), sender.hostname)


@cache
def _cache() -> redis.Redis:
    """A client that never holds the worker up for long."""
    return connect_reader(redis_url(Settings()))


@lru_cache(maxsize=1)
def _instance(_home: str, _process: int) -> DagsterInstance:
    """One for all runs of this process: making it takes as long as a step."""
    return DagsterInstance.get()


def execute_run(run_id: str) -> int:
    """Execute a run and report its progress to the tasks that requested it; returns 0 when it succeeded.

    Raises:
        LookupError: If there is no such run.
    """
    try:
        return _execute_run(run_id)
    finally:
        give_back_memory()


def give_back_memory() -> None:
    """Give back to the system what nothing needs, and count the process's peak from what it holds then.

    By that peak Celery replaces a process: a run may need far more than what it leaves.
    """
    WRITTEN.clear()
    gc.collect()
    pa.default_memory_pool().release_unused()
    # Of another C library, or another system, there is nothing to call.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    bound, held = Settings().worker_memory_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if held > bound:
        _LOG.warning(
            "this process holds %d MiB after its run, more than KPI_WORKER_MEMORY_BYTES: another takes its "
            "place, and begins the next run without figures",
            held >> 20,
        )


def _execute_run(run_id: str) -> int:
    instance = _instance(os.environ["DAGSTER_HOME"], os.getpid())
    with connect(redis_url(Settings())) as client:
        run = instance.get_run_by_id(run_id)
        if run is None:
            raise LookupError(f"there is no run {run_id}: it was deleted before it began")
        tasks = ",".join(tasks_of(run.tags))
        traces("worker")
        with (
            log_ids(run_id=run_id, **({"task_id": tasks} if tasks else {})),
            span(f"run {run.job_name}", parent=run.tags.get(TRACE_TAG, ""), dagster_run__id=run_id),
        ):
            report, steps = reporter_of(instance, client, run).report, StepSpans()

            def watch(event: DagsterEvent) -> None:
                steps.follow(event)
                report(event)

            return execute_in_process(instance, run_id, watch)


def _make_app() -> Celery:
    settings = Settings()
    broker, backend = settings.celery_broker_url, settings.celery_result_backend
    if broker is None or backend is None:
        raise SystemExit(
            "CELERY_BROKER_URL and CELERY_RESULT_BACKEND are not set: start the worker with `kpi up`, "
            "or set both to a Redis database such as redis://127.0.0.1:6379/1"
        )
    return make_worker_app(
        broker.get_secret_value(),
        backend.get_secret_value(),
        # Celery counts in KiB. A new process begins with what it shares, some 250 MiB.
        {**WORKER_CONFIG, "worker_max_memory_per_child": settings.worker_memory_bytes // 1024},
        lambda arguments: execute_run(run_id_of(arguments)),
    )


app = _make_app()


def preload() -> None:
    """Load what the child processes are to share, and keep garbage collections from copying it."""
    leave_out_pandas()
    for module in PRELOADED:
        import_module(module)
    chart_specifications()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    preload()
    # Celery's own command imports the application with the current folder first in the path.
    app.worker_main(sys.argv[1:])

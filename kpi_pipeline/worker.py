"""The warm worker: a Celery application whose tasks execute Dagster runs.

Started as `celery -A kpi_pipeline.worker worker`. Importing the definitions here means that every
child process is forked with them loaded, which is what makes a run start at once.
"""

from typing import Final

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task, create_task

import kpi_pipeline.definitions  # noqa: F401 - loaded before the fork, see above
from kpi_pipeline.settings import Settings

QUEUES: Final = ("kpis", "dashboard", "background")
"""Queues, most urgent first."""

WORKER_CONFIG: Final = {
    # A run whose worker is lost is reported as failed by run monitoring, not executed twice.
    "task_acks_late": True,
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    "worker_max_tasks_per_child": 1000,
    "task_default_queue": "background",
    "task_track_started": True,
    "task_send_sent_event": False,
    "result_expires": 86_400,
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {"queue_order_strategy": "priority", "visibility_timeout": 3600},
    "worker_hijack_root_logger": False,
}
"""Celery settings of the worker; the launcher in dagster.yaml shares those that concern messages."""


def _make_app() -> object:
    settings = Settings()
    broker, backend = settings.celery_broker_url, settings.celery_result_backend
    if broker is None or backend is None:
        raise SystemExit(
            "CELERY_BROKER_URL and CELERY_RESULT_BACKEND are not set: start the worker by `kpi up`, "
            "or set both to a Redis database such as redis://127.0.0.1:6379/1"
        )
    return make_app(
        {
            "broker": broker.get_secret_value(),
            "backend": backend.get_secret_value(),
            "config_source": WORKER_CONFIG,
        }
    )


app = _make_app()
execute_plan = create_task(app)
execute_job = create_execute_job_task(app)
resume_job = create_resume_job_task(app)

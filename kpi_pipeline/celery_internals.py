"""The private parts of dagster-celery and Celery that the worker relies on; no other module imports them.

`tests/test_celery_internals.py` states what is relied on, and names the installed versions when that has
changed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.make_app import make_app
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_resume_job_task


def make_worker_app(
    broker: str, backend: str, config: Mapping[str, Any], execute: Callable[[Any], int]
) -> Celery:
    """The application of a worker for the tasks that dagster-celery's launcher sends.

    `execute` gets the launcher's packed arguments, and returns 0 when the run succeeded.
    """
    app: Celery = make_app(  # type: ignore[no-untyped-call]
        {"broker": broker, "backend": backend, "config_source": config}
    )
    create_resume_job_task(app)

    # Not shared: the launcher's own application has a task of this name.
    @app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True, shared=False)  # type: ignore[untyped-decorator]
    def _execute_job(execute_job_args_packed: Any) -> int:
        # The launcher passes the argument by this name.
        return execute(execute_job_args_packed)

    return app


def is_waiting(app: Celery, run_tags: Mapping[str, str]) -> bool:
    """Whether no worker has started the task of a run yet."""
    task_id = run_tags.get(DAGSTER_CELERY_TASK_ID_TAG)
    return task_id is None or bool(app.AsyncResult(task_id).state == "PENDING")


def is_started_by(app: Celery, run_tags: Mapping[str, str], hostname: str) -> bool:
    """Whether the worker of this name started the task of a run, and has not ended it."""
    task_id = run_tags.get(DAGSTER_CELERY_TASK_ID_TAG)
    if task_id is None:
        return False
    task = app.AsyncResult(task_id)
    return bool(task.state == "STARTED" and task.info.get("hostname") == hostname)

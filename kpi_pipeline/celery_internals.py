"""The private parts of dagster-celery and Celery that the worker relies on; no other module imports them.

`tests/test_celery_internals.py` states what is relied on, and names the installed versions when that has
changed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from celery import Celery
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.make_app import make_app
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_resume_job_task

ANSWER_S: Final = 3.0
"""How long workers have to say what they hold."""


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


def is_undelivered(app: Celery, run_tags: Mapping[str, str], held: frozenset[str]) -> bool:
    """Whether no worker has started the task of a run, and none will: nothing holds its message any more.

    Args:
        app: The application.
        run_tags: The run's.
        held: Of `held_tasks`, read after the run was put into its queue.
    """
    task_id = run_tags.get(DAGSTER_CELERY_TASK_ID_TAG)
    return task_id is not None and task_id not in held and is_waiting(app, run_tags)


def held_tasks(app: Celery, queues: Iterable[str]) -> frozenset[str]:
    """Ids of the tasks whose messages wait in the queues of a Redis broker, or are held by a worker that
    answers.

    A worker that is killed takes along the messages that it held, and also the one that the server sent it
    when it no longer read.
    """
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        keys = [channel._q_for_pri(queue, step) for queue in queues for step in channel.priority_steps]
        texts = [text for key in keys for text in channel.client.lrange(key, 0, -1)]
    waiting = [json.loads(text)["headers"]["id"] for text in texts]
    asked = app.control.inspect(timeout=ANSWER_S)
    answers = [*(asked.active() or {}).values(), *(asked.reserved() or {}).values()]
    return frozenset([*waiting, *(task["id"] for tasks in answers for task in tasks)])


def is_started_by(app: Celery, run_tags: Mapping[str, str], hostname: str) -> bool:
    """Whether the worker of this name started the task of a run, and has not ended it."""
    task_id = run_tags.get(DAGSTER_CELERY_TASK_ID_TAG)
    if task_id is None:
        return False
    task = app.AsyncResult(task_id)
    return bool(task.state == "STARTED" and task.info.get("hostname") == hostname)

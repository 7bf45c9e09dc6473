"""The progress of a request to the pipeline."""

from typing import Any, Final

from flask import Blueprint, Response

from kpi_pipeline.cache.requests.tasks import TaskState, TaskStatus
from kpi_pipeline.model.access import Permission
from kpi_pipeline.model.moments import as_iso
from serving.access.identity import current_identity
from serving.cache_access import Connection, current_connection
from serving.pages.addresses import run_url
from serving.pages.texts import texts_in
from serving.problem_types.figures import REQUEST_UNKNOWN
from serving.problems import RETRY, Problem
from serving.responses import browser_language, json_response

routes: Final = Blueprint("tasks", __name__)


@routes.get("/manager/dashboard/status/<task_id>")
def status(task_id: str) -> Response:
    """The state of one request."""
    connection = current_connection()
    task = connection.pipeline_client.status(task_id)
    if task is None:
        raise Problem(REQUEST_UNKNOWN)
    headers = {"Cache-Control": "no-store"}
    if task.state in (TaskState.QUEUED, TaskState.STARTED):
        headers |= RETRY
    return json_response(_described(task, connection), headers=headers)


def _described(task: TaskStatus, connection: Connection) -> dict[str, Any]:
    # Exceptions, hosts and paths are for engineers.
    is_operator = current_identity().may(Permission.OPERATE)
    return {
        "id": task.id,
        "state": task.state.value,
        "kind": task.kind.value,
        "product": task.product,
        "filter": task.filter.as_dict(),
        "scope": task.scope,
        "asked_at": as_iso(task.requested_at),
        "started_at": as_iso(task.started_at) if task.started_at else None,
        "finished_at": as_iso(task.finished_at) if task.finished_at else None,
        "progress": {"steps_done": task.progress.steps_done, "steps": task.progress.steps},
        "timings": {
            "started_s": _after(task, task.started_at),
            "computed_s": _after(task, task.progress.computed_at),
            "published_s": _after(task, task.progress.published_at),
            "finished_s": _after(task, task.finished_at),
        },
        "reason": task.reason if is_operator else _for_readers(task),
        "source_failed": task.has_source_failed,
        "rolled_back": connection.reader.live_readings().meta(task.product)["rolled_back"],
        "run_id": task.run_id,
        "run_url": run_url(task.run_id) or None if task.run_id and is_operator else None,
    }


def _for_readers(task: TaskStatus) -> str | None:
    """Why a request failed, as its page says it; None of one that did not."""
    if task.state not in (TaskState.FAILED, TaskState.EXPIRED):
        return None
    name = "refresh_source_failed" if task.has_source_failed else "refresh_failed"
    return texts_in(browser_language())[name]


def _after(task: TaskStatus, moment: float | None) -> float | None:
    """Seconds from the request until a moment; 0 where the other clock is behind."""
    return None if moment is None else max(0.0, round(moment - task.requested_at, 3))

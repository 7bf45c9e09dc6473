"""How far a request to the pipeline has come."""

from typing import Any
from urllib.parse import quote

import orjson
from flask import Blueprint, Response

from kpi_pipeline.cache.requests.tasks import TaskState, TaskStatus
from kpi_pipeline.settings import Settings
from serving.cache_access import CacheAccess
from serving.freshness import RETRY_S, iso
from serving.problem_types import REQUEST_UNKNOWN
from serving.problems import Problem


def task_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """Route of the state of one request.

    Args:
        access: The cache.
        settings: They tell where the engineers' UI shows runs.
    """
    routes = Blueprint("tasks", __name__)
    runs_url = f"{str(settings.dagster_url).rstrip('/')}/runs" if settings.dagster_url else None

    @routes.get("/manager/dashboard/status/<task_id>")
    def status(task_id: str) -> Response:
        task = access.current().pipeline_client.status(task_id)
        if task is None:
            raise Problem(REQUEST_UNKNOWN)
        headers = {"Cache-Control": "no-store"}
        if task.state in (TaskState.QUEUED, TaskState.STARTED):
            headers["Retry-After"] = str(RETRY_S)
        return Response(
            orjson.dumps(_described(task, runs_url)), headers=headers, content_type="application/json"
        )

    return routes


def _described(task: TaskStatus, runs_url: str | None) -> dict[str, Any]:
    return {
        "id": task.id,
        "state": task.state.value,
        "kind": task.kind.value,
        "product": task.product,
        "filter": task.filter.as_dict(),
        "scope": task.scope,
        "asked_at": iso(task.requested_at),
        "started_at": iso(task.started_at) if task.started_at else None,
        "finished_at": iso(task.finished_at) if task.finished_at else None,
        "progress": {"steps_done": task.progress.steps_done, "steps": task.progress.steps},
        "timings": {
            "started_s": _after(task, task.started_at),
            "computed_s": _after(task, task.progress.computed_at),
            "published_s": _after(task, task.progress.published_at),
            "finished_s": _after(task, task.finished_at),
        },
        "reason": task.reason,
        "run_id": task.run_id,
        "run_url": f"{runs_url}/{quote(task.run_id, safe='')}" if runs_url and task.run_id else None,
    }


def _after(task: TaskStatus, moment: float | None) -> float | None:
    """Seconds from asking until a moment; 0 where the other clock is behind."""
    return None if moment is None else max(0.0, round(moment - task.requested_at, 3))

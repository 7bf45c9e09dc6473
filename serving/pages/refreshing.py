"""How far the refresh has come that somebody asked for by the button of a page."""

import time
from dataclasses import dataclass
from typing import Final, Literal

from kpi_pipeline.cache.reading.reader import CacheUnavailable
from kpi_pipeline.cache.requests.tasks import TaskState
from serving.lookup import status_url
from serving.pipeline_client import PipelineClient

TASK_PARAMETER: Final = "task"
"""Names the request in the address of the page that waits for it."""

RELOAD_S: Final = 1
"""Seconds between two looks of a page that waits."""

_SEEN_S: Final = 0.5
"""So long after a flip every process reads the new generation."""


@dataclass(frozen=True, slots=True)
class Refreshing:
    """A refresh as its page shows it.

    Attributes:
        state: Whether the page is to wait, shows the new figures already, or will get none.
        status_url: Where all is told.
        steps_done: How many steps have ended.
        steps: Of how many; 0 until that is known.
    """

    state: Literal["running", "done", "failed"]
    status_url: str
    steps_done: int
    steps: int


def refreshing(pipeline_client: PipelineClient, task_id: str) -> Refreshing | None:
    """Look how far a refresh has come.

    Args:
        pipeline_client: Where it was asked.
        task_id: As the page's address names it; empty when it names none.

    Returns:
        None when nothing is known of it.
    """
    try:
        task = pipeline_client.status(task_id)
    except CacheUnavailable:
        return None
    if task is None:
        return None
    state: Literal["running", "done", "failed"] = "running"
    if task.state in (TaskState.FAILED, TaskState.EXPIRED):
        state = "failed"
    elif task.finished_at is not None and time.time() - task.finished_at >= _SEEN_S:
        state = "done"
    return Refreshing(state, status_url(task.id), task.progress.steps_done, task.progress.steps or 0)

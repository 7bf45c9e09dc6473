"""The live state of a page: how fresh its figures are, and the refresh that it follows."""

from dataclasses import dataclass
from typing import Final, Literal

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.reader import CacheUnavailable
from kpi_pipeline.cache.requests.tasks import TaskState
from serving.lookup_result import LookupResult, status_url
from serving.pages.writing import Writer
from serving.pipeline_client import PipelineClient

OFFLINE: Final = "offline"
"""The last known figures: Redis cannot be reached."""

EARLIER: Final = "earlier"
"""Figures of an earlier reading of the source than the newest: rolled back, or behind other pages."""

REFRESHING: Final = "refreshing"
"""Newer figures are being computed for whoever reads the page."""

LIVE_STATES: Final = ("fresh", EARLIER, "stale", REFRESHING, "missing", OFFLINE, "historic")
"""Every state that a page may show, each with an icon and a text `state_<name>`."""

TASK_PARAMETER: Final = "task"
"""Names the request in the address of the page that waits for it."""

RELOAD_S: Final = 1
"""Seconds between two reloads of a page that waits."""

PROPAGATION_S: Final = 0.5
"""Seconds after a flip until every process reads the new generation."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """One of `LIVE_STATES`, and its label."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Refreshing:
    """A refresh as its page shows it.

    Attributes:
        state: Whether the page waits, shows the new figures already, or will get none.
        status_url: The address of its state.
        steps_done: How many steps have ended.
        steps: Of how many; 0 until that is known.
        has_source_failed: Whether it failed because the source could not be read.
    """

    state: Literal["running", "done", "failed"]
    status_url: str
    steps_done: int
    steps: int
    has_source_failed: bool = False


def refreshing(pipeline_client: PipelineClient, task_id: str, now: float) -> Refreshing | None:
    """Read the progress of a refresh.

    Args:
        pipeline_client: To which it was submitted.
        task_id: As the page's address names it; empty when it names none.
        now: Seconds since the epoch.

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
    elif task.finished_at is not None and now - task.finished_at >= PROPAGATION_S:
        state = "done"
    progress = task.progress
    return Refreshing(
        state, status_url(task.id), progress.steps_done, progress.steps or 0, task.has_source_failed
    )


def live_state(result: LookupResult, refresh: Refreshing | None, writer: Writer) -> LiveState:
    """The state of a page when it is written; scripts keep it true afterwards."""
    texts = writer.texts
    if result.state is AnswerState.HISTORIC:
        return LiveState(result.state.value, texts["state_historic"])
    if not result.reachable:
        return LiveState(OFFLINE, texts["state_offline"])
    if refresh is not None and refresh.state == "running":
        return LiveState(REFRESHING, texts["state_refreshing"])
    if result.state is AnswerState.STALE:
        since = writer.formats.since(result.entry.fresh_until, result.now)
        return LiveState(result.state.value, texts["state_stale"].format(moment=since))
    is_earlier = result.readings.is_earlier(result.entry.product)
    name = EARLIER if result.state is AnswerState.FRESH and is_earlier else result.state.value
    return LiveState(name, texts[f"state_{name}"])

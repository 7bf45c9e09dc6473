"""How the figures of a page stand to the present: one word for its heading and for each card."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.cache.manifest import AnswerState
from serving.lookup import LookupResult
from serving.pages.refreshing import Refreshing
from serving.pages.writing import Writer

OFFLINE: Final = "offline"
"""The last known figures: Redis cannot be reached."""

REFRESHING: Final = "refreshing"
"""Newer figures are being computed for whoever reads the page."""

LIVE_STATES: Final = ("fresh", "stale", REFRESHING, "missing", OFFLINE, "historic")
"""Every state that a page may show, each with an icon and a text `state_<name>`."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """One of `LIVE_STATES`, and its words."""

    name: str
    words: str


def live_state(result: LookupResult, refresh: Refreshing | None, writer: Writer) -> LiveState:
    """The state of a page when it is written; scripts keep it true afterwards.

    Args:
        result: Its figures.
        refresh: The refresh that the page follows; None when it follows none.
        writer: In the language of the page.
    """
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
    return LiveState(result.state.value, texts[f"state_{result.state.value}"])

"""Bridges between days that readers chose, added to what is live from the standings that are kept."""

import time
from collections.abc import Iterator, Sequence
from datetime import date

from kpi_pipeline.assets.bridge_documents import KeptPair, bridge_documents
from kpi_pipeline.assets.bridges import bridge_index
from kpi_pipeline.cache.bridges import BridgeIndex
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import TaskStatus
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings


class NotKept(RuntimeError):
    """A bridge cannot be computed for the live generation; the message says why and what to do."""


def add_bridges(scope: str, waiting: Sequence[TaskStatus], cache: CacheResource) -> str | None:
    """Add the bridges that readers of a scope wait for to what is live for them.

    What a day's standings no longer are fails with the reason. Where nothing live can be shown, all wait for
    a refresh.

    Args:
        scope: The readers' scope: the standings of their own certificates alone are read.
        waiting: Their requests.
        cache: Where bridges are added.

    Returns:
        The generation to which they are added; None where they wait for a refresh.

    Raises:
        SumTooLarge: If amounts sum to more than 64 bits.
        OSError: If standings cannot be read.
    """
    live = Publisher(cache.client, scope).live(LISTED_WITH)
    if (
        live is None
        or live.schema_version != SCHEMA_VERSION
        or live.state_at(time.time()) is AnswerState.EXPIRED
    ):
        for task in waiting:
            RunTasks(cache.client).hand_on(task.id, needs_refresh=True)
        return None
    index = bridge_index(Publisher(cache.client, scope), live)
    for task in waiting:
        if task.days is None:
            continue
        try:
            documents = dict(_documents(index, *task.days))
        except NotKept as error:
            Requests(cache.client).finished(task.id, False, str(error))
            continue
        Additions(cache.client).add_bridge(live.generation, documents)
    return live.generation


def _documents(index: BridgeIndex, opens_on: date, closes_on: date) -> Iterator[tuple[str, bytes]]:
    pair, kept = _pair(index, opens_on, closes_on), KeptStandings.of(index.standings)
    return bridge_documents(kept, [pair], index.window_months)


def _pair(index: BridgeIndex, opens_on: date, closes_on: date) -> KeptPair:
    """The standings of two days, as a generation has them; raises `NotKept`."""
    bridge = index.between(opens_on, closes_on)
    if bridge is None or opens_on >= closes_on:
        raise NotKept(f"no bridge leads from {opens_on} to {closes_on}: choose among the days that are kept")
    opening, closing = (_kept_day(index, day) for day in (opens_on, closes_on))
    return KeptPair(bridge.source, opening, closing)


def _kept_day(index: BridgeIndex, day: date) -> KeptDay:
    digest = next(one.digest for one in index.days if one.day == day)
    kept = KeptStandings.of(index.standings).load(day)
    if kept is None or kept.digest != digest:
        raise NotKept(
            f"the standings of {day} are no longer those of the live generation: refresh the dashboards, "
            "then choose the days again"
        )
    return kept

"""What readers wait for, added to what is live from its own reading: the source is not read."""

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from dagster import AssetDep, AssetExecutionContext, MaterializeResult, MetadataValue, asset

from kpi_pipeline.assets.added_bridges import add_bridges
from kpi_pipeline.assets.figures import cube_of_reading
from kpi_pipeline.assets.reuse import basis_digest
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import publication
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.requests.fulfil import awaited_tasks, tasks_of
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskStatus
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource

_TRIES: Final = 3
"""How often to begin again where another generation has gone live meanwhile."""

_SEALED: Final = (
    "{product} is rolled back, and the roll-up of its reading is not kept: only precomputed filters can be "
    "shown until `kpi warm` ends the rollback"
)


@asset(
    deps=[AssetDep(f"live_{product}") for product in PRODUCTS],
    group_name="additions",
    owners=["team:data-engineering"],
    kinds={"numpy", "redis"},
    description="What readers wait for, from the live reading, added to what is live.",
)
def added_answers(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> MaterializeResult[None]:
    """Add the awaited answers of every product, and the awaited bridges.

    What cannot be computed from the live reading waits for a refresh of its product instead; of a product
    that was rolled back it fails, and serving then refuses what the generation lacks.
    """
    started = time.perf_counter()
    run_tasks, client = RunTasks(cache.client), cache.client
    run_tasks.begin_reading(context.run_id, tasks_of(context.run.tags))
    place = attrgetter("product", "scope")
    awaited = sorted(awaited_tasks(context.run_id, context.run.tags, client), key=place)
    report: dict[str, Mapping[str, Any]] = {}
    bridges = (task for task in awaited if task.kind is RequestKind.BRIDGE)
    for (product, scope), tasks in groupby(bridges, key=place):
        asked = list(tasks)
        report[f"bridges of {publication(product, scope)}"] = {
            "days": [" / ".join(map(str, task.days or ())) for task in asked],
            "generation": add_bridges(scope, asked, cache),
        }
    answers = (task for task in awaited if task.kind is RequestKind.WARM)
    for (product, scope), tasks in groupby(answers, key=place):
        waiting = list(tasks)
        live = _add(product, scope, list(dict.fromkeys(task.filter for task in waiting)), source, cache)
        if live is None:
            for task in waiting:
                run_tasks.hand_on(task.id, needs_refresh=True)
        elif live.rolled_back_at is not None:
            _refuse_what_is_lacking(live, waiting, cache)
        report[publication(product, scope)] = {
            "filters": [task.filter.as_dict() for task in waiting],
            "generation": None if live is None else live.generation,
            "outcome": "wait for a refresh" if live is None else "added",
        }
    seconds = round(time.perf_counter() - started, 3)
    return MaterializeResult(metadata={"products": MetadataValue.json(report), "seconds": seconds})


def _add(
    product: str, scope: str, requested: Sequence[Filter], source: SourceResource, cache: CacheResource
) -> ManifestEntry | None:
    """Add answers to the live generation of a product for a scope, unless it has them.

    Returns:
        Its entry; None where only a refresh can give the answers.
    """
    publisher, additions = Publisher(cache.client, scope), Additions(cache.client)
    for _ in range(_TRIES):
        live = publisher.live(product)
        if (
            live is None
            or live.schema_version != SCHEMA_VERSION
            or live.state_at(time.time()) is AnswerState.EXPIRED
        ):
            return None
        if publisher.holds_all(live, requested):
            return live
        cube, described = cube_of_reading(live, source.window_months(), source.thresholds())
        if cube is None or basis_digest(product, cube, described) != live.basis:
            # What was rolled back to is not refreshed.
            return live if live.rolled_back_at is not None else None
        additions.add(product, live.generation, payloads(product, [cube.select(requested)]))
        present = publisher.live(product)
        if present is not None and present.generation == live.generation:
            return live
    return None


def _refuse_what_is_lacking(live: ManifestEntry, waiting: Sequence[TaskStatus], cache: CacheResource) -> None:
    """Fail the requests that a generation which was rolled back to does not answer."""
    publisher, requests = Publisher(cache.client), Requests(cache.client)
    lacking = [task for task in waiting if not publisher.holds_all(live, [task.filter])]
    if lacking:
        publisher.seal(live.generation)
    for task in lacking:
        requests.finished(task.id, False, _SEALED.format(product=live.product))

"""A generation that was rolled back to lives on as long as it is whole, or its reading is kept."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from dagster import DagsterRun

from kpi_pipeline.assets.rolled_back import kept_entry
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import payload_key, variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from tests.cache.conftest import Newsroom


@pytest.fixture
def client(demo_home: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


@pytest.fixture
def live(client: redis.Redis) -> ManifestEntry:
    """A generation that was rolled back to."""
    newsroom = Newsroom(client)
    newsroom.publish(EVERYTHING, mark=1)
    newsroom.publish(EVERYTHING, mark=2)
    return Rollback(client).roll_back(["kpis"]).products["kpis"]


def test_without_its_reading_what_is_lost_cannot_be_computed(client, live) -> None:
    assert left(live) == (live, [])
    client.delete(payload_key(live.generation, variant_key("kpis", EVERYTHING)))
    assert left(live) == (None, [])


def test_after_an_upgrade_what_was_rolled_back_is_published_anew(live) -> None:
    # Readers of this version cannot be shown it.
    assert left(replace(live, schema_version=SCHEMA_VERSION - 1)) == (None, [])


def left(live: ManifestEntry) -> tuple[ManifestEntry | None, list[str]]:
    """What a run that reads what was rolled back from leaves."""
    return kept_entry(
        live,
        str(live.rolled_back_from),
        live.fence,
        DagsterRun(job_name="refresh_kpis"),
        SourceResource(),
        CacheResource(),
        expires_at=live.stale_until,
        extend_lease=lambda: None,
    )

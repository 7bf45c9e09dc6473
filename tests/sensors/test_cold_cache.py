"""A cache that lost what was live is restored, and one that never had anything is filled."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance, RunRequest, SensorResult, SkipReason

from kpi_pipeline.cache.keys import HISTORY_KEY, members_key
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.publisher import Flip
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors import cold_cache as module
from kpi_pipeline.sensors.cold_cache import cold_cache

from .conftest import Tick, TicksOf

pytestmark = pytest.mark.slow


@pytest.fixture
def server(published: Path):
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


@pytest.fixture
def tick(ticks_of: TicksOf) -> Tick:
    return ticks_of(cold_cache)


def requested(result: SensorResult | SkipReason) -> list[RunRequest]:
    return list(result.run_requests or []) if isinstance(result, SensorResult) else []


def execute(job: str, instance: DagsterInstance) -> bool:
    return bool(defs.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False).success)


def rebuilds(requests: Requests) -> set[str]:
    return {request.product for request in requests.pending("test", 100)}


def test_a_clock_that_was_set_back_holds_no_restoration_up(server: redis.Redis, ticks_of: TicksOf) -> None:
    server.flushall()
    noted = ticks_of(cold_cache)().cursor
    assert noted is not None
    ahead = json.dumps({**json.loads(noted), "at": time.time() + 3600})
    assert len(requested(ticks_of(cold_cache, ahead)())) == 1


def test_a_flushed_cache_is_restored_once_and_again_when_flushed_again(
    server: redis.Redis, instance, tick: Tick, requests: Requests
) -> None:
    assert requested(tick()) == []
    for _ in range(2):
        server.flushall()
        (request,) = requested(tick())
        assert "kpis: the manifest has no entry" in request.tags["kpi/lost"]
        assert requested(tick()) == []
        assert execute("restore_cache", instance)
        assert tick().skip_reason.skip_message == "nothing is lost"
        assert rebuilds(requests) == set(PRODUCTS)


def test_a_lost_history_is_restored(server: redis.Redis, instance, tick: Tick) -> None:
    resource = CacheResource()
    history = History(resource.client)
    live = CacheReader(server, poll_s=0).manifest()["kpis"]
    assert history.keep(live) is Flip.LIVE
    resource.month_end_archive.store(live)
    assert requested(tick()) == []
    server.delete(HISTORY_KEY)
    (request,) = requested(tick())
    assert request.tags["kpi/lost"] == "month ends: the history is gone"
    assert execute("restore_cache", instance)
    assert history.entries() == [live]
    assert tick().skip_reason.skip_message == "nothing is lost"


def test_evicted_keys_are_seen(server: redis.Redis, instance, tick: Tick) -> None:
    live = CacheReader(server, poll_s=0).manifest()["charts"]
    keys = list(server.smembers(members_key(live.generation)))
    server.unlink(*keys[::2])
    (request,) = requested(tick())
    assert request.tags["kpi/lost"] == (
        f"charts: {len(keys[::2])} of {len(keys)} keys of {live.generation} are gone"
    )


def test_a_restoration_under_way_is_waited_for(server: redis.Redis, instance, tick: Tick) -> None:
    server.flushall()
    instance.create_run_for_job(defs.resolve_job_def("restore_cache"))
    skipped = tick()
    assert isinstance(skipped, SkipReason)
    assert "under way" in str(skipped.skip_message)


def test_what_could_not_be_mended_is_tried_again_only_after_a_while(
    server: redis.Redis, instance, tick: Tick, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frames in (published / "storage" / "archive").rglob("*.frames"):
        os.truncate(frames, 100)
    server.flushall()
    assert len(requested(tick())) == 1
    assert not execute("restore_cache", instance)
    assert requested(tick()) == []
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    assert len(requested(tick())) == 1


def test_without_an_archive_rebuilds_are_asked_for(
    server: redis.Redis, instance, tick: Tick, published: Path, requests: Requests
) -> None:
    shutil.rmtree(published / "storage" / "archive")
    server.flushall()
    assert requested(tick()) == []
    assert rebuilds(requests) == set(PRODUCTS)


def test_nothing_is_asked_for_while_the_first_run_is_at_work(
    instance, tick: Tick, requests: Requests
) -> None:
    instance.create_run_for_job(defs.resolve_job_def("refresh_all"))
    assert requested(tick()) == []
    assert rebuilds(requests) == set()


def test_before_a_source_is_chosen_there_is_nothing_to_do(
    requests: Requests, tick: Tick, demo_home: Path
) -> None:
    (demo_home / "source.toml").unlink()
    assert "kpi load" in str(tick().skip_reason.skip_message)
    assert rebuilds(requests) == set()


def test_a_server_that_does_not_answer_is_told(
    demo_home: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:s3cret@127.0.0.1:1/0")
    skipped = tick()
    assert isinstance(skipped, SkipReason)
    assert "does not answer" in str(skipped.skip_message)
    assert "s3cret" not in str(skipped.skip_message)

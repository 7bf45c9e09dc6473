"""What is live is kept on disk, and comes back when Redis has lost it, without the source."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from dagster import AssetKey, DagsterInstance

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import members_key
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING

pytestmark = pytest.mark.slow


@pytest.fixture
def server(demo_home: Path):
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


def told(instance: DagsterInstance, product: str) -> dict[str, object]:
    event = instance.get_latest_materialization_event(AssetKey(f"archived_{product}"))
    return {name: held.value for name, held in event.asset_materialization.metadata.items()}


def rebuilds_asked_for(url: str) -> set[str]:
    with connect(url) as client:
        return {request.product for request in Requests(client).pending("test", 100)}


def generations(reader: CacheReader) -> dict[str, str]:
    return {product: entry.generation for product, entry in reader.manifest().items()}


def served(reader: CacheReader) -> dict[str, object]:
    return {product: reader.answer(product, EVERYTHING).payload.data() for product in PRODUCTS}


def test_each_publication_is_archived_after_it_is_live(demo_home: Path, run, read, instance) -> None:
    result = run()
    assert result.success
    entries = read().manifest()
    for product in PRODUCTS:
        held = told(instance, product)
        assert (held["generation"], held["outcome"]) == (entries[product].generation, "archived")
        assert held["bytes"] > entries[product].bytes
    steps = [event.step_key for event in result.all_events if event.is_step_success]
    assert {step.split("_")[0] for step in steps[-len(PRODUCTS) :]} == {"archived"}


def test_a_cache_flushed_while_serving_is_served_again_without_the_source(
    published: Path, server: redis.Redis, run, read, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = read()
    live, before = generations(serving), served(serving)
    monkeypatch.setenv("KPI_SOURCE_URL", "sqlite:////nowhere/gone.db")
    server.flushall()
    with pytest.raises(NothingPublished):
        read().answer("kpis", EVERYTHING)
    assert run("restore_cache").success
    assert (generations(serving), served(serving)) == (live, before)
    assert (generations(read()), served(read())) == (live, before)
    assert rebuilds_asked_for(os.environ["REDIS_URL"]) == set(PRODUCTS)


def test_half_of_the_keys_evicted_are_back(published: Path, server: redis.Redis, run, read) -> None:
    before = served(read())
    for product, entry in read().manifest().items():
        if product != "charts":
            server.unlink(*list(server.smembers(members_key(entry.generation)))[::2])
    assert run("restore_cache").success
    assert served(read()) == before
    # What has lost nothing is left alone.
    assert rebuilds_asked_for(os.environ["REDIS_URL"]) == set(PRODUCTS) - {"charts"}


def test_a_truncated_archive_is_an_alarm_and_the_one_before_is_restored(
    demo_home: Path, server: redis.Redis, run, read
) -> None:
    assert run().success
    older = read().manifest()["kpis"]
    assert run("refresh_kpis", tags={"kpi/rebuild": "always"}).success
    newer = read().manifest()["kpis"]
    frames = demo_home / "storage" / "archive" / "kpis" / f"{newer.generation}.frames"
    os.truncate(frames, frames.stat().st_size // 2)
    server.flushall()
    assert run("restore_cache").success
    assert read().manifest()["kpis"] == older
    assert server.hget("kpi:metrics:alarms", "archive_corrupt") == b"1"
    assert server.hget("kpi:metrics:alarms", "cache_lost") == str(len(PRODUCTS)).encode()


def test_what_cannot_be_restored_fails_the_run_and_is_rebuilt(
    published: Path, server: redis.Redis, run, read, failure
) -> None:
    shutil.rmtree(published / "storage" / "archive" / "charts")
    server.flushall()
    assert "charts (the manifest has no entry that can be read): not archived" in failure(
        run("restore_cache")
    )
    assert set(read().manifest()) == set(PRODUCTS) - {"charts"}
    assert rebuilds_asked_for(os.environ["REDIS_URL"]) == set(PRODUCTS)


def test_a_whole_cache_is_left_alone(published: Path, server: redis.Redis, run, read) -> None:
    before = read().manifest()
    assert run("restore_cache").success
    assert read().manifest() == before
    assert rebuilds_asked_for(os.environ["REDIS_URL"]) == set()


def test_restoration_and_a_fresh_publication_at_once_end_with_the_fresh_one(
    published: Path, server: redis.Redis, read
) -> None:
    old = read().manifest()
    server.flushall()
    start = threading.Barrier(2)

    def at_once(job: str) -> bool:
        # Each with an instance of its own: one in memory is not for two threads.
        with DagsterInstance.ephemeral() as own:
            start.wait(10)
            result = defs.resolve_job_def(job).execute_in_process(instance=own, raise_on_error=False)
        return bool(result.success)

    with ThreadPoolExecutor(2) as pool:
        restored, refreshed = pool.map(at_once, ("restore_cache", "refresh_all"))
    assert refreshed
    assert restored
    entries = read().manifest()
    assert all(entries[product].fence > old[product].fence for product in PRODUCTS)
    assert {read().answer(product, EVERYTHING).state for product in PRODUCTS} == {AnswerState.FRESH}


def test_without_room_on_disk_the_refresh_succeeds_and_an_alarm_is_raised(
    demo_home: Path, server: redis.Redis, run, read, instance
) -> None:
    (demo_home / "storage").mkdir(parents=True)
    (demo_home / "storage" / "archive").write_text("in the way")
    assert run("refresh_kpis").success
    assert "kpis" in read().manifest()
    assert str(told(instance, "kpis")["outcome"]).startswith("not archived: ")
    assert server.hget("kpi:metrics:alarms", "archive_failed") == b"1"


def test_an_unchanged_generation_is_archived_as_fresh_as_it_is(
    demo_home: Path, server: redis.Redis, run, read, instance
) -> None:
    assert run().success
    whole = told(instance, "kpis")["bytes"]
    assert run("refresh_kpis").success
    assert told(instance, "kpis")["bytes"] < whole / 10
    entry = read().manifest()["kpis"]
    server.flushall()
    assert run("restore_cache").success
    assert read().manifest()["kpis"] == entry

"""What Redis lost comes back as it was, and never in the place of something newer."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import CATALOGUE, MANIFEST_KEY, members_key, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.publishing.integrity import IntegrityCheck
from kpi_pipeline.cache.publishing.restoration import Outcome, Restoration, Restored
from kpi_pipeline.model.filters import EVERYTHING, Filter

MANY = tuple(Filter.of({"client": f"client {number}"}) for number in range(600))


@pytest.fixture
def archive(client: redis.Redis, tmp_path: Path) -> Archive:
    return Archive(client, tmp_path)


def restore(client: redis.Redis, archive: Archive) -> Restored:
    return Restoration(client, archive).restore("kpis", time.time())


def live(client: redis.Redis) -> ManifestEntry:
    return ManifestEntry.from_json(client.hget(MANIFEST_KEY, "kpis"))


def contents(client: redis.Redis, entry: ManifestEntry) -> dict[bytes, bytes]:
    return {key: client.get(key) for key in client.smembers(members_key(entry.generation))}


def test_a_flushed_generation_is_back_as_old_as_it_was(newsroom, client, archive: Archive) -> None:
    entry = newsroom.publish(*MANY, computed_at=time.time() - 30, verified_at=time.time() - 20)
    archive.store(entry)
    before, expiry = contents(client, entry), client.expiretime(members_key(entry.generation))
    client.flushall()
    assert restore(client, archive) == Restored(Outcome.RESTORED, entry.generation, 601, ())
    assert live(client) == entry
    assert contents(client, entry) == before
    assert {client.expiretime(key) for key in (*before, members_key(entry.generation))} == {expiry}
    assert IntegrityCheck(client).of("kpis", time.time()) is None


def test_evicted_keys_of_the_live_generation_are_written_again(newsroom, client, archive: Archive) -> None:
    entry = newsroom.publish(*MANY)
    archive.store(entry)
    before = contents(client, entry)
    # Verified since: the manifest is ahead of the archive, and stays so.
    verified = replace(entry, fence=newsroom.publisher.next_fence(), fresh_until=entry.fresh_until + 1)
    newsroom.publisher.flip(verified)
    client.expireat(members_key(entry.generation), int(entry.stale_until) + 5000)
    client.unlink(*list(before)[::2])
    assert restore(client, archive).outcome is Outcome.RESTORED
    assert live(client) == verified
    assert contents(client, entry) == before
    assert client.expiretime(next(iter(before))) == int(entry.stale_until) + 5000


def test_garbage_in_the_place_of_a_payload_is_overwritten(newsroom, client, archive: Archive) -> None:
    entry = newsroom.publish(*MANY)
    archive.store(entry)
    catalogue = payload_key(entry.generation, CATALOGUE)
    whole = client.get(catalogue)
    client.set(catalogue, b"garbage", keepttl=True)
    client.hdel(MANIFEST_KEY, "kpis")
    assert restore(client, archive).outcome is Outcome.RESTORED
    assert client.get(catalogue) == whole


@pytest.mark.parametrize("harm", ["cut", "gone", "entry"])
def test_a_damaged_archive_is_told_and_the_one_before_restored(
    newsroom, client, archive: Archive, tmp_path: Path, harm: str
) -> None:
    older, newer = newsroom.publish(EVERYTHING, mark=1), newsroom.publish(EVERYTHING, mark=2)
    archive.store(older)
    archive.store(newer)
    frames = tmp_path / "kpis" / f"{newer.generation}.frames"
    if harm == "gone":
        frames.unlink()
    else:
        harmed = frames if harm == "cut" else frames.with_suffix(".entry")
        harmed.write_bytes(harmed.read_bytes()[:-9])
    client.flushall()
    restored = restore(client, archive)
    assert (restored.outcome, restored.generation) == (Outcome.RESTORED, older.generation)
    assert newer.generation in restored.problems[0]
    assert live(client) == older
    assert list(client.scan_iter(f"kpi:v:{newer.generation}:*")) == []


def test_expired_figures_are_not_restored(newsroom, client, archive: Archive) -> None:
    long_ago = time.time() - 10_000
    archive.store(newsroom.publish(EVERYTHING, computed_at=long_ago, verified_at=long_ago))
    client.flushall()
    assert restore(client, archive).outcome is Outcome.NOT_ARCHIVED
    assert client.keys("kpi:*") == []


def test_figures_of_another_schema_are_not_restored(newsroom, client, archive: Archive) -> None:
    archive.store(newsroom.publish(EVERYTHING, schema_version=0))
    client.flushall()
    assert restore(client, archive).outcome is Outcome.NOT_ARCHIVED


def test_a_later_reading_of_the_source_is_never_replaced(newsroom, client, archive: Archive) -> None:
    archive.store(newsroom.publish(EVERYTHING, mark="old"))
    client.flushall()
    newer = newsroom.publish(EVERYTHING, mark="new")
    client.unlink(members_key(newer.generation))
    assert restore(client, archive).outcome is Outcome.SUPERSEDED
    assert live(client) == newer


def test_a_publication_amid_the_restoration_wins(
    newsroom, client, archive: Archive, cache_url, tmp_path: Path
) -> None:
    old = newsroom.publish(*MANY, mark="old")
    archive.store(old)
    client.flushall()
    begun = threading.Event()
    staged = newsroom.stage(EVERYTHING, mark="new")
    newer = newsroom.entry(staged, fence=newsroom.publisher.next_fence())

    class Interrupted(Archive):
        """An archive during whose reading a newer generation is published."""

        def frames(self, entry: ManifestEntry):
            batches = super().frames(entry)
            yield next(batches)
            begun.set()
            publishing.result(10)
            yield from batches

    def publish() -> None:
        assert begun.wait(10)
        newsroom.publisher.flip(newer)

    with connect(cache_url) as other, ThreadPoolExecutor(1) as aside:
        publishing = aside.submit(publish)
        restored = restore(other, Interrupted(other, tmp_path))
    assert restored.outcome is Outcome.SUPERSEDED
    assert live(client) == newer
    assert list(client.scan_iter(f"kpi:v:{old.generation}:*", count=1000)) == []


def test_a_full_server_leaves_nothing_half_restored_live(newsroom, client, archive: Archive) -> None:
    entry = newsroom.publish(*MANY)
    archive.store(entry)
    client.flushall()
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 60_000)
    try:
        with pytest.raises(redis.ResponseError, match=r"OOM|maxmemory"):
            restore(client, archive)
    finally:
        client.config_set("maxmemory", 0)
    assert client.hget(MANIFEST_KEY, "kpis") is None
    assert restore(client, archive).outcome is Outcome.RESTORED

"""Publication on real servers: only complete generations go live, the newest reading wins."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.cache.agreements import publish_agreement, release
from kpi_pipeline.cache.codec import decode, encode
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import (
    CATALOGUE,
    FENCE_KEY,
    MANIFEST_KEY,
    REPLACED_KEY,
    manifest_key,
    members_key,
    new_generation,
    payload_key,
    variant_key,
)
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.copies import Reusable
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher, Staged
from kpi_pipeline.model.agreement import Agreement
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.examples import examples

MANY = tuple(Filter.of({"client": f"client {number}"}) for number in range(700))


def live(client: redis.Redis, product: str = "kpis") -> ManifestEntry | None:
    text = client.hget(MANIFEST_KEY, product)
    return None if text is None else ManifestEntry.from_json(text)


def held(client: redis.Redis, generation: str) -> int:
    """How many payload keys of a generation exist."""
    return sum(1 for _ in client.scan_iter(f"kpi:v:{generation}:*", count=1000))


def without_expiry(client: redis.Redis) -> set[bytes]:
    return {key for key in client.scan_iter("*", count=1000) if client.ttl(key) < 0}


def frames(client: redis.Redis, generation: str) -> dict[str, bytes]:
    """What a generation holds, by what it answers."""
    keys = client.smembers(members_key(generation))
    return {key.decode().rpartition(":")[2]: client.get(key) for key in keys}


def reusing(newsroom, origin: str, *filters: Filter, rewritten: tuple[Filter, ...] = ()) -> Staged:
    """A generation of answers that are taken over from another, and some that are new."""
    return newsroom.publisher.stage(
        "kpis",
        new_generation("kpis", datetime.now(UTC)),
        [(filter_, {"of": filter_.as_dict(), "mark": "anew"}) for filter_ in rewritten],
        {"dimensions": [], "mark": "anew"},
        expires_at=time.time() + 9000,
        unchanged=Reusable(origin, filters),
    )


def test_a_staged_generation_holds_each_answer_and_the_catalogue(each_newsroom, each_client) -> None:
    acme = Filter.of({"client": "ACME"})
    staged = each_newsroom.stage(EVERYTHING, acme, mark="m", catalogue={"dimensions": ["d"]})
    assert staged.variants == 2
    frames = {
        variant: each_client.get(payload_key(staged.generation, variant))
        for variant in (CATALOGUE, variant_key("kpis", EVERYTHING), variant_key("kpis", acme))
    }
    assert staged.bytes == sum(len(frame) for frame in frames.values())
    body = orjson.loads(decode(frames[variant_key("kpis", acme)]).body("identity", {"state": "fresh"}))
    assert body == {
        "data": {"of": {"client": ["ACME"]}, "mark": "m"},
        "meta": {"product": "kpis", "filter": {"client": ["ACME"]}, "scope": "all", "state": "fresh"},
    }
    assert decode(frames[CATALOGUE]).data() == {"dimensions": ["d"]}
    assert each_newsroom.publisher.verify(staged) == []


def test_scopes_have_their_own_payloads(newsroom, client) -> None:
    generation = new_generation("kpis", datetime.now(UTC), "north")
    answers = [(EVERYTHING, {"x": 1})]
    with pytest.raises(ValueError, match="not of the scope"):
        newsroom.publisher.stage("kpis", generation, answers, {}, time.time() + 60)
    Publisher(client, "north").stage("kpis", generation, answers, {}, time.time() + 60)
    assert not client.exists(payload_key(generation, variant_key("kpis", EVERYTHING)))
    assert client.exists(payload_key(generation, variant_key("kpis", EVERYTHING, "north")))


def test_the_manifest_of_a_scope_expires_with_its_generation_from_the_flip_on(
    each_newsroom, each_client, monkeypatch
) -> None:
    publisher = Publisher(each_client, "north")
    generation = new_generation("kpis", datetime.now(UTC), "north")
    staged = publisher.stage("kpis", generation, [(EVERYTHING, {"x": 1})], {}, time.time() + 60)

    def die(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError("the writer dies")

    monkeypatch.setattr(each_client, "expireat", die)
    with suppress(redis.ConnectionError):
        publisher.flip(each_newsroom.entry(staged, fence=1))
    assert each_client.expiretime(manifest_key("north")) == each_client.expiretime(members_key(generation))


def test_every_staged_key_expires_when_told(each_newsroom, each_client) -> None:
    generation = new_generation("kpis", datetime.now(UTC))
    expires_at = time.time() + 5000
    payloads = [(filter_, {"x": 1}) for filter_ in MANY]
    each_newsroom.publisher.stage("kpis", generation, payloads, {}, expires_at)
    keys = list(each_client.scan_iter("kpi:*", count=1000))
    assert len(keys) == len(MANY) + 2
    assert {each_client.expiretime(key) for key in keys} <= {int(expires_at), int(expires_at) + 1}


def test_a_crash_before_the_flip_changes_nothing_live_and_leaves_nothing_forever(
    each_newsroom, each_client
) -> None:
    before = each_newsroom.publish(*MANY)
    each_newsroom.stage(*MANY)
    assert live(each_client) == before
    assert without_expiry(each_client) == {MANIFEST_KEY.encode(), FENCE_KEY.encode()}


KILLED = """
import sys, time
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.model.filters import Filter

def payloads():
    for number in range(100_000):
        if number == 600:
            print("written", flush=True)
            time.sleep(600)
        yield Filter.of({"client": f"client {number}"}), {"x": number}

Publisher(connect(sys.argv[1])).stage("kpis", "killed", payloads(), {}, time.time() + 600)
"""


def test_a_publisher_killed_while_writing_leaves_the_live_generation(
    each_cache_url, each_newsroom, each_client
) -> None:
    before = each_newsroom.publish(EVERYTHING)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, each_cache_url], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.kill()
    assert held(each_client, "killed") > 0
    assert live(each_client) == before
    assert without_expiry(each_client) == {MANIFEST_KEY.encode(), FENCE_KEY.encode()}
    entry = each_newsroom.entry(each_newsroom.stage(), fence=each_newsroom.publisher.next_fence())
    assert each_newsroom.publisher.flip(entry) is Flip.LIVE


def test_a_stale_fence_is_refused(each_newsroom, each_client) -> None:
    early, late = each_newsroom.publisher.next_fence(), each_newsroom.publisher.next_fence()
    slow, fast = each_newsroom.stage(), each_newsroom.stage()
    winner = each_newsroom.entry(fast, fence=late)
    assert each_newsroom.publisher.flip(winner) is Flip.LIVE
    assert each_newsroom.publisher.flip(each_newsroom.entry(slow, fence=early)) is Flip.SUPERSEDED
    assert live(each_client) == winner
    assert held(each_client, slow.generation) == 2
    assert each_newsroom.publisher.discard(slow)
    assert held(each_client, slow.generation) == 0


def test_nothing_of_a_revoked_run_goes_live(each_newsroom, each_client) -> None:
    before = each_newsroom.publish()
    entry = each_newsroom.entry(each_newsroom.stage(), fence=each_newsroom.publisher.next_fence())
    Leases(each_client).revoke("terminated")
    assert each_newsroom.publisher.flip(entry, by="terminated") is Flip.REVOKED
    assert live(each_client) == before
    assert each_newsroom.publisher.flip(entry, by="another") is Flip.LIVE
    # What a run had published before it was terminated may still be rolled back to.
    assert each_newsroom.publisher.flip(replace(before, fence=entry.fence + 1)) is Flip.LIVE


def test_a_product_that_is_held_keeps_its_live_generation(each_newsroom, each_client) -> None:
    before = each_newsroom.publish(EVERYTHING)
    publish_agreement(each_client, Agreement("kpis", before.generation, 1.0, 1, 1, 1, too_large=0))
    entry = each_newsroom.entry(each_newsroom.stage(EVERYTHING), fence=before.fence + 1)
    assert each_newsroom.publisher.flip(entry, by="run") is Flip.HELD
    assert live(each_client) == before
    # It may be confirmed, and somebody may go back to another one.
    confirmed = replace(before, fence=before.fence + 1)
    assert each_newsroom.publisher.flip(confirmed, by="run") is Flip.LIVE
    assert each_newsroom.publisher.flip(replace(entry, fence=entry.fence + 1)) is Flip.LIVE
    assert release(each_client, "kpis")
    entry = each_newsroom.entry(each_newsroom.stage(EVERYTHING), fence=entry.fence + 2)
    assert each_newsroom.publisher.flip(entry, by="run") is Flip.LIVE


def test_an_equal_fence_is_allowed(each_newsroom, each_client) -> None:
    first = each_newsroom.entry(each_newsroom.stage(), fence=7)
    second = each_newsroom.entry(each_newsroom.stage(), fence=7)
    assert [each_newsroom.publisher.flip(entry) for entry in (first, second)] == [Flip.LIVE, Flip.LIVE]
    assert live(each_client).generation == second.generation
    assert live(each_client).previous == (first.generation,)


def test_fences_of_one_product_do_not_bind_another(newsroom, client) -> None:
    newsroom.publisher.flip(newsroom.entry(newsroom.stage(), fence=9))
    other = newsroom.entry(newsroom.stage(product="charts"), fence=3)
    assert newsroom.publisher.flip(other) is Flip.LIVE
    assert live(client, "charts") == other


def test_two_replaced_generations_stay_and_older_ones_go_with_their_key_set(
    each_newsroom, each_client
) -> None:
    entries = [each_newsroom.publish(*MANY, mark=number) for number in range(5)]
    generations = [entry.generation for entry in entries]
    assert live(each_client).previous == (generations[3], generations[2])
    assert [held(each_client, generation) for generation in generations] == [0, 0, 701, 701, 701]
    assert [each_client.exists(members_key(generation)) for generation in generations] == [0, 0, 1, 1, 1]
    assert each_client.dbsize() == 3 * (701 + 1) + 3
    assert set(each_client.hkeys(REPLACED_KEY)) == {name.encode() for name in live(each_client).previous}


def test_what_the_caller_says_about_previous_does_not_count(newsroom, client) -> None:
    first = newsroom.publish()
    newsroom.publish(previous=("x", "y"))
    assert live(client).previous == (first.generation,)


def test_flipping_again_changes_nothing(each_newsroom, each_client) -> None:
    each_newsroom.publish()
    each_newsroom.publish()
    last = each_newsroom.publish()
    before = live(each_client)
    assert each_newsroom.publisher.flip(last) is Flip.LIVE
    assert live(each_client) == before


def test_rolling_back_keeps_the_generation_that_is_live_again(each_newsroom, each_client) -> None:
    first, second, third = (each_newsroom.publish(mark=number) for number in range(3))
    back = replace(first, fence=third.fence)
    assert each_newsroom.publisher.flip(back) is Flip.LIVE
    assert live(each_client).previous == (third.generation, second.generation)
    fourth = each_newsroom.publish(mark=3)
    assert live(each_client).previous == (first.generation, third.generation)
    assert [held(each_client, entry.generation) for entry in (first, second, third, fourth)] == [2, 0, 2, 2]


def test_an_odd_entry_is_never_written(newsroom, client) -> None:
    staged = newsroom.stage()
    with pytest.raises(ValueError, match="fresh_until"):
        newsroom.publisher.flip(newsroom.entry(staged, fence=1, fresh_until=float("inf")))
    assert live(client) is None


@pytest.mark.parametrize("text", ["", "garbage", "[]", "3", '{"fence":"x","generation":3,"previous":7}'])
def test_a_corrupt_live_entry_is_replaced(each_newsroom, each_client, text: str) -> None:
    each_client.hset(MANIFEST_KEY, "kpis", text)
    entry = each_newsroom.publish()
    assert live(each_client) == entry


def test_a_changed_fence_of_the_live_entry_keeps_nothing_from_going_live(each_newsroom, each_client) -> None:
    before = each_newsroom.publish()
    text = before.to_json().replace(b'"fence":1', b'"fence":9')
    assert text != before.to_json()
    each_client.hset(MANIFEST_KEY, "kpis", text)
    entry = each_newsroom.publish()
    assert live(each_client) == entry


def test_an_incomplete_generation_never_goes_live(each_newsroom, each_client) -> None:
    before = each_newsroom.publish()
    lost = each_newsroom.stage()
    entry = each_newsroom.entry(lost, fence=each_newsroom.publisher.next_fence())
    assert each_newsroom.publisher.discard(lost)
    with pytest.raises(IncompleteGeneration, match="refresh again"):
        each_newsroom.publisher.flip(entry)
    fewer = each_newsroom.stage(EVERYTHING, MANY[0])
    with pytest.raises(IncompleteGeneration):
        each_newsroom.publisher.flip(each_newsroom.entry(fewer, fence=entry.fence, variants=3))
    assert live(each_client) == before


def test_a_generation_that_the_manifest_names_is_not_discarded(each_newsroom, each_client) -> None:
    staged = [each_newsroom.stage() for _ in range(2)]
    for generation in staged:
        each_newsroom.publisher.flip(each_newsroom.entry(generation, fence=5))
    assert [each_newsroom.publisher.discard(generation) for generation in staged] == [False, False]
    assert [held(each_client, generation.generation) for generation in staged] == [2, 2]


def test_discarding_twice_is_harmless(newsroom, client) -> None:
    staged = newsroom.stage(*MANY)
    assert newsroom.publisher.discard(staged)
    assert not newsroom.publisher.discard(staged)
    assert client.dbsize() == 0


@pytest.mark.parametrize("broken", [TypeError, RuntimeError, KeyboardInterrupt])
def test_a_failure_while_staging_leaves_nothing(
    each_newsroom, each_client, broken: type[BaseException]
) -> None:
    def payloads():
        yield from ((filter_, {"x": 1}) for filter_ in MANY)
        raise broken

    with pytest.raises(broken):
        each_newsroom.publisher.stage("kpis", "g", payloads(), {}, time.time() + 60)
    assert each_client.dbsize() == 0


def test_a_filter_that_comes_twice_is_named(newsroom, client) -> None:
    twice = [*MANY, Filter.of({"client": "CLIENT 3"})]
    with pytest.raises(ValueError, match="CLIENT 3"):
        newsroom.stage(*twice)
    assert client.dbsize() == 0


def test_verify_names_what_is_gone(each_newsroom, each_client) -> None:
    staged = each_newsroom.stage(*MANY)
    gone = [payload_key(staged.generation, variant_key("kpis", filter_)) for filter_ in MANY[3:5]]
    each_client.delete(*gone)
    (problem,) = each_newsroom.publisher.verify(staged)
    assert problem.startswith("2 of 701 keys are gone")
    assert any(key in problem for key in gone)


def test_verify_reads_back_what_was_written(each_newsroom, each_client) -> None:
    staged = each_newsroom.stage(EVERYTHING, MANY[0])
    key = payload_key(staged.generation, variant_key("kpis", EVERYTHING))
    each_client.setrange(key, 60, b"\x00\x01")
    assert each_newsroom.publisher.verify(staged, sample=2) == [
        f"{key} does not read as written: refresh again"
    ]


def test_verify_always_reads_the_catalogue_back(newsroom, client) -> None:
    staged = newsroom.stage(*MANY)
    key = payload_key(staged.generation, CATALOGUE)
    client.set(key, b"other", keepttl=True)
    assert newsroom.publisher.verify(staged, sample=0) == [f"{key} does not read as written: refresh again"]


def test_a_generation_staged_too_late_is_found(newsroom) -> None:
    staged = newsroom.publisher.stage("kpis", "g", [(EVERYTHING, {})], {}, time.time() - 10)
    assert newsroom.publisher.verify(staged)


def test_fences_grow(each_newsroom, each_client) -> None:
    started_ms = int(time.time() * 1000)
    fences = [each_newsroom.publisher.next_fence() for _ in range(100)]
    assert fences == sorted(set(fences))
    assert fences[0] >= started_ms - 1000
    each_client.flushall()
    assert each_newsroom.publisher.next_fence() >= fences[0]
    each_client.set(FENCE_KEY, fences[-1] + 10**9)
    assert each_newsroom.publisher.next_fence() == fences[-1] + 10**9 + 1
    each_client.set(FENCE_KEY, "odd")
    assert each_newsroom.publisher.next_fence() >= started_ms - 1000


def test_errors_of_redis_propagate() -> None:
    with connect("redis://127.0.0.1:1/0") as nowhere:
        publisher = Publisher(nowhere)
        with pytest.raises(redis.ConnectionError):
            publisher.next_fence()
        with pytest.raises(redis.ConnectionError):
            publisher.stage("kpis", "g", [], {}, time.time() + 60)


@given(
    turns=st.lists(st.integers(0, 1), max_size=24),
    crashes=st.lists(st.sampled_from((None, None, "stage", "flip")), min_size=8, max_size=8),
)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_interleaved_publishers_never_leave_a_broken_manifest(
    each_newsroom, each_client, turns, crashes
) -> None:
    each_client.flushall()
    publisher = each_newsroom.publisher
    staged_ever = {}
    fates = iter(crashes * 4)

    def publications():
        """One publisher's life: publication after publication, some of which crash on the way."""
        while True:
            fate = next(fates)
            fence = publisher.next_fence()
            yield
            staged = each_newsroom.stage(EVERYTHING, MANY[0])
            staged_ever[staged.generation] = staged
            yield
            if fate == "stage":
                continue
            outcome = publisher.flip(each_newsroom.entry(staged, fence=fence))
            yield
            if outcome is Flip.SUPERSEDED and fate != "flip":
                publisher.discard(staged)

    writers = [publications(), publications()]
    highest = 0
    for turn in turns:
        next(writers[turn])
        entry = live(each_client)
        if entry is not None:
            assert entry.fence >= highest
            highest = entry.fence
            for generation in (entry.generation, *entry.previous):
                assert publisher.verify(staged_ever[generation]) == []


def test_publishers_side_by_side_always_show_readers_a_complete_generation(
    each_cache_url, each_newsroom, each_client
) -> None:
    each_newsroom.publish(*MANY[:300])
    failures: list[BaseException] = []

    def publish() -> None:
        try:
            with connect(each_cache_url) as own:
                mine = type(each_newsroom)(own)
                for _ in range(8):
                    fence = mine.publisher.next_fence()
                    staged = mine.stage(*MANY[:300])
                    if mine.publisher.flip(mine.entry(staged, fence=fence)) is Flip.SUPERSEDED:
                        mine.publisher.discard(staged)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=publish) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        entry = live(each_client)
        complete = held(each_client, entry.generation) == entry.keys
        # A generation may go only after it fell out of the manifest.
        assert complete or entry.generation not in (live(each_client).generation, *live(each_client).previous)
    assert not failures
    entry = live(each_client)
    assert (
        each_client.dbsize()
        == sum(held(each_client, generation) + 1 for generation in (entry.generation, *entry.previous)) + 3
    )


def test_what_is_live_is_told_and_what_cannot_be_read_is_not(each_newsroom, each_client) -> None:
    assert each_newsroom.publisher.live("kpis") is None
    entry = each_newsroom.publish()
    assert each_newsroom.publisher.live("kpis") == entry
    each_client.hset(MANIFEST_KEY, "kpis", b"{")
    assert each_newsroom.publisher.live("kpis") is None


def test_a_generation_is_prolonged_whole_and_never_shortened(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(*MANY)
    keys = list(each_client.scan_iter(f"kpi:v:{entry.generation}:*", count=1000))
    later = int(time.time()) + 50_000
    assert each_newsroom.publisher.prolong(entry.generation, later)
    assert each_newsroom.publisher.prolong(entry.generation, later - 40_000)
    expiries = {each_client.expiretime(key) for key in (*keys, members_key(entry.generation))}
    assert expiries == {later}


def test_a_generation_that_lost_a_key_is_not_prolonged(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(*MANY)
    each_client.unlink(payload_key(entry.generation, variant_key("kpis", MANY[-1])))
    assert not each_newsroom.publisher.prolong(entry.generation, time.time() + 50_000)
    assert not each_newsroom.publisher.prolong("nothing-like-it", time.time() + 50_000)


def test_every_damaged_payload_of_a_generation_is_found(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(*MANY)
    assert each_newsroom.publisher.damaged(entry.generation) == set()
    flipped, gone = (variant_key("kpis", filter_) for filter_ in (MANY[7], MANY[-7]))
    frame = each_client.get(payload_key(entry.generation, flipped))
    middle = len(frame) // 2
    spoilt = frame[:middle] + bytes([frame[middle] ^ 1]) + frame[middle + 1 :]
    each_client.set(payload_key(entry.generation, flipped), spoilt, keepttl=True)
    each_client.unlink(payload_key(entry.generation, gone))
    assert each_newsroom.publisher.damaged(entry.generation) == {flipped, gone}
    each_client.set(payload_key(entry.generation, CATALOGUE), b"x", keepttl=True)
    assert each_newsroom.publisher.damaged(entry.generation) == {flipped, gone, CATALOGUE}
    assert each_newsroom.publisher.damaged("nothing-like-it") == {CATALOGUE}


def test_a_verified_generation_keeps_its_name_and_its_predecessors(each_newsroom, each_client) -> None:
    older = each_newsroom.publish()
    entry = each_newsroom.publish()
    again = replace(
        entry, fence=each_newsroom.publisher.next_fence(), verified_at=entry.verified_at + 1, previous=()
    )
    assert each_newsroom.publisher.flip(again) is Flip.LIVE
    assert live(each_client) == replace(again, previous=(older.generation,))
    assert held(each_client, older.generation) == 2


def test_answers_taken_over_are_those_of_before_byte_for_byte(each_newsroom, each_client) -> None:
    before = each_newsroom.publish(*MANY)
    kept, rewritten = MANY[3:], (*MANY[:3], EVERYTHING)
    staged = reusing(each_newsroom, before.generation, *kept, rewritten=rewritten)
    assert (staged.variants, staged.reused) == (len(MANY) + 1, len(kept))
    assert each_newsroom.publisher.verify(staged) == []
    entry = each_newsroom.entry(staged, fence=each_newsroom.publisher.next_fence())
    assert each_newsroom.publisher.flip(entry) is Flip.LIVE
    then, now = (frames(each_client, generation) for generation in (before.generation, staged.generation))
    for variant in (variant_key("kpis", filter_) for filter_ in kept):
        assert now[variant] == then[variant]
    assert {decode(now[variant_key("kpis", filter_)]).data()["mark"] for filter_ in rewritten} == {"anew"}
    assert staged.bytes == sum(map(len, now.values()))


def shares(*filters: Filter, share: float) -> list[tuple[Filter, dict[str, Any]]]:
    """Answers to filters, each with a share of all certificates."""
    return [
        (one, {"of": one.as_dict(), "kpis": {"dso": 7, "revenue_share": [{"value": share}]}})
        for one in filters
    ]


def staged_shares(
    publisher: Publisher, written: list[tuple[Filter, dict[str, Any]]], unchanged: Reusable | None = None
) -> Staged:
    generation = new_generation("kpis", datetime.now(UTC))
    return publisher.stage("kpis", generation, written, {}, time.time() + 60, unchanged=unchanged)


def test_answers_with_a_new_completion_are_those_that_writing_anew_makes(each_newsroom, each_client) -> None:
    publisher = each_newsroom.publisher
    first = staged_shares(publisher, shares(*MANY, share=0.25))
    values = [(one, {"revenue_share": [{"value": 0.5}]}) for one in MANY[2:]]
    unchanged = Reusable(first.generation, MANY[:2], values)
    completed = staged_shares(publisher, shares(EVERYTHING, share=0.5), unchanged)
    anew = staged_shares(publisher, shares(*MANY[:2], share=0.25) + shares(EVERYTHING, *MANY[2:], share=0.5))
    assert frames(each_client, completed.generation) == frames(each_client, anew.generation)
    assert (completed.variants, completed.bytes, completed.reused) == (anew.variants, anew.bytes, len(MANY))
    assert publisher.verify(completed) == []
    name = payload_key(completed.generation, variant_key("kpis", MANY[9]))
    assert each_client.expiretime(name) == each_client.expiretime(members_key(completed.generation)) > 0


@pytest.mark.parametrize("harm", ["gone", "without completion", "cut"])
def test_an_answer_that_cannot_be_completed_leaves_nothing(each_newsroom, each_client, harm: str) -> None:
    publisher = each_newsroom.publisher
    first = staged_shares(publisher, shares(*MANY, share=0.25))
    name = payload_key(first.generation, variant_key("kpis", MANY[3]))
    match harm:
        case "gone":
            each_client.unlink(name)
        case "without completion":
            each_client.set(name, encode({"kpis": {"dso": 7}}, {"product": "kpis"}), keepttl=True)
        case "cut":
            each_client.set(name, each_client.get(name)[:40], keepttl=True)
    keys = set(each_client.scan_iter("*", count=1000))
    values = [(one, {"revenue_share": []}) for one in MANY]
    with pytest.raises(IncompleteGeneration, match="write every answer"):
        staged_shares(publisher, [], Reusable(first.generation, (), values))
    assert set(each_client.scan_iter("*", count=1000)) == keys


def test_answers_taken_over_live_as_long_as_the_others(each_newsroom, each_client) -> None:
    before = each_newsroom.publish(*MANY)
    expiry = each_client.expiretime(members_key(before.generation))
    staged = reusing(each_newsroom, before.generation, *MANY, rewritten=(EVERYTHING,))
    keys = [*each_client.smembers(members_key(staged.generation)), members_key(staged.generation)]
    (later,) = {each_client.expiretime(key) for key in keys}
    assert later > expiry
    for key in each_client.smembers(members_key(before.generation)):
        assert each_client.expiretime(key) == expiry


def test_reusing_an_answer_that_is_gone_leaves_nothing_and_what_is_live_stays(
    each_newsroom, each_client
) -> None:
    before = each_newsroom.publish(*MANY)
    each_client.unlink(payload_key(before.generation, variant_key("kpis", MANY[-7])))
    keys = set(each_client.scan_iter("*", count=1000))
    with pytest.raises(IncompleteGeneration, match="write every answer"):
        reusing(each_newsroom, before.generation, *MANY, rewritten=(EVERYTHING,))
    assert set(each_client.scan_iter("*", count=1000)) == keys
    assert live(each_client) == before


def test_an_answer_that_is_both_new_and_taken_over_is_refused(newsroom, client) -> None:
    before = newsroom.publish(*MANY[:3])
    keys = set(client.keys())
    for filters, rewritten in ((MANY[:3], MANY[2:3]), ((*MANY[:3], MANY[0]), ())):
        with pytest.raises(ValueError, match="once"):
            reusing(newsroom, before.generation, *filters, rewritten=rewritten)
    assert set(client.keys()) == keys


def test_an_answer_that_was_corrupt_when_it_was_taken_over_is_noticed(each_newsroom, each_client) -> None:
    before = each_newsroom.publish(*MANY[:20])
    each_client.setrange(payload_key(before.generation, variant_key("kpis", MANY[4])), 60, b"\x00\x01")
    staged = reusing(each_newsroom, before.generation, *MANY[:20])
    key = payload_key(staged.generation, variant_key("kpis", MANY[4]))
    assert each_newsroom.publisher.verify(staged) == [f"{key} does not read as written: refresh again"]


def test_answers_taken_over_stay_when_the_generation_they_come_from_goes(each_newsroom, each_client) -> None:
    first = each_newsroom.publish(*MANY[:300])
    held_then = frames(each_client, first.generation)
    generations = [first.generation]
    for _ in range(4):
        staged = reusing(each_newsroom, generations[-1], *MANY[:300])
        generations.append(staged.generation)
        entry = each_newsroom.entry(staged, fence=each_newsroom.publisher.next_fence())
        assert each_newsroom.publisher.flip(entry) is Flip.LIVE
    assert [held(each_client, generation) for generation in generations] == [0, 0, 0, 301, 301]
    held_now = frames(each_client, generations[-1])
    assert {name: held_now[name] for name in held_now if name != CATALOGUE} == {
        name: held_then[name] for name in held_then if name != CATALOGUE
    }


def test_a_full_server_takes_nothing_over(newsroom, client) -> None:
    before = newsroom.publish(*MANY)
    keys = set(client.scan_iter("*", count=1000))
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 60_000)
    try:
        with pytest.raises(redis.OutOfMemoryError):
            reusing(newsroom, before.generation, *MANY)
    finally:
        client.config_set("maxmemory", 0)
    assert set(client.scan_iter("*", count=1000)) == keys
    assert live(client) == before

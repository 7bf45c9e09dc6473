"""Month ends are kept beside what is live, and answer questions about the past."""

import time
from dataclasses import replace
from datetime import date

import pytest

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import HISTORY_KEY, members_key, month_end_field, payload_key, variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.history import KEPT_S, History
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Flip
from kpi_pipeline.cache.reading.reader import CacheReader, NoMonthEnd
from kpi_pipeline.model.filters import EVERYTHING, Filter

JANUARY, FEBRUARY, MARCH = date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)
ACME = Filter.of({"client": "ACME"})


@pytest.fixture
def keep(each_newsroom, each_client):
    """Publish a month end as the pipeline does."""

    def publish(as_of: date, mark: object = 0, **changes: object) -> ManifestEntry:
        staged = each_newsroom.stage(mark=mark)
        fence = each_newsroom.publisher.next_fence()
        entry = replace(each_newsroom.entry(staged, fence=fence, as_of=as_of), **changes)
        assert History(each_client).keep(entry) is Flip.LIVE
        return entry

    return publish


@pytest.fixture
def reader(each_client) -> CacheReader:
    return CacheReader(each_client, poll_s=0, history_poll_s=0)


def test_the_newest_month_end_on_or_before_a_date_answers(keep, reader) -> None:
    for as_of in (JANUARY, FEBRUARY, MARCH):
        keep(as_of, mark=as_of.isoformat())
    for requested, answered in (
        (FEBRUARY, FEBRUARY),
        (date(2024, 3, 30), FEBRUARY),
        (JANUARY, JANUARY),
        (date(2030, 1, 1), MARCH),
    ):
        answer = reader.month_ends.answer("kpis", requested, EVERYTHING)
        assert answer.state is AnswerState.HISTORIC
        assert answer.entry.as_of == answered
        assert answer.payload.data()["mark"] == answered.isoformat()
        assert reader.month_ends.catalogue("kpis", requested)["mark"] == answered.isoformat()
    assert reader.month_ends.days("kpis") == (JANUARY, FEBRUARY, MARCH)


def test_nothing_of_a_revoked_run_is_kept(each_newsroom, each_client) -> None:
    entry = each_newsroom.entry(each_newsroom.stage(), fence=1, as_of=JANUARY)
    Leases(each_client).revoke("terminated")
    assert History(each_client).keep(entry, by="terminated") is Flip.REVOKED
    assert History(each_client).entries() == []


def test_a_date_before_all_history_names_what_there_is(keep, reader) -> None:
    keep(FEBRUARY)
    with pytest.raises(NoMonthEnd, match="2024-02-29") as told:
        reader.month_ends.answer("kpis", JANUARY, EVERYTHING)
    assert told.value.available == (FEBRUARY,)
    with pytest.raises(NoMonthEnd, match="none"):
        reader.month_ends.answer("charts", MARCH, EVERYTHING)


def test_a_filter_that_a_month_end_does_not_hold_is_missing(keep, reader) -> None:
    keep(FEBRUARY)
    answer = reader.month_ends.answer("kpis", FEBRUARY, ACME)
    assert (answer.state, answer.payload) == (AnswerState.MISSING, None)


def test_publishing_what_is_live_never_touches_a_month_end(keep, each_newsroom, reader) -> None:
    kept = keep(FEBRUARY, mark="then")
    for number in range(4):
        each_newsroom.publish(mark=number)
    assert reader.month_ends.answer("kpis", MARCH, EVERYTHING).entry == kept
    assert reader.month_ends.answer("kpis", MARCH, EVERYTHING).payload.data()["mark"] == "then"


def test_keeping_a_month_end_never_touches_what_is_live(keep, each_newsroom, reader) -> None:
    each_newsroom.publish(mark="now")
    live = reader.manifest()
    keep(FEBRUARY)
    keep(FEBRUARY)
    assert reader.manifest() == live
    assert reader.answer("kpis", EVERYTHING).payload.data()["mark"] == "now"


def test_a_month_end_published_anew_replaces_the_former_with_its_keys(keep, reader, each_client) -> None:
    former, latter = keep(FEBRUARY, mark="former"), keep(FEBRUARY, mark="latter")
    assert reader.month_ends.answer("kpis", FEBRUARY, EVERYTHING).payload.data()["mark"] == "latter"
    assert not each_client.exists(members_key(former.generation))
    assert History(each_client).entries() == [latter]


def test_a_reader_that_knows_the_former_finds_the_latter(keep, each_client) -> None:
    slow = CacheReader(each_client, history_poll_s=3600)
    keep(FEBRUARY, mark="former")
    assert slow.month_ends.answer("kpis", FEBRUARY, ACME).payload is None
    latter = keep(FEBRUARY, mark="latter")
    answer = slow.month_ends.answer("kpis", FEBRUARY, EVERYTHING)
    assert answer.entry == latter
    assert answer.payload.data()["mark"] == "latter"


def test_an_earlier_reading_of_the_source_does_not_replace_a_later_one(each_newsroom, each_client) -> None:
    history, publisher = History(each_client), each_newsroom.publisher
    early, late = publisher.next_fence(), publisher.next_fence()
    winner = each_newsroom.entry(each_newsroom.stage(), fence=late, as_of=FEBRUARY)
    loser = each_newsroom.entry(each_newsroom.stage(), fence=early, as_of=FEBRUARY)
    assert history.keep(winner) is Flip.LIVE
    assert history.keep(loser) is Flip.SUPERSEDED
    assert history.entry("kpis", FEBRUARY) == winner


def test_an_incomplete_month_end_is_not_kept(each_newsroom, each_client) -> None:
    staged = each_newsroom.stage()
    entry = each_newsroom.entry(staged, fence=1, as_of=FEBRUARY)
    each_newsroom.publisher.discard(staged)
    with pytest.raises(IncompleteGeneration, match="again"):
        History(each_client).keep(entry)
    assert History(each_client).entries() == []


def test_a_kept_generation_is_not_discarded(each_newsroom, each_client) -> None:
    staged = each_newsroom.stage()
    History(each_client).keep(each_newsroom.entry(staged, fence=1, as_of=FEBRUARY))
    assert not each_newsroom.publisher.discard(staged)
    assert each_client.exists(members_key(staged.generation))


def test_corrupt_entries_are_left_out_and_forgotten_by_the_bounds(keep, reader, each_client) -> None:
    kept = keep(FEBRUARY)
    elsewhere = month_end_field("kpis", MARCH)
    each_client.hset(HISTORY_KEY, mapping={"odd": "garbage", elsewhere: kept.to_json()})
    assert reader.month_ends.days("kpis") == (FEBRUARY,)
    history = History(each_client)
    assert history.entries() == [kept]
    assert history.entry("kpis", MARCH) is None
    assert set(history.bound(JANUARY, 10**9)) == {"odd", elsewhere}
    assert history.entries() == [kept]
    assert reader.month_ends.answer("kpis", MARCH, EVERYTHING).payload is not None


def test_an_odd_entry_is_never_written(each_newsroom, each_client) -> None:
    staged = each_newsroom.stage()
    with pytest.raises(ValueError, match="fresh_until"):
        History(each_client).keep(each_newsroom.entry(staged, fence=1, fresh_until=float("nan")))
    assert each_client.exists(HISTORY_KEY) == 0


def test_the_bounds_keep_the_latest(keep, each_client) -> None:
    kept = [keep(as_of, bytes=100) for as_of in (JANUARY, FEBRUARY, MARCH)]
    history = History(each_client)
    assert history.bound(FEBRUARY, 1000) == ["kpis:2024-01"]
    assert history.bound(FEBRUARY, 199) == ["kpis:2024-02"]
    assert history.bound(FEBRUARY, 199) == []
    assert history.entries() == [kept[2]]
    there = [bool(each_client.exists(members_key(entry.generation))) for entry in kept]
    assert there == [False, False, True]


def test_month_ends_of_another_source_are_dropped_of_one_product(keep, each_client) -> None:
    earlier = keep(JANUARY, source="earlier")
    others = [keep(FEBRUARY, source="now"), keep(JANUARY, product="charts", source="earlier")]
    history = History(each_client)
    assert history.drop_others("kpis", "now") == ["kpis:2024-01"]
    assert history.drop_others("kpis", "now") == []
    assert sorted(history.entries(), key=lambda entry: entry.fence) == others
    assert not each_client.exists(members_key(earlier.generation))


def test_keys_of_month_ends_are_prolonged_before_they_end(keep, each_client) -> None:
    kept = keep(FEBRUARY)
    history, now = History(each_client), time.time()
    payload = payload_key(kept.generation, variant_key("kpis", EVERYTHING))
    assert history.prolong(now) == (1, [])
    for key in (payload, members_key(kept.generation)):
        assert each_client.expiretime(key) >= now + KEPT_S - 1
    assert history.prolong(now) == (0, [])
    assert history.prolong(now + 0.6 * KEPT_S) == (1, [])


def test_a_month_end_that_has_lost_a_key_is_forgotten(keep, reader, each_client) -> None:
    lost, kept = keep(JANUARY), keep(FEBRUARY)
    each_client.delete(payload_key(lost.generation, variant_key("kpis", EVERYTHING)))
    assert History(each_client).prolong(time.time()) == (1, [lost])
    assert History(each_client).entries() == [kept]
    assert not each_client.exists(members_key(lost.generation))

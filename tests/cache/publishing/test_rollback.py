"""A replaced generation can be made live again, as old as it is."""

import time

import pytest

from kpi_pipeline.cache.keys import REPLACED_KEY, payload_key, variant_key
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.publishing.publisher import Flip, IncompleteGeneration
from kpi_pipeline.cache.publishing.rollback import NoSuchGeneration, Rollback
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.filters import EVERYTHING


def mark(client) -> object:
    return CacheReader(client, poll_s=0).answer("kpis", EVERYTHING).payload.data()["mark"]


def test_the_generation_replaced_last_is_live_again_as_old_as_it_is(each_newsroom, each_client) -> None:
    hour_ago = time.time() - 300
    first = each_newsroom.publish(mark="first", computed_at=hour_ago)
    second = each_newsroom.publish(mark="second")
    rollback = Rollback(each_client)
    assert [entry.generation for entry in rollback.kept("kpis")] == [first.generation]
    live = rollback.roll_back("kpis")
    assert live.generation == first.generation
    assert (live.computed_at, live.fresh_until, live.as_of) == (hour_ago, first.fresh_until, first.as_of)
    assert live.state_at(time.time()) is AnswerState.STALE
    assert live.previous == (second.generation,)
    assert mark(each_client) == "first"


def test_rolling_back_twice_is_where_it_began(each_newsroom, each_client) -> None:
    each_newsroom.publish(mark="first")
    second = each_newsroom.publish(mark="second")
    rollback = Rollback(each_client)
    rollback.roll_back("kpis")
    assert rollback.roll_back("kpis").generation == second.generation
    assert mark(each_client) == "second"


def test_any_kept_generation_can_be_named(each_newsroom, each_client) -> None:
    first, second, third = (each_newsroom.publish(mark=number) for number in range(3))
    rollback = Rollback(each_client)
    assert [entry.generation for entry in rollback.kept("kpis")] == [second.generation, first.generation]
    assert rollback.roll_back("kpis", first.generation).generation == first.generation
    assert {entry.generation for entry in rollback.kept("kpis")} == {second.generation, third.generation}
    assert set(each_client.hkeys(REPLACED_KEY)) == {
        second.generation.encode(),
        third.generation.encode(),
    }


def test_the_next_run_replaces_it_and_one_begun_before_does_not(each_newsroom, each_client) -> None:
    publisher = each_newsroom.publisher
    each_newsroom.publish(mark="first")
    each_newsroom.publish(mark="second")
    begun_before = publisher.next_fence()
    Rollback(each_client).roll_back("kpis")
    late = each_newsroom.stage(mark="late")
    assert publisher.flip(each_newsroom.entry(late, fence=begun_before)) is Flip.SUPERSEDED
    assert mark(each_client) == "first"
    each_newsroom.publish(mark="next")
    assert mark(each_client) == "next"


def test_what_is_not_kept_cannot_be_rolled_back_to(newsroom, client) -> None:
    rollback = Rollback(client)
    with pytest.raises(NoSuchGeneration, match="none"):
        rollback.roll_back("kpis")
    first = newsroom.publish()
    with pytest.raises(NoSuchGeneration, match="none"):
        rollback.roll_back("kpis")
    live = newsroom.publish()
    with pytest.raises(NoSuchGeneration, match=first.generation):
        rollback.roll_back("kpis", "kpis-unknown")
    assert newsroom.publisher.live("kpis").generation == live.generation


def test_an_expired_generation_is_not_made_live(newsroom, client) -> None:
    newsroom.publish(computed_at=time.time() - 10_000)
    newsroom.publish()
    with pytest.raises(NoSuchGeneration, match="kpi warm"):
        Rollback(client).roll_back("kpis")


def test_a_generation_that_has_lost_a_key_is_not_made_live(each_newsroom, each_client) -> None:
    first = each_newsroom.publish(mark="first")
    each_newsroom.publish(mark="second")
    each_client.delete(payload_key(first.generation, variant_key("kpis", EVERYTHING)))
    with pytest.raises(IncompleteGeneration, match="lost keys"):
        Rollback(each_client).roll_back("kpis")
    assert mark(each_client) == "second"


def test_a_corrupt_entry_of_a_kept_generation_is_left_out(newsroom, client) -> None:
    first = newsroom.publish()
    newsroom.publish()
    client.hset(REPLACED_KEY, first.generation, "garbage")
    assert Rollback(client).kept("kpis") == []
    with pytest.raises(NoSuchGeneration):
        Rollback(client).roll_back("kpis")

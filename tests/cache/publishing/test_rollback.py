"""Products go back to one earlier reading of the source, in one step or not at all."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import (
    MANIFEST_KEY,
    REPLACED_KEY,
    manifest_key,
    members_key,
    payload_key,
)
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import KEPT_READINGS, ManifestEntry
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.rollback import KeptReading, Rollback, RollbackRefused, RollbackResult
from kpi_pipeline.cache.publishing.scope_rollback import HeldFor, ScopeOutcome
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM, Policy, Scope
from tests.cache.conftest import Newsroom
from tests.examples import examples

Refresh = Callable[..., dict[str, ManifestEntry]]


@pytest.fixture
def refresh(newsroom) -> Refresh:
    """Publish a reading of the source, of all products or of some."""
    number = 0

    def publish(mark: object, products: Iterable[str] = PRODUCTS) -> dict[str, ManifestEntry]:
        nonlocal number
        number += 1
        at = time.time() - 300 + number / 10
        return {one: newsroom.publish(product=one, mark=mark, computed_at=at) for one in products}

    return publish


def live_marks(client: redis.Redis) -> dict[str, object]:
    reader = CacheReader(client, poll_s=0)
    return {product: reader.answer(product, EVERYTHING).payload.data()["mark"] for product in PRODUCTS}


def lose(client: redis.Redis, entry: ManifestEntry) -> None:
    client.delete(payload_key(entry.generation, entry.variant(EVERYTHING)))


def generations(entries: dict[str, ManifestEntry]) -> dict[str, str]:
    return {product: entry.generation for product, entry in entries.items()}


def test_all_products_go_back_to_the_reading_before_as_old_as_it_is(refresh, client) -> None:
    first = refresh("first")
    second = refresh("second")
    begun = time.time()
    live = Rollback(client).roll_back().products
    assert generations(live) == generations(first)
    for product, entry in live.items():
        before = first[product]
        assert (entry.computed_at, entry.fresh_until, entry.as_of) == (
            before.computed_at,
            before.fresh_until,
            before.as_of,
        )
        assert entry.previous == (second[product].generation,)
        assert entry.state_at(time.time()) is AnswerState.STALE
    (rolled_back_at,) = {entry.rolled_back_at for entry in live.values()}
    assert begun <= rolled_back_at <= time.time()
    assert set(live_marks(client).values()) == {"first"}


def test_products_that_missed_a_reading_go_back_to_one_that_all_have(refresh, client) -> None:
    refresh("first")
    refresh("second", ("kpis", "dashboards", "financials"))  # charts could not be published
    refresh("third")
    Rollback(client).roll_back()
    assert set(live_marks(client).values()) == {"first"}


def test_products_ahead_of_one_that_failed_join_it(refresh, client) -> None:
    first = refresh("first")
    refresh("second", PRODUCTS[:3])
    live = Rollback(client).roll_back().products
    assert generations(live) == generations(first)
    # Also that which did not move: a run that has read the newer reading must not bring it back.
    assert len({entry.fence for entry in live.values()}) == 1
    assert all(entry.rolled_back_at is not None for entry in live.values())


def test_generations_of_one_reading_do_not_push_out_the_reading_before(refresh, client) -> None:
    first = refresh("first")
    refresh("second")
    for _ in range(4):  # filters were requested, or the nightly run wrote everything again
        refresh("second", ("kpis",))
    assert generations(Rollback(client).roll_back().products) == generations(first)


def test_going_back_again_goes_further_back(refresh, client) -> None:
    for mark in ("first", "second", "third"):
        refresh(mark)
    rollback = Rollback(client)
    rollback.roll_back()
    assert set(live_marks(client).values()) == {"second"}
    rollback.roll_back()
    assert set(live_marks(client).values()) == {"first"}
    with pytest.raises(RollbackRefused, match="nothing was changed"):
        rollback.roll_back()
    assert set(live_marks(client).values()) == {"first"}


def test_generations_written_again_leave_two_readings_to_go_back_to(refresh, client) -> None:
    for mark in ("first", "second", "third"):
        refresh(mark)
        for product in PRODUCTS:  # filters were requested, or the nightly run wrote everything again
            refresh(mark, [product])
            refresh(mark, [product])
    for mark in ("second", "first"):
        Rollback(client).roll_back()
        assert set(live_marks(client).values()) == {mark}


def test_a_product_ahead_of_the_others_keeps_what_they_hold(refresh, client) -> None:
    refresh("first")
    refresh("second")
    for mark in ("third", "fourth", "fifth", "sixth"):  # a reader refreshes one, the others fail
        refresh(mark, ["dashboards"])
    for mark in ("second", "first"):
        Rollback(client).roll_back()
        assert set(live_marks(client).values()) == {mark}


def test_generations_that_are_kept_are_bounded(refresh, client) -> None:
    for mark in range(9):
        refresh(mark)
        refresh(mark, PRODUCTS[:2])
    assert all(len(KeptGenerations(client).replaced(product)) <= KEPT_READINGS + 1 for product in PRODUCTS)


def test_a_reading_that_came_back_is_the_newest(refresh, client) -> None:
    refresh("first")
    refresh("second")
    refresh("first", PRODUCTS[:2])
    Rollback(client).roll_back()
    assert set(live_marks(client).values()) == {"second"}


def test_where_no_earlier_reading_is_common_nothing_changes_and_all_is_listed(refresh, client) -> None:
    first = refresh("first", PRODUCTS[:3])
    last = refresh("second")
    before = client.hgetall(MANIFEST_KEY)
    with pytest.raises(RollbackRefused) as caught:
        Rollback(client).roll_back()
    assert "nothing was changed" in caught.value.reason
    assert caught.value.kept == (
        KeptReading(
            "reading second",
            min(entry.first_read_at for entry in last.values()),
            generations(last),
            PRODUCTS,
        ),
        KeptReading(
            "reading first",
            min(entry.first_read_at for entry in first.values()),
            generations(first),
            (),
        ),
    )
    assert client.hgetall(MANIFEST_KEY) == before


def test_one_damaged_generation_keeps_its_reading_from_all(refresh, client) -> None:
    refresh("first")
    second = refresh("second")
    refresh("third")
    lose(client, second["charts"])
    Rollback(client).roll_back()
    assert set(live_marks(client).values()) == {"first"}


def test_where_every_candidate_is_damaged_the_message_names_it(refresh, client) -> None:
    first = refresh("first")
    refresh("second")
    lose(client, first["charts"])
    with pytest.raises(RollbackRefused) as caught:
        Rollback(client).roll_back()
    assert caught.value.damaged == (first["charts"].generation,)
    assert set(live_marks(client).values()) == {"second"}


def test_a_generation_takes_all_products_to_its_reading(refresh, client) -> None:
    first = refresh("first")
    refresh("second")
    third = refresh("third")
    rollback = Rollback(client)
    assert generations(rollback.roll_back(generation=first["charts"].generation).products) == generations(
        first
    )
    assert generations(rollback.roll_back(generation=third["kpis"].generation).products) == generations(third)


def test_one_product_alone_goes_back(refresh, client) -> None:
    first = refresh("first")
    refresh("second")
    third = refresh("third")
    rollback = Rollback(client)
    rollback.roll_back(["kpis"])
    assert live_marks(client) == {**dict.fromkeys(PRODUCTS, "third"), "kpis": "second"}
    rollback.roll_back(["kpis"], first["kpis"].generation)
    assert live_marks(client)["kpis"] == "first"
    # A live generation can be named as well: this takes the others' reading.
    assert generations(rollback.roll_back(generation=third["charts"].generation).products) == generations(
        third
    )


def test_after_one_alone_all_go_back_together(refresh, client) -> None:
    first = refresh("first")
    refresh("second")
    rollback = Rollback(client)
    rollback.roll_back(["kpis"])
    assert generations(rollback.roll_back().products) == generations(first)


def test_an_unknown_generation_and_one_of_another_product_are_refused(refresh, client) -> None:
    first = refresh("first")
    refresh("second")
    before = client.hgetall(MANIFEST_KEY)
    for products, generation in ((PRODUCTS, "kpis-unknown"), (("kpis",), first["charts"].generation)):
        with pytest.raises(RollbackRefused, match=generation):
            Rollback(client).roll_back(products, generation)
    assert client.hgetall(MANIFEST_KEY) == before


def test_a_product_that_shows_nothing_is_left_out(newsroom, refresh, client) -> None:
    newsroom.publish(product="charts", computed_at=time.time() - 10_000)
    first = refresh("first", ("kpis", "dashboards"))
    refresh("second", ("kpis", "dashboards"))
    assert generations(Rollback(client).roll_back().products) == generations(first)
    with pytest.raises(RollbackRefused, match="kpi warm"):
        Rollback(client).roll_back(["charts"])


def test_an_expired_generation_and_one_of_another_format_are_not_made_live(newsroom, client) -> None:
    newsroom.publish(mark="old", computed_at=time.time() - 10_000)
    newsroom.publish(mark="format", schema_version=1)
    newsroom.publish(mark="live")
    with pytest.raises(RollbackRefused, match="nothing was changed"):
        Rollback(client).roll_back()


def test_a_corrupt_entry_of_a_kept_generation_is_left_out(newsroom, client) -> None:
    first = newsroom.publish(mark="first")
    newsroom.publish(mark="second")
    client.hset(REPLACED_KEY, first.generation, "garbage")
    assert KeptGenerations(client).replaced("kpis") == []
    with pytest.raises(RollbackRefused):
        Rollback(client).roll_back()


def test_the_next_run_replaces_it_and_one_begun_before_does_not(each_newsroom, each_client) -> None:
    publisher = each_newsroom.publisher
    for mark in ("first", "second"):
        for product in ("kpis", "charts"):
            each_newsroom.publish(product=product, mark=mark)
    begun_before = publisher.next_fence()
    assert set(Rollback(each_client).roll_back().products) == {"kpis", "charts"}
    for product in ("kpis", "charts"):
        late = each_newsroom.stage(product=product, mark="late")
        assert publisher.flip(each_newsroom.entry(late, fence=begun_before)) is Flip.SUPERSEDED
        assert publisher.live(product).reading == "reading first"
    each_newsroom.publish(mark="next")
    live = publisher.live("kpis")
    assert (live.reading, live.rolled_back_at) == ("reading next", None)


def test_a_newer_reading_published_meanwhile_stops_all(refresh, newsroom, client, monkeypatch) -> None:
    refresh("first")
    refresh("second")
    rollback = Rollback(client)
    make_live = Rollback._make_live

    def publish_before(self: Rollback, *given):
        later = newsroom.publisher.next_fence() + 3_600_000
        staged = newsroom.stage(product="charts", mark="third")
        assert newsroom.publisher.flip(newsroom.entry(staged, fence=later, reading="third")) is Flip.LIVE
        return make_live(self, *given)

    monkeypatch.setattr(Rollback, "_make_live", publish_before)
    with pytest.raises(RollbackRefused, match="meanwhile"):
        rollback.roll_back()
    assert live_marks(client) == {**dict.fromkeys(PRODUCTS, "second"), "charts": "third"}


def test_a_generation_removed_meanwhile_stops_all(refresh, client, monkeypatch) -> None:
    first = refresh("first")
    refresh("second")
    monkeypatch.setattr(KeptGenerations, "is_damaged", lambda *_: False)
    client.delete(members_key(first["financials"].generation))
    with pytest.raises(RollbackRefused, match=first["financials"].generation):
        Rollback(client).roll_back()
    assert set(live_marks(client).values()) == {"second"}


def test_no_reader_ever_sees_half_a_rollback(refresh, client) -> None:
    first, second = refresh("first"), refresh("second")
    seen: set[frozenset[str]] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            texts = client.hgetall(MANIFEST_KEY).values()
            seen.add(frozenset(ManifestEntry.from_json(text).reading for text in texts))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(20):
            for one in (first, second):
                Rollback(client).roll_back(generation=one["kpis"].generation)
    finally:
        ended.set()
        watcher.join()
    assert seen <= {frozenset({"reading first"}), frozenset({"reading second"})}


NORTH, SOUTH = (Scope(name, Filter.of({"client": name})) for name in ("north", "south"))


class Readings:
    """Publishes readings of the source: the whole firm, then its scopes, as a run does."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.at = time.time() - 300
        PublishedScopes(client).publish(Policy({scope.name: scope for scope in (NORTH, SOUTH)}))

    def read(self, mark: str, products: Iterable[str] = PRODUCTS, **of_scopes: str) -> None:
        """Publish a reading of a mark, and by name the marks of what scopes see of it."""
        self.at += 1
        for scope, shown in ((WHOLE_FIRM, mark), *((self.ids[name], of_scopes[name]) for name in of_scopes)):
            newsroom = Newsroom(self.client, scope=scope)
            for product in products:
                live = newsroom.publisher.live(product)
                if live is None or live.reading != f"reading {shown}":
                    newsroom.publish(product=product, mark=shown, computed_at=self.at)
                    continue
                fence = newsroom.publisher.next_fence()
                assert newsroom.publisher.flip(replace(live, fence=fence, verified_at=self.at)) is Flip.LIVE

    @property
    def ids(self) -> dict[str, str]:
        return {scope.name: scope.id for scope in (NORTH, SOUTH)}

    def live(self, scope: str) -> dict[str, ManifestEntry]:
        publisher = Publisher(self.client, self.ids.get(scope, WHOLE_FIRM))
        return {one: entry for one in PRODUCTS if (entry := publisher.live(one)) is not None}

    def shown(self, scope: str = "firm") -> set[str]:
        """The marks of what is shown."""
        return {entry.reading.removeprefix("reading ") for entry in self.live(scope).values()}

    def everything(self) -> list[object]:
        keys = sorted(self.client.scan_iter("kpi:manifest*"))
        return [keys, *(self.client.hgetall(key) for key in keys)]


@pytest.fixture
def readings(client) -> Readings:
    return Readings(client)


def outcomes(result: RollbackResult) -> dict[str, ScopeOutcome]:
    return {scope.name: scope.outcome for scope in result.scopes}


def test_a_scope_goes_back_with_the_firm_and_one_of_equal_rows_stays(readings, client) -> None:
    readings.read("first", north="n1", south="s1")
    readings.read("second", north="n2", south="s1")
    south = readings.live("south")
    result = Rollback(client).roll_back()
    assert outcomes(result) == {"north": ScopeOutcome.ROLLED_BACK, "south": ScopeOutcome.SAME_FIGURES}
    assert (readings.shown(), readings.shown("north")) == ({"first"}, {"n1"})
    assert readings.live("south") == south
    firm, north = readings.live("firm")["kpis"], readings.live("north")["kpis"]
    assert (north.fence, north.rolled_back_at) == (firm.fence, firm.rolled_back_at)
    # Nothing of it says anything of the readings of the firm.
    assert (north.rolled_back_from, north.computed_at) == ("reading n2", firm.computed_at)
    for scope in ("north", "south"):
        assert client.ttl(manifest_key(readings.ids[scope])) > 0


def test_a_scope_goes_further_back_and_forward_with_the_firm(readings, client) -> None:
    readings.read("first", north="n1", south="s1")
    readings.read("second", north="n1", south="s2")
    newest = {"firm": "third", "north": "n3", "south": "s3"}
    readings.read(newest["firm"], north="n3", south="s3")
    generation = readings.live("firm")["charts"].generation
    Rollback(client).roll_back()
    assert (readings.shown("north"), readings.shown("south")) == ({"n1"}, {"s2"})
    Rollback(client).roll_back()
    assert (readings.shown("north"), readings.shown("south")) == ({"n1"}, {"s1"})
    assert {one.rolled_back_from for one in readings.live("south").values()} == {"reading s3"}
    assert all(entry.rolled_back_at for entry in readings.live("north").values())
    Rollback(client).roll_back(generation=generation)
    assert {scope: readings.shown(scope) for scope in newest} == {
        scope: {mark} for scope, mark in newest.items()
    }


def test_a_scope_that_the_newest_reading_has_not_reached_is_kept_from_it(readings, client) -> None:
    readings.read("first", north="n1")
    begun_before = Publisher(client).next_fence()
    readings.read("second")  # the run is about to publish scopes
    result = Rollback(client).roll_back()
    assert outcomes(result) == {"north": ScopeOutcome.ROLLED_BACK, "south": ScopeOutcome.SHOWS_NOTHING}
    for scope in (NORTH, SOUTH):
        newsroom = Newsroom(client, scope=scope.id)
        late = newsroom.entry(newsroom.stage(mark="late"), fence=begun_before)
        assert newsroom.publisher.flip(late, by="run") is Flip.SUPERSEDED
    assert (readings.shown("north"), readings.shown("south")) == ({"n1"}, set())
    # What is read later may go live: the run decides.
    newsroom.publish(mark="s3")
    assert readings.shown("south") == {"s3"}


def test_one_product_goes_back_in_scopes_too(readings, client) -> None:
    readings.read("first", north="n1")
    readings.read("second", north="n2")
    Rollback(client).roll_back(["kpis"])
    assert {one: entry.reading for one, entry in readings.live("north").items()} == {
        **dict.fromkeys(PRODUCTS, "reading n2"),
        "kpis": "reading n1",
    }


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_scope_that_keeps_nothing_whole_of_the_time_keeps_all_from_going_back(
    readings, client, is_damaged: bool
) -> None:
    readings.read("first", south="s1", **({"north": "n1"} if is_damaged else {}))
    damaged = list(readings.live("north").values())[:1]
    readings.read("second", north="n2", south="s2")
    for entry in damaged:
        lose(client, entry)
    before = readings.everything()
    with pytest.raises(RollbackRefused, match="scopes north; nothing was changed") as refused:
        Rollback(client).roll_back()
    assert refused.value.scopes == ("north",)
    assert refused.value.damaged == tuple(entry.generation for entry in damaged)
    assert readings.everything() == before
    result = Rollback(client).roll_back(leaves_scopes=True)
    assert outcomes(result) == {"north": ScopeOutcome.NOT_KEPT, "south": ScopeOutcome.ROLLED_BACK}
    shown = [readings.shown(scope) for scope in ("firm", "north", "south")]
    assert shown == [{"first"}, {"n2"}, {"s1"}]


def test_a_reading_that_came_back_is_known_by_both_ends(newsroom) -> None:
    held = HeldFor(10, 30)  # another one was held at 20
    at: dict[tuple[float, float], int] = {}
    for first, last in ((10, 30), (0, 40), (5, 15), (20, 20), (0, 9), (31, 40)):
        entry = newsroom.publish(computed_at=last, first_read_at=first)
        at[first, last] = held.agreement(entry)
    assert at == {(10, 30): 3, (0, 40): 3, (5, 15): 2, (20, 20): 1, (0, 9): 0, (31, 40): 0}


def test_no_reader_of_a_scope_ever_sees_another_reading_than_the_firm(readings, client) -> None:
    readings.read("first", north="n1", south="s1")
    names = [readings.live("firm")["kpis"].generation]
    readings.read("second", north="n2", south="s2")
    names.append(readings.live("firm")["kpis"].generation)
    seen: set[frozenset[str]] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            pipeline = client.pipeline(transaction=True)
            for scope in (WHOLE_FIRM, NORTH.id, SOUTH.id):
                pipeline.hvals(manifest_key(scope))
            texts = [text for part in pipeline.execute() for text in part]
            seen.add(frozenset(ManifestEntry.from_json(text).reading for text in texts))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for generation in names * 10:
            Rollback(client).roll_back(generation=generation)
    finally:
        ended.set()
        watcher.join()
    assert seen <= {
        frozenset({"reading first", "reading n1", "reading s1"}),
        frozenset({"reading second", "reading n2", "reading s2"}),
    }


PRODUCT = st.sampled_from(PRODUCTS)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("refresh"), st.integers(1, 9), st.frozensets(PRODUCT, max_size=2)),
        st.tuples(st.just("write again"), PRODUCT),
        st.tuples(st.just("lose"), PRODUCT, st.integers(0, 1)),
        st.tuples(st.just("roll one back"), PRODUCT),
        st.tuples(st.just("roll back")),
    ),
    max_size=14,
)


@pytest.mark.slow
@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happened_a_rollback_leaves_one_reading_or_all_as_it_was(
    refresh, newsroom, client, steps
) -> None:
    client.flushall()
    refresh("start")
    publisher, rollback = newsroom.publisher, Rollback(client)

    def live() -> dict[str, ManifestEntry]:
        return {product: publisher.live(product) for product in PRODUCTS}

    def held(product: str) -> list[ManifestEntry]:
        return [live()[product], *KeptGenerations(client).replaced(product)]

    for kind, *given_step in steps:
        before, manifest = live(), client.hgetall(MANIFEST_KEY)
        if kind == "refresh":
            mark, failing = given_step
            refresh(mark, [product for product in PRODUCTS if product not in failing])
            for product in PRODUCTS:
                if product not in failing and before[product].reading != f"reading {mark}":
                    assert before[product].reading in {
                        entry.reading for entry in KeptGenerations(client).replaced(product)
                    }
        elif kind == "write again":
            (product,) = given_step
            mark = before[product].reading.removeprefix("reading ")
            readings = {entry.reading for entry in held(product)}
            refresh(mark, [product])
            if len(readings) > 1:
                assert len({entry.reading for entry in held(product)}) > 1
        elif kind == "lose":
            product, place = given_step
            for entry in KeptGenerations(client).replaced(product)[place : place + 1]:
                lose(client, entry)
        else:
            begun_before = publisher.next_fence()
            products = PRODUCTS if kind == "roll back" else given_step
            try:
                after = rollback.roll_back(products).products
            except RollbackRefused:
                assert client.hgetall(MANIFEST_KEY) == manifest
                continue
            assert set(after) == set(products)
            newest = max((before[product] for product in products), key=lambda entry: entry.verified_at)
            assert len({entry.reading for entry in after.values()}) == 1
            for product, entry in after.items():
                assert entry == live()[product]
                assert entry.rolled_back_at is not None
                assert entry.reading != newest.reading
                assert entry.verified_at <= newest.verified_at
                assert publisher.damaged(entry.generation) == frozenset()
                late = newsroom.stage(product=product)
                assert publisher.flip(newsroom.entry(late, fence=begun_before)) is Flip.SUPERSEDED
            if kind == "roll back":
                assert not LiveReadings.of(after, time.time()).mixed
            elif len({entry.reading for entry in live().values()}) > 1:
                assert LiveReadings.of(live(), time.time()).mixed
        for product in PRODUCTS:
            entries = held(product)
            assert [entry.generation for entry in entries[1:]] == list(entries[0].previous)
            assert len(entries) <= KEPT_READINGS + 2

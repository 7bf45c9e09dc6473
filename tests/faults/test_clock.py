"""Clocks jump, back and forth: figures may turn stale too early, and are never called fresh too long."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import pytest
import redis

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.freshness import CLOCKS_AGREE_S, AnswerState
from kpi_pipeline.cache.keys import FENCE_KEY, lease_key
from kpi_pipeline.cache.publishing.leases import LEASE_S, Leases
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.scopes import WHOLE_FIRM
from tests.cache.conftest import Newsroom
from tests.faults.publications import FILTERS, entry_of, publish, said, stage
from tests.faults.records import FaultRecord

YEAR_S: Final = 366 * 86_400.0
JUMPS_S: Final = (CLOCKS_AGREE_S + 1, 600.0, 3600.0, YEAR_S)


@dataclass
class Clocks:
    """The clock of a machine, which jumps, and its steady one, which does not."""

    ahead_s: float = field(default_factory=time.time)
    steady_s: float = 0.0

    def now(self) -> float:
        return self.ahead_s + self.steady_s

    def steady(self) -> float:
        return self.steady_s


@dataclass
class Course:
    """What happens to one machine, on which a publisher and a reader run, and what the reader may say.

    Attributes:
        client: The publisher's.
        own: The reader's.
        jump_s: By how many seconds the clock jumps.
        mark: That of the last publication.
        published_s: When that was, by the steady clock.
    """

    client: redis.Redis
    own: redis.Redis
    jump_s: float
    clocks: Clocks = field(default_factory=Clocks)
    mark: int = 0
    published_s: float = 0.0
    reader: CacheReader = field(init=False)

    def __post_init__(self) -> None:
        self.client.flushall()
        clocks = self.clocks
        self.reader = CacheReader(self.own, poll_s=0, clock=clocks.now, steady=clocks.steady)

    def publish(self) -> None:
        self.mark += 1
        publish(self.client, self.mark, run=f"run-{self.mark}", computed_at=self.clocks.now())
        self.published_s = self.clocks.steady_s

    def soon(self) -> None:
        self.clocks.steady_s += 45

    def later(self) -> None:
        self.clocks.steady_s += 620

    def ahead(self) -> None:
        self.clocks.ahead_s += self.jump_s

    def back(self) -> None:
        self.clocks.ahead_s -= self.jump_s

    def look(self, reader: CacheReader) -> str:
        """What is wrong with what a reader says, in words; empty where nothing is."""
        newsroom = Newsroom(self.client)
        age_s = self.clocks.steady_s - self.published_s
        for one in FILTERS:
            answer = reader.answer("kpis", one)
            if answer.state is AnswerState.EXPIRED:
                continue
            if said(answer, one) != (self.mark, self.mark):
                return f"{said(answer, one)} instead of {self.mark}"
            if answer.state is AnswerState.FRESH and age_s >= newsroom.fresh_s:
                return f"fresh after {age_s} s"
            if age_s >= newsroom.fresh_s + newsroom.grace_s:
                return f"shown after {age_s} s"
        return ""


EVENTS: Final[tuple[Callable[[Course], None], ...]] = (
    Course.publish,
    Course.soon,
    Course.later,
    Course.ahead,
    Course.back,
)


def follow(
    client: redis.Redis,
    own: redis.Redis,
    jump_s: float,
    events: Sequence[Callable[[Course], None]],
    tries: FaultRecord,
) -> None:
    """Let events happen, and look after each; at last a publication is fresh, for everybody."""
    course = Course(client, own, jump_s)
    course.publish()
    tries.tries += 1
    where = f"a jump of {jump_s:.0f} s in {[event.__name__ for event in events]}"
    for event in (*events, Course.publish):
        event(course)
        tries.reads += len(FILTERS)
        if wrong := course.look(course.reader):
            tries.wrong.append(f"{where}, after {event.__name__}: {wrong}")
    begun = CacheReader(own, poll_s=0, clock=course.clocks.now, steady=course.clocks.steady)
    for reader in (course.reader, begun):
        if reader.answer("kpis", FILTERS[0]).state is not AnswerState.FRESH:
            tries.lost.append(f"{where}: what was published last is not fresh")


@pytest.fixture
def clients(each_cache_url: str) -> Iterator[tuple[redis.Redis, redis.Redis]]:
    """A publisher's and a reader's."""
    with connect(each_cache_url) as client, connect_reader(each_cache_url) as own:
        yield client, own


FAULT = "the clock of a machine jumps, back or ahead, among publications"


def test_whatever_a_clock_does_freshness_is_not_extended(clients) -> None:
    tries = FaultRecord(FAULT, "")
    for events in product(EVENTS, repeat=2):
        follow(*clients, 600.0, events, tries)
    assert (tries.wrong, tries.lost) == ([], [])


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_every_course_of_jumps(clients, record) -> None:
    with record(FAULT, "every_course") as tries:
        for jump_s in JUMPS_S:
            for events in product(EVENTS, repeat=4):
                follow(*clients, jump_s, events, tries)


@pytest.mark.parametrize("ahead_s", JUMPS_S)
def test_what_a_publisher_made_whose_clock_was_ahead_is_stale_until_the_next(clients, ahead_s: float) -> None:
    client, own = clients
    clocks = Clocks()
    publish(client, 1, computed_at=clocks.now() + ahead_s)
    # Also for one that has just started, which has seen nothing before.
    reader = CacheReader(own, poll_s=0, clock=clocks.now, steady=clocks.steady)
    answer = reader.answer("kpis", FILTERS[0])
    assert (answer.state, said(answer, FILTERS[0])) == (AnswerState.STALE, (1, 1))
    assert reader.status()["products"]["kpis"]["state"] == "stale"
    publish(client, 2, computed_at=clocks.now())
    answer = reader.answer("kpis", FILTERS[0])
    assert (answer.state, said(answer, FILTERS[0])) == (AnswerState.FRESH, (2, 2))


def test_clocks_that_agree_well_enough_make_nothing_stale(clients) -> None:
    client, own = clients
    clocks = Clocks()
    publish(client, 1, computed_at=clocks.now() + CLOCKS_AGREE_S - 1)
    reader = CacheReader(own, poll_s=0, clock=clocks.now, steady=clocks.steady)
    assert reader.answer("kpis", FILTERS[0]).state is AnswerState.FRESH


@pytest.mark.parametrize("state", [AnswerState.STALE, AnswerState.EXPIRED])
def test_a_clock_that_is_set_back_revives_nothing(clients, state: AnswerState) -> None:
    client, own = clients
    clocks = Clocks()
    publish(client, 1, computed_at=clocks.now())
    reader = CacheReader(own, poll_s=0, clock=clocks.now, steady=clocks.steady)
    assert reader.answer("kpis", FILTERS[0]).state is AnswerState.FRESH
    clocks.steady_s += 61 if state is AnswerState.STALE else 661
    assert reader.answer("kpis", FILTERS[0]).state is state
    # To a moment at which the figures were fresh, then to one before they were there.
    for back_s in (clocks.steady_s - 10, YEAR_S):
        clocks.ahead_s -= back_s
        assert reader.answer("kpis", FILTERS[0]).state is state
        assert reader.own("kpis", FILTERS[0]) is None or state is AnswerState.STALE
    publish(client, 2, computed_at=clocks.now())
    assert reader.answer("kpis", FILTERS[0]).state is AnswerState.FRESH


def test_fences_grow_though_the_clock_of_the_server_is_set_back(clients) -> None:
    client, own = clients
    ahead = int((time.time() + YEAR_S) * 1000)
    client.set(FENCE_KEY, ahead)
    earlier = publish(client, 1)
    later = publish(client, 2, run="later")
    assert ahead < earlier.fence < later.fence
    assert said(CacheReader(own).answer("kpis", FILTERS[0]), FILTERS[0]) == (2, 2)


def test_a_lease_ends_soon_though_the_clock_of_the_server_was_set_back(clients) -> None:
    client, _ = clients
    leases, key = Leases(client), lease_key("kpis", WHOLE_FIRM)
    # The server counts the life of a key by its clock: what was to last for seconds lasts for the hour more.
    client.set(key, "dead", px=3_600_000)
    assert not leases.take("kpis", "next")
    assert client.pttl(key) <= LEASE_S * 1000
    # One that lasts as it should is left as it is.
    client.pexpire(key, 10_000)
    assert not leases.take("kpis", "next")
    assert client.pttl(key) <= 10_000


def test_a_lease_that_ends_early_lets_no_older_reading_replace_a_newer_one(clients) -> None:
    client, own = clients
    publisher, leases = Publisher(client), Leases(client)
    fence = publisher.next_fence()
    assert leases.take("kpis", "overtaken")
    # The clock of the server jumps ahead: the lease is over at once.
    client.delete(lease_key("kpis", WHOLE_FIRM))
    staged = stage(publisher, "kpis", 1)
    newer = publish(client, 2, run="next")
    overtaken = entry_of(client, staged, fence, 1, run_id="overtaken")
    assert publisher.flip(overtaken, by="overtaken") is Flip.SUPERSEDED
    live = publisher.live("kpis")
    assert live is not None
    assert live.generation == newer.generation
    assert said(CacheReader(own).answer("kpis", FILTERS[0]), FILTERS[0]) == (2, 2)

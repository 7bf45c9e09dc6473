"""Every order of the steps of two publications, with a crash and the end of a lease anywhere among them.

A step is one call of the code, and has its name:

- `next_fence`: `Publisher.next_fence`, before the source is read
- `take`: `Leases.take`; a writer waits while another one has the lease
- `stage`: `Publisher.stage`, then `Publisher.verify`, which only reads
- `release`: `Leases.release`
- `flip`: `Publisher.flip`, the script `FLIP`
- `remove`: `Removal.remove` of what `flip` has dropped, the script `RETIRE`; `flip` calls it at its end

`crash` ends the first writer between two steps: it does nothing more. `expire` is what Redis does with a
lease that nobody has extended, whether its holder lives or not. Which of two writers crashes is the same. A
crash within a step is tried by `test_crash_points`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Final

import pytest
import redis

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import lease_key, new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.removal import Removal
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.scopes import WHOLE_FIRM
from tests.faults.publications import ACME, content, entry_of, publish, said
from tests.faults.records import FaultRecord

FILTERS: Final = (EVERYTHING, ACME)
STEPS: Final = ("next_fence", "take", "stage", "release", "flip", "remove")
CRASH, EXPIRE = "crash", "expire"
PUBLISHED: Final = 4
"""So many generations are there before: each flip drops one, which is to be removed."""

SOME: Final = 200
LEASE: Final = lease_key("kpis", WHOLE_FIRM)


@dataclass(frozen=True, slots=True)
class State:
    """How far a course has come: what can happen next follows from it.

    Attributes:
        done: How many steps each writer has taken.
        holder: Which writer has the lease.
        crashed: Whether the first one has crashed.
        expired: Whether a lease has ended by itself: once in a course at most.
        last: Who has taken the last step: it is all the same where among the other one's steps one crashes.
    """

    done: tuple[int, int] = (0, 0)
    holder: int | None = None
    crashed: bool = False
    expired: bool = False
    last: int | None = None

    def nexts(self) -> Iterator[tuple[tuple[str, int], "State"]]:
        """What can happen next, and to whom, with the state after it."""
        for writer, done in enumerate(self.done):
            if done == len(STEPS) or (writer == 0 and self.crashed):
                continue
            step, holder = STEPS[done], self.holder
            if step == "take" and holder not in (None, writer):
                continue
            if step == "take":
                holder = writer
            elif step == "release" and holder == writer:
                holder = None
            dones = (done + 1, self.done[1]) if writer == 0 else (self.done[0], done + 1)
            yield (step, writer), State(dones, holder, self.crashed, self.expired, writer)
        if not self.crashed and self.last == 0 and self.done[0] < len(STEPS):
            yield (CRASH, 0), State(self.done, self.holder, True, self.expired)
        if self.holder is not None and not self.expired:
            yield (EXPIRE, self.holder), State(self.done, None, self.crashed, True)


Course = tuple[tuple[str, int], ...]


def courses(state: State | None = None, before: Course = ()) -> Iterator[Course]:
    """Every course of two publications to its end, depth first."""
    state = state or State()
    ended = True
    for step, after in state.nexts():
        ended = False
        yield from courses(after, (*before, step))
    if ended:
        yield before


def some_courses(most: int) -> Iterator[Course]:
    """So many of them, spread over all."""
    every = max(sum(1 for _ in courses()) // most, 1)
    return islice(courses(), 0, None, every)


class Dropped:
    """Stands in the place of a publisher's removal, so that `remove` is a step of its own."""

    def __init__(self) -> None:
        self.generations: list[str] = []

    def remove(self, generation: str) -> int:
        self.generations.append(generation)
        return 0


Start = Mapping[bytes, tuple[bytes, int]]
"""By key, what it holds, as of DUMP, and when it expires, in milliseconds since the epoch."""


@dataclass
class Writer:
    """A run that publishes one generation, step by step."""

    client: redis.Redis
    mark: int
    fence: int = 0
    entry: ManifestEntry | None = None
    outcome: Flip | None = None
    dropped: Dropped = field(default_factory=Dropped)
    publisher: Publisher = field(init=False)

    def __post_init__(self) -> None:
        self.publisher, self.leases = Publisher(self.client), Leases(self.client)
        self.publisher._removal = self.dropped  # type: ignore[assignment]
        self.id = f"run-{self.mark}"

    def next_fence(self) -> None:
        self.fence = self.publisher.next_fence()

    def take(self) -> None:
        assert self.leases.take("kpis", self.id)

    def stage(self) -> None:
        generation = new_generation("kpis", datetime.now(UTC))
        answers = [(one, content(one, self.mark)) for one in FILTERS]
        catalogue = {"dimensions": [], "mark": self.mark}
        expires_at = time.time() + 5000
        staged = self.publisher.stage("kpis", generation, answers, catalogue, expires_at)
        assert self.publisher.verify(staged) == []
        self.entry = entry_of(self.client, staged, self.fence, self.mark, run_id=self.id)

    def release(self) -> None:
        self.leases.release("kpis", self.id)

    def flip(self) -> None:
        assert self.entry is not None
        self.outcome = self.publisher.flip(self.entry, by=self.id)

    def remove(self) -> None:
        for generation in self.dropped.generations:
            Removal(self.client).remove(generation)


class World:
    """A server on which two writers publish, and a reader who looks after each step."""

    def __init__(self, client: redis.Redis, own: redis.Redis, start: Start) -> None:
        self.client = client
        client.flushdb()
        pipeline = client.pipeline(transaction=False)
        for key, (value, expires_at) in start.items():
            pipeline.restore(key, max(expires_at, 0), value, absttl=expires_at > 0)
        pipeline.execute()
        self.writers = [Writer(client, mark) for mark in (10, 11)]
        self.publisher = Publisher(client)
        self.reader = CacheReader(own, poll_s=0)
        self.live = self.publisher.live("kpis")
        self.seen = self.look()

    def happen(self, step: str, writer: int) -> None:
        """Let a step be taken, and check what has to hold after it."""
        one = self.writers[writer]
        if step == EXPIRE:
            self.client.delete(LEASE)
        elif step != CRASH:
            getattr(one, step)()
        live = self.publisher.live("kpis")
        if step == "flip":
            assert self.live is not None
            # The one with the later reading is effective, whichever comes last and whoever has the lease.
            is_later = one.fence > self.live.fence
            assert one.outcome is (Flip.LIVE if is_later else Flip.SUPERSEDED), "two are effective"
        if step == "flip" and one.outcome is Flip.LIVE:
            assert live is not None
            assert one.entry is not None
            assert live.generation == one.entry.generation
            assert live.fresh_until == one.entry.fresh_until, "freshness is not that of the reading"
        else:
            assert live == self.live, f"{step} has changed what is live"
        self.live = live
        seen = self.look()
        assert seen.fence >= self.seen.fence, "a reader goes back"
        self.seen = seen

    def look(self) -> ManifestEntry:
        """The entry that a reader is shown: of one generation, whole, and the live one."""
        answers = {one: self.reader.answer("kpis", one) for one in FILTERS}
        entries = {answer.entry.generation: answer.entry for answer in answers.values() if answer.entry}
        (entry,) = entries.values()
        marks = {said(answer, one) for one, answer in answers.items()}
        mark = int(entry.watermark or "")
        assert marks == {(mark, mark)}, f"a mix: {marks} in the generation of {mark}"
        assert self.reader.catalogue("kpis")["mark"] == mark
        assert {answer.state for answer in answers.values()} == {AnswerState.FRESH}
        assert self.live is not None
        assert (entry.generation, entry.fresh_until) == (self.live.generation, self.live.fresh_until)
        return entry

    def end(self) -> None:
        """Whatever has happened, the next publication succeeds."""
        self.client.delete(LEASE)
        self.live = publish(self.client, 12, run="next")
        self.seen = self.look()
        assert self.publisher.damaged(self.seen.generation) == set()


@pytest.fixture
def run(cache_url: str) -> Iterator[Callable[[Iterator[Course], FaultRecord], None]]:
    """Run courses, each on a server as it is after some publications."""
    with connect(cache_url) as client, connect_reader(cache_url) as own:
        fresh_until = time.time() + 4000
        for mark in range(1, PUBLISHED + 1):
            publish(client, mark, fresh_until=fresh_until, stale_until=fresh_until)
        keys = list(client.scan_iter("*"))
        start = {key: (client.dump(key), client.pexpiretime(key)) for key in keys}

        def run_all(chosen: Iterator[Course], tries: FaultRecord) -> None:
            for course in chosen:
                tries.tries += 1
                tries.reads += len(FILTERS) * (len(course) + 2)
                try:
                    world = World(client, own, start)
                    for step in course:
                        world.happen(*step)
                    world.end()
                except AssertionError as error:
                    tries.wrong.append(f"{course}: {error}")

        yield run_all


FAULT = "two publications in every order of their steps, with a crash and the end of a lease anywhere"


def test_some_orders_of_the_steps_of_two_publications(run) -> None:
    tries = FaultRecord(FAULT, "")
    run(some_courses(SOME), tries)
    assert tries.wrong == []
    assert tries.tries >= SOME


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_every_order_of_the_steps_of_two_publications(run, record) -> None:
    with record(FAULT, "every_order") as tries:
        run(courses(), tries)


def test_the_orders_hold_every_step_and_each_is_different() -> None:
    listed = list(courses())
    assert len(set(listed)) == len(listed) > 10 * SOME
    assert {step for course in listed for step, _ in course} == {*STEPS, CRASH, EXPIRE}

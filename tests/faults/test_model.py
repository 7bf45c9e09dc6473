"""A model of leases, publications, manifest and readers: in whatever order things happen, promises hold.

A rule is one call of the code, and has its name: `next_fence`, `stage` and `flip` are those of `Publisher`,
`take` and `revoke` of `Leases`, `roll_back` of `Rollback`, `store` of `Archive`, `restore` of `Restoration`,
`clean_up` is `Cleanup.run`, `answer` that of `CacheReader`, `flushall` the command of Redis. `crash` ends a
run between two calls; `expire` is what Redis does with a lease that nobody has extended. `test_interleavings`
tries every order of the steps of two publications.
"""

import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import LASTING_KEYS, lease_key, new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.publishing.cleanup import GRACE_S, Cleanup
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.leases import Leases, Revoked
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher, Staged
from kpi_pipeline.cache.publishing.restoration import Outcome, Restoration
from kpi_pipeline.cache.publishing.rollback import Rollback, RollbackRefused
from kpi_pipeline.cache.reading.reader import CacheReader, NothingPublished
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.scopes import WHOLE_FIRM
from tests.faults.operations import LONG_AGO
from tests.faults.publications import ACME, content, entry_of, said, without_expiry

FILTERS = (EVERYTHING, ACME)
PICK = st.integers(0, 3)


@dataclass
class Run:
    """A run that has read the source, and may be anywhere on its way to a publication."""

    id: str
    fence: int
    mark: int
    read_at: float
    staged: Staged | None = None


class Cache(RuleBasedStateMachine):
    """Runs publish, die, come late, are terminated; the server is flushed and restored; readers read."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.client, self.own = connect(url), connect(url)
        self.client.flushall()
        self.folder = Path(tempfile.mkdtemp())
        self.publisher, self.leases = Publisher(self.client), Leases(self.client)
        self.archive, self.rollback = Archive(self.client, self.folder), Rollback(self.client)
        self.now = time.time()
        self.readers = [CacheReader(self.own, poll_s=0, clock=lambda: self.now) for _ in range(2)]
        self.latest: list[ManifestEntry | None] = [None, None]
        self.runs: list[Run] = []
        self.begun = self.source = 0
        self.holder: str | None = None
        self.revoked: set[str] = set()
        self.live: ManifestEntry | None = None
        self.marks: dict[str, int] = {}
        self.fresh_until: dict[str, float] = {}

    def teardown(self) -> None:
        self.client.close()
        self.own.close()
        shutil.rmtree(self.folder)

    def run(self, pick: int) -> Run:
        return self.runs[pick % len(self.runs)]

    @rule()
    def the_source_changes(self) -> None:
        self.source += 1

    @precondition(lambda self: len(self.runs) < 4)
    @rule()
    def next_fence(self) -> None:
        self.begun += 1
        fence = self.publisher.next_fence()
        self.runs.append(Run(f"run-{self.begun}", fence, self.source, time.time()))

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def take(self, pick: int) -> None:
        run = self.run(pick)
        try:
            taken = self.leases.take("kpis", run.id)
        except Revoked:
            assert run.id in self.revoked
            return
        assert run.id not in self.revoked
        assert taken == (self.holder in (None, run.id))
        self.holder = run.id if taken else self.holder

    @precondition(lambda self: self.holder)
    @rule()
    def expire(self) -> None:
        assert self.client.pttl(lease_key("kpis", WHOLE_FIRM)) > 0
        self.client.delete(lease_key("kpis", WHOLE_FIRM))
        self.holder = None

    # A lease saves work and protects nothing: also who has none may come to write and to publish.
    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def stage(self, pick: int) -> None:
        run = self.run(pick)
        generation = new_generation("kpis", datetime.now(UTC))
        answers = [(one, content(one, run.mark)) for one in FILTERS]
        run.staged = self.publisher.stage("kpis", generation, answers, {"mark": run.mark}, time.time() + 9000)
        self.marks[generation] = run.mark

    @precondition(lambda self: any(run.staged for run in self.runs))
    @rule(pick=PICK)
    def flip(self, pick: int) -> None:
        ready = [run for run in self.runs if run.staged]
        run = ready[pick % len(ready)]
        assert run.staged is not None
        times = {"computed_at": run.read_at}
        entry = entry_of(self.client, run.staged, run.fence, run.mark, run_id=run.id, **times)
        before = self.publisher.live("kpis")
        try:
            outcome = self.publisher.flip(entry, by=run.id)
        except IncompleteGeneration:
            # It was replaced and removed meanwhile, or the server was flushed.
            assert self.publisher.live("kpis") == before
            assert self.publisher.verify(run.staged) != []
            return
        if run.id in self.revoked:
            assert outcome is Flip.REVOKED
        elif before is not None and before.fence > run.fence:
            assert outcome is Flip.SUPERSEDED
        else:
            assert outcome is Flip.LIVE
            self.went_live(entry)

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def crash(self, pick: int) -> None:
        self.runs.remove(self.run(pick))

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def revoke(self, pick: int) -> None:
        run = self.run(pick)
        self.leases.revoke(run.id)
        self.revoked.add(run.id)
        self.holder = None if self.holder == run.id else self.holder

    @rule()
    def roll_back(self) -> None:
        before = self.publisher.live("kpis")
        try:
            (entry,) = self.rollback.roll_back(["kpis"]).products.values()
        except RollbackRefused:
            assert self.publisher.live("kpis") == before
            return
        assert before is not None
        assert entry.fence > before.fence
        self.went_live(entry)

    @precondition(lambda self: self.live)
    @rule()
    def store(self) -> None:
        assert self.live is not None
        self.archive.store(self.live)

    @rule()
    def flushall(self) -> None:
        self.client.flushall()
        self.live = self.holder = None
        self.revoked.clear()

    @rule()
    def restore(self) -> None:
        restored = Restoration(self.client, self.archive).restore("kpis", time.time())
        if restored.outcome is Outcome.RESTORED:
            entry = self.publisher.live("kpis")
            assert entry is not None
            assert self.live is None or entry.fence >= self.live.fence
            self.went_live(entry)

    @rule()
    def clean_up(self) -> None:
        Cleanup(self.client).run(time.time() + GRACE_S + 60, LONG_AGO, 10**9)

    @rule(seconds=st.sampled_from((1, 45, 400)))
    def time_passes_for_readers(self, seconds: int) -> None:
        self.now += seconds

    @rule(at=st.integers(0, 1))
    def answer(self, at: int) -> None:
        reader, latest = self.readers[at], self.latest[at]
        try:
            answers = {one: reader.answer("kpis", one) for one in FILTERS}
        except NothingPublished:
            assert self.live is None
            assert latest is None
            return
        entries = {answer.entry.generation: answer.entry for answer in answers.values() if answer.entry}
        (entry,) = entries.values()
        for one, answer in answers.items():
            if answer.state is AnswerState.EXPIRED:
                assert self.now >= entry.stale_until
                continue
            # While the server has lost everything, what a reader does not hold is missing, and nothing else.
            assert answer.payload is not None or self.live is None
            if answer.payload is not None and said(answer, one) is not None:
                mark = self.marks[entry.generation]
                assert said(answer, one) == (mark, mark)
            if answer.state is AnswerState.FRESH:
                assert self.now < self.fresh_until[entry.generation]
                # A step back is never silent; what was rolled back to is of a later fence.
                assert latest is None or entry.fence >= latest.fence
        if latest is None or entry.fence >= latest.fence:
            self.latest[at] = entry

    @invariant()
    def what_is_live_is_what_went_live_last(self) -> None:
        live = self.publisher.live("kpis")
        assert (live and (live.generation, live.fence)) == (
            self.live and (self.live.generation, self.live.fence)
        )

    @invariant()
    def nothing_stays_for_ever(self) -> None:
        assert set(without_expiry(self.client)) <= LASTING_KEYS

    def went_live(self, entry: ManifestEntry) -> None:
        known = self.fresh_until.setdefault(entry.generation, entry.fresh_until)
        # No rollback and no restoration makes figures fresher than the reading made them.
        assert entry.fresh_until <= known
        self.live = entry


def check(url: str, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Cache(url),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_some_courses_of_events(cache_url: str) -> None:
    check(cache_url, 10, 20)


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_many_courses_of_events(each_cache_url: str, record) -> None:
    with record("any course of publications, rollbacks, deaths, flushes and restorations", "many") as tries:
        check(each_cache_url, 300, 40)
        tries.tries = 300

"""What writers do to the cache, each with what readers may see of it: before, after, and in no other way."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

import pytest
import redis

from kpi_pipeline.assets.archive import archive_month_ends
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.keys import REPLACED_KEY, members_key, payload_key, retired_key, variant_key
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.publishing.archive import Archive, MonthEndArchive
from kpi_pipeline.cache.publishing.cleanup import GRACE_S, Cleanup
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.restoration import Outcome, Restoration
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import Policy, Scope
from kpi_pipeline.resources.cache import CacheResource
from tests.faults.proxy import READS
from tests.faults.publications import (
    ACME,
    JANUARY,
    confirm,
    keep_month_end,
    look,
    look_at_month_end,
    publish,
    seen_of,
    stage,
)

LONG_AGO, MAY, JUNE = date(2000, 1, 31), date(2024, 5, 31), date(2024, 6, 30)
ELSEWHERE = Filter.of({"client": "elsewhere"})
MONTH_ENDS: Final = {MAY: 1, JUNE: 2}
NORTH = Scope("north", Filter.of({"client": "north"}))


@dataclass
class Machine:
    """Where an operation takes place.

    Attributes:
        client: A client of the server that no fault touches.
        folder: Of the archive.
    """

    client: redis.Redis
    folder: Path

    @property
    def archive(self) -> Archive:
        return Archive(self.client, self.folder)

    @property
    def month_end_archive(self) -> MonthEndArchive:
        return MonthEndArchive(self.client, self.folder)


class Operation:
    """Something that a writer does.

    Attributes:
        fault: Its failure, in words.
        passed_over: Commands at which the writer need not die.
        old: What readers may see before it, by `see`.
        new: What they may see after it.
    """

    fault: ClassVar[str]
    passed_over: ClassVar[frozenset[bytes]] = READS
    old: object
    new: object

    def prepare(self, machine: Machine) -> None:
        """What is there before."""
        raise NotImplementedError

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        """What a run does; the client is what may fail."""
        raise NotImplementedError

    def see(self, reader: CacheReader) -> object:
        """What a reader sees."""
        return look(reader)

    def allows(self, seen: object) -> bool:
        """Whether it may be seen at any time."""
        return seen in (self.old, self.new)

    def lose_and_restore(self, machine: Machine) -> None:
        """After all of it: let the server lose what the operation has put on disk, and restore that."""


class FirstPublication(Operation):
    fault = "a writer dies in the first publication"
    old, new = None, seen_of(1)

    def prepare(self, machine: Machine) -> None:
        pass

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        publish(client, 1, run=run)


class Publication(Operation):
    fault = "a writer dies in a publication that reuses answers and removes the oldest generation"
    old, new = seen_of(5), seen_of(6, reused=5)

    def prepare(self, machine: Machine) -> None:
        for mark in range(2, 6):
            publish(machine.client, mark)
        live = Publisher(machine.client).live("kpis")
        assert live is not None
        assert Additions(machine.client).add("kpis", live.previous[-1], [(ELSEWHERE, {"mark": 0})])

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        publish(client, 6, run=run, reuses=True)


class Confirmation(Operation):
    fault = "a writer dies while it confirms what is live"
    old = new = ()

    def prepare(self, machine: Machine) -> None:
        entry = publish(machine.client, 1)
        self.old, self.new = (seen_of(1), entry.fresh_until), (seen_of(1), "later")
        self._fresh_until = entry.fresh_until

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        confirm(client, run, 90)

    def see(self, reader: CacheReader) -> object:
        seen, fresh_until = look(reader), reader.manifest()["kpis"].fresh_until
        return seen, fresh_until if fresh_until == self._fresh_until else "later"


class ScopedPublication(Operation):
    fault = "a writer dies in the first publication for a scope"
    old, new = None, seen_of(1)

    def prepare(self, machine: Machine) -> None:
        publish(machine.client, 9)
        PublishedScopes(machine.client).publish(Policy({NORTH.name: NORTH}))

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        publish(client, 1, run=run, scope=NORTH.id)

    def see(self, reader: CacheReader) -> object:
        assert look(reader) == seen_of(9)
        return look(reader.within(NORTH.id, lambda _: None))


class Withdrawal(Operation):
    fault = "a writer dies while it withdraws a scope"
    old, new = seen_of(1), None

    def prepare(self, machine: Machine) -> None:
        publish(machine.client, 9)
        PublishedScopes(machine.client).publish(Policy({NORTH.name: NORTH}))
        publish(machine.client, 1, scope=NORTH.id)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        PublishedScopes(client).publish(Policy())

    def see(self, reader: CacheReader) -> object:
        # Who is let in by the policy is let in to nothing of a scope that it does not declare.
        policy = CacheReader(reader._read_client._client).policy()
        assert policy is not None
        return look(reader.within(NORTH.id, lambda _: None)) if NORTH.id in policy.ids else None


class MonthEnd(Operation):
    fault = "a writer dies while a month end replaces another"
    old, new = (seen_of(9), 1), (seen_of(9), 2)

    def prepare(self, machine: Machine) -> None:
        publish(machine.client, 9)
        keep_month_end(machine.client, JUNE, 1)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        keep_month_end(client, JUNE, 2, run)

    def see(self, reader: CacheReader) -> object:
        seen = look_at_month_end(reader, JUNE)
        assert seen is not None
        (mark,) = {value[0] if isinstance(value, tuple) else value for value in seen.values()}
        return look(reader), mark


class Addition(Operation):
    fault = "a writer dies while it adds answers and a bridge"
    old, new = (seen_of(1), None, None), (seen_of(1), 7, 7)

    def prepare(self, machine: Machine) -> None:
        publish(machine.client, 1)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        live = Publisher(client).live("kpis")
        assert live is not None
        additions = Additions(client)
        others = [(Filter.of({"client": f"client {number}"}), {"mark": 7}) for number in range(3)]
        assert additions.add("kpis", live.generation, [(ELSEWHERE, {"mark": 7}), *others])
        assert additions.add_bridge(live.generation, {"bridge": encode({"mark": 7}, {"name": "bridge"})})

    def see(self, reader: CacheReader) -> object:
        answer = reader.answer("kpis", ELSEWHERE)
        assert answer.payload is not None
        assert answer.entry is not None
        own = answer.payload.data()["mark"] if answer.answered == ELSEWHERE else None
        bridge = reader.live_list.document(answer.entry, "bridge")
        return look(reader), own, None if bridge is None else bridge.data()["mark"]

    def allows(self, seen: object) -> bool:
        # Answers are added one by one, the bridge after them; each is there or not.
        return seen in (self.old, self.new, (seen_of(1), 7, None))


class Archiving(Operation):
    fault = "a writer dies while it archives what is live"
    passed_over = frozenset()  # between its reads it writes files
    old = new = seen_of(3)

    def prepare(self, machine: Machine) -> None:
        for mark in (1, 2):
            machine.archive.store(publish(machine.client, mark))
        publish(machine.client, 3)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        live = Publisher(client).live("kpis")
        assert live is not None
        Archive(client, machine.folder).store(live)

    def lose_and_restore(self, machine: Machine) -> None:
        machine.client.flushall()
        restored = Restoration(machine.client, machine.archive).restore("kpis", time.time())
        assert restored.outcome is Outcome.RESTORED
        assert restored.problems == ()


class ArchivingMonthEnds(Operation):
    fault = "a writer dies while it archives month ends"
    passed_over = frozenset()
    old = new = MONTH_ENDS

    def prepare(self, machine: Machine) -> None:
        keep_month_end(machine.client, MAY, 1)
        keep_month_end(machine.client, JUNE, 2)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        cache = CacheResource()
        cache._client = client
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(CacheResource, "month_end_archive", MonthEndArchive(client, machine.folder))
            archive_month_ends(cache)

    def lose_and_restore(self, machine: Machine) -> None:
        machine.client.flushall()
        restoration = Restoration(machine.client, machine.month_end_archive)
        assert restoration.restore_month_ends("kpis", time.time()) == (["2024-06", "2024-05"], [])

    def see(self, reader: CacheReader) -> object:
        return month_ends_seen(reader)


class Restoring(Operation):
    fault = "a writer dies while it restores a flushed server"
    old, new = None, seen_of(2)

    def prepare(self, machine: Machine) -> None:
        for mark in (1, 2):
            machine.archive.store(publish(machine.client, mark))
        machine.client.flushall()

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        assert Leases(client).take("kpis", run)
        restored = Restoration(client, Archive(client, machine.folder)).restore("kpis", time.time())
        assert restored.outcome is Outcome.RESTORED
        Leases(client).release("kpis", run)


class Repairing(Restoring):
    fault = "a writer dies while it restores keys that a server has lost"

    def prepare(self, machine: Machine) -> None:
        for mark in (1, 2):
            machine.archive.store(entry := publish(machine.client, mark))
        for lost in (ACME, JANUARY):
            machine.client.unlink(payload_key(entry.generation, variant_key("kpis", lost)))

    def see(self, reader: CacheReader) -> object:
        # The generation before stands in for what is lost, marked as stale.
        answers = {one: reader.answer("kpis", one) for one in (EVERYTHING, ACME, JANUARY)}
        for one, answer in answers.items():
            assert answer.payload is not None
            assert answer.entry is not None
            assert answer.answered == one
            mark = answer.payload.data()["mark"]
            assert str(mark) == answer.entry.watermark
            assert (mark == 2) == (answer.miss is None)
        return None if any(answer.miss for answer in answers.values()) else look(reader)


class RestoringMonthEnds(Operation):
    fault = "a writer dies while it restores month ends"
    old, new = {}, {MAY: 1, JUNE: 2}

    def prepare(self, machine: Machine) -> None:
        archive = machine.month_end_archive
        archive.store(keep_month_end(machine.client, MAY, 1))
        archive.store(keep_month_end(machine.client, JUNE, 2))
        machine.client.flushall()

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        archive = MonthEndArchive(client, machine.folder)
        _, problems = Restoration(client, archive).restore_month_ends("kpis", time.time())
        assert problems == []

    def see(self, reader: CacheReader) -> object:
        return month_ends_seen(reader)

    def allows(self, seen: object) -> bool:
        # One month end after another, each whole; where May is asked for and missing there is none.
        return seen in (self.old, self.new, {JUNE: 2}, {MAY: 1, JUNE: 1})


class CleaningUp(Operation):
    fault = "a writer dies while it cleans up"
    old = new = (seen_of(3), {MAY: 1, JUNE: 2})

    def prepare(self, machine: Machine) -> None:
        client = machine.client
        for mark in (1, 2, 3):
            publish(client, mark)
        keep_month_end(client, LONG_AGO, 8)
        keep_month_end(client, MAY, 1)
        keep_month_end(client, JUNE, 2)
        publisher = Publisher(client)
        stage(publisher, "kpis", 7)
        retired = stage(publisher, "kpis", 8)
        client.rename(members_key(retired.generation), retired_key(retired.generation))
        without_set = stage(publisher, "kpis", 9)
        client.unlink(members_key(without_set.generation))
        client.hset(REPLACED_KEY, retired.generation, "{}")
        Requests(client, clock=lambda: 0).submit(RequestKind.REFRESH, "kpis", EVERYTHING)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        done = Cleanup(client).run(time.time() + GRACE_S + 60, MAY, 10**9)
        assert done.without_expiry == ()

    def see(self, reader: CacheReader) -> object:
        return look(reader), month_ends_seen(reader)


class RollingBack(Operation):
    fault = "a writer dies while it rolls all products back, and a scope with them"
    old, new = (
        {**dict.fromkeys(PRODUCTS, seen_of(mark)), NORTH.name: dict.fromkeys(PRODUCTS, seen_of(of_scope))}
        for mark, of_scope in ((3, 7), (2, 6))
    )

    def prepare(self, machine: Machine) -> None:
        PublishedScopes(machine.client).publish(Policy({NORTH.name: NORTH}))
        for mark in (1, 2, 3):
            read_at = time.time()
            for product in PRODUCTS:
                publish(machine.client, mark, product=product, computed_at=read_at)
                publish(machine.client, mark + 4, product=product, scope=NORTH.id, computed_at=read_at)

    def act(self, client: redis.Redis, machine: Machine, run: str) -> None:
        # Whoever runs the command again finds what it names: rolled back to by now or not.
        kept = {entry.reading: entry for entry in self._held(client)}
        result = Rollback(client).roll_back(generation=kept["reading 2"].generation)
        assert set(result.products) == set(PRODUCTS)

    def see(self, reader: CacheReader) -> object:
        within = reader.within(NORTH.id, lambda _: None)
        of_scope = {product: look(within, product) for product in PRODUCTS}
        return {**{product: look(reader, product) for product in PRODUCTS}, NORTH.name: of_scope}

    @staticmethod
    def _held(client: redis.Redis) -> list:
        kept = KeptGenerations(client)
        return [kept.live("kpis"), *kept.replaced("kpis")]


def month_ends_seen(reader: CacheReader) -> dict[date, int]:
    """By month end the mark that all of it has."""
    marks = {}
    for as_of in (MAY, JUNE):
        seen = look_at_month_end(reader, as_of)
        if seen is not None:
            (marks[as_of],) = {one[0] if isinstance(one, tuple) else one for one in seen.values()}
    return marks


OPERATIONS: Sequence[type[Operation]] = (
    FirstPublication,
    Publication,
    Confirmation,
    ScopedPublication,
    Withdrawal,
    MonthEnd,
    Addition,
    Archiving,
    ArchivingMonthEnds,
    Restoring,
    Repairing,
    RestoringMonthEnds,
    CleaningUp,
    RollingBack,
)

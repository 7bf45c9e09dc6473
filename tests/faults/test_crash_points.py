"""A writer dies at any command: readers see the old or the new, whole, and the next run mends the rest."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.keys import LASTING_KEYS
from kpi_pipeline.cache.publishing.cleanup import GRACE_S, Cleanup
from kpi_pipeline.cache.publishing.leases import LEASE_S, Leases
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.dimensions import PRODUCTS
from tests.faults.operations import LONG_AGO, OPERATIONS, Machine, Operation, Publication
from tests.faults.proxy import Death, Proxy, proxied, untouched
from tests.faults.publications import named_generations, without_expiry
from tests.faults.records import FaultRecord

pytestmark = pytest.mark.usefixtures("small_batches")


@pytest.fixture
def proxy(each_cache_url: str) -> Iterator[Proxy]:
    with proxied(each_cache_url) as proxy:
        yield proxy


@pytest.fixture
def machine(each_cache_url: str, tmp_path: Path) -> Iterator[Machine]:
    with connect(each_cache_url) as client:
        yield Machine(client, tmp_path)


def commands_of(operation: Operation, machine: Machine, proxy: Proxy) -> int:
    """How many commands that count an operation takes when nothing fails."""
    machine = emptied(machine, "whole")
    operation.prepare(machine)
    counting = Death(10**9, False, operation.passed_over)
    proxy.treatment = counting
    with connect(proxy.url) as client:
        operation.act(client, machine, "run")
    proxy.treatment = untouched
    return counting.seen


def emptied(machine: Machine, folder: str) -> Machine:
    """The same server, flushed, with an archive of its own."""
    machine.client.flushall()
    return Machine(machine.client, machine.folder / folder)


def die_at(
    operation: Operation,
    at: int,
    executed: bool,
    machine: Machine,
    proxy: Proxy,
    url: str,
    record: FaultRecord,
) -> bool:
    """Let a writer die, look, and let the next run do it again; False where it did not come to die."""
    client = machine.client
    machine = emptied(machine, f"{at}-{executed}")
    death = Death(at, executed, operation.passed_over)
    with connect_reader(url) as own:
        operation.prepare(machine)
        long_there = CacheReader(own, poll_s=0, history_poll_s=0)
        seen = operation.see(long_there)
        assert seen == operation.old, (operation, seen)

        proxy.treatment = death
        with connect(proxy.url) as writer, suppress(redis.RedisError):
            operation.act(writer, machine, "dead")
        proxy.treatment = untouched
        if not death.dead:
            return False
        record.tries += 1
        ended = time.monotonic()
        where = f"{type(operation).__name__}, command {at}, executed: {executed}"
        for reader in (long_there, CacheReader(own, poll_s=0, history_poll_s=0)):
            record.reads += 1
            try:
                seen = operation.see(reader)
            except AssertionError as error:
                record.mixed.append(f"{where}: {error}")
                continue
            if not operation.allows(seen):
                record.wrong.append(f"{where}: {seen}")
        assert set(without_expiry(client)) <= LASTING_KEYS, where
        # The lease of the dead ends by itself, or sooner: when its run is seen to be dead.
        assert all(client.pttl(key) <= LEASE_S * 1000 for key in client.scan_iter("kpi:lease:*"))
        Leases(client).revoke("dead")

        operation.act(client, machine, "next")
        for reader in (long_there, CacheReader(own, poll_s=0, history_poll_s=0)):
            assert operation.see(reader) == operation.new, where
        record.recovery_s.append(time.monotonic() - ended)
        nothing_is_left(machine, where)
        operation.lose_and_restore(machine)
        for reader in (long_there, CacheReader(own, poll_s=0, history_poll_s=0)):
            assert operation.see(reader) == operation.new, where
    return True


def nothing_is_left(machine: Machine, where: str) -> None:
    """After a clean-up there is no generation that nobody names, and no other file than whole ones."""
    client = machine.client
    Cleanup(client).run(time.time() + GRACE_S + 60, LONG_AGO, 10**9)
    named = set(named_generations(client))
    held = {key.decode().split(":")[2] for kind in "vgab" for key in client.scan_iter(f"kpi:{kind}:*")}
    assert held <= named, where
    assert set(without_expiry(client)) <= LASTING_KEYS, where
    assert set(client.hkeys("kpi:replaced")) <= {name.encode() for name in named}
    for archive in (machine.archive, machine.month_end_archive):
        for product in PRODUCTS:
            archived, problems = archive.entries(product)
            assert problems == []
            for one in archived:
                assert sum(len(batch) for batch in archive.frames(one.entry)) == one.entry.keys
    kinds: dict[str, set[str]] = {".entry": set(), ".frames": set()}
    for path in machine.folder.rglob("*.*"):
        kinds[path.suffix].add(path.stem)
    assert kinds[".entry"] == kinds[".frames"], where


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [0.5, 0.97])
def test_a_publication_that_dies_leaves_one_generation_whole(
    at: float, executed: bool, machine: Machine, proxy: Proxy, each_cache_url: str, record
) -> None:
    operation = Publication()
    place = int(at * commands_of(operation, machine, proxy))
    with record(operation.fault, "one_generation_whole") as tries:
        assert die_at(operation, place, executed, machine, proxy, each_cache_url, tries)


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_a_writer_dies_at_every_command(
    kind: type[Operation], machine: Machine, proxy: Proxy, each_cache_url: str, record
) -> None:
    operation = kind()
    with record(operation.fault, f"every_command and {kind.__name__}") as tries:
        for at in range(commands_of(operation, machine, proxy) + 5):
            for executed in (False, True):
                if not die_at(operation, at, executed, machine, proxy, each_cache_url, tries):
                    break
        assert tries.tries > 5

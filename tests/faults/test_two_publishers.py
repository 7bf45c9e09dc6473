"""Two publish one product: the one that is held beyond its lease changes nothing when it goes on."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.keys import lease_key
from kpi_pipeline.cache.publishing.cleanup import GRACE_S, Cleanup
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.scopes import WHOLE_FIRM
from tests.faults.operations import LONG_AGO
from tests.faults.proxy import READS, Forward, Proxy, proxied, untouched
from tests.faults.publications import Seen, look, named_generations, publish, seen_of
from tests.faults.records import FaultRecord
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("small_batches")

PUBLISHER = """
import sys
from kpi_pipeline.cache import batches
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.publishing import publisher
from tests.faults.publications import publish

batches.batches.__defaults__ = (2,)
publisher.BATCH, publisher._ATTACHED_AT_A_TIME = 2, 1
with connect(sys.argv[1], socket_timeout=120) as client:
    for line in sys.stdin:
        try:
            publish(client, 2, run=line.strip(), reuses=True)
            print("live", flush=True)
        except Exception as error:
            print(f"refused: {error!r}", flush=True)
"""
BEFORE, HELD, LATER, LATEST = seen_of(1), seen_of(2, reused=1), seen_of(3), seen_of(2, reused=3)


@dataclass
class Held:
    """A treatment that stops a process at one of its commands.

    Attributes:
        pid: The process.
        at: The number of the command, from 0, of those that change something.
        executed: Whether it is executed before the process stops.
        seen: How many there were.
        is_stopped: Whether it has been stopped.
    """

    pid: int
    at: int
    executed: bool
    seen: int = 0
    is_stopped: bool = False

    def __call__(self, command: Sequence[bytes], forward: Forward) -> bytes:
        if command[0].upper() in READS:
            return forward()
        self.seen += 1
        if self.is_stopped or self.seen <= self.at:
            return forward()
        reply = forward() if self.executed else None
        os.kill(self.pid, signal.SIGSTOP)
        self.is_stopped = True
        _wait_for_continuation(self.pid)
        return forward() if reply is None else reply


def _wait_for_continuation(pid: int) -> None:
    wait_until(lambda: not _is_stopped(pid), 120)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


class OtherPublisher:
    """A process that publishes a generation whenever it is told to."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid

    def publish(self, run: str) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{run}\n")
        self._process.stdin.flush()

    def outcome(self) -> str:
        """What came of it; waits for its end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def is_waiting(self) -> bool:
        """Whether it has come to an end."""
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def proxy(each_cache_url: str) -> Iterator[Proxy]:
    with proxied(each_cache_url) as made:
        yield made


@pytest.fixture
def other(proxy: Proxy) -> Iterator[OtherPublisher]:
    process = OtherPublisher(proxy.url)
    yield process
    process.end()


def hold_and_overtake(
    other: OtherPublisher, at: int, executed: bool, proxy: Proxy, url: str, tries: FaultRecord
) -> bool:
    """Stop a publisher at a command, publish meanwhile, and let it go on; False where it was not stopped."""
    where = f"command {at}, executed: {executed}"

    def look_at(reader: CacheReader, *allowed: Seen) -> Seen | None:
        tries.reads += 1
        try:
            seen = look(reader)
        except AssertionError as error:
            tries.mixed.append(f"{where}: {error}")
            return None
        if seen not in allowed:
            tries.wrong.append(f"{where}: {seen}")
        return seen

    with connect(url) as client, connect_reader(url) as own:
        client.flushall()
        publish(client, 1)
        reader = CacheReader(own, poll_s=0)
        look_at(reader, BEFORE)
        proxy.treatment = held = Held(other.pid, at, executed)
        other.publish(where)
        wait_until(lambda: held.is_stopped or other.is_waiting())
        if not held.is_stopped:
            proxy.treatment = untouched
            assert other.outcome() == "live"
            return False
        tries.tries += 1
        look_at(reader, BEFORE, HELD)
        # Beyond its lease, which ends by itself, and beyond the hour after which leftovers are removed.
        client.unlink(lease_key("kpis", WHOLE_FIRM))
        later = publish(client, 3, run="later")
        Cleanup(client).run(time.time() + GRACE_S + 60, LONG_AGO, 10**9)
        look_at(reader, LATER)
        os.kill(other.pid, signal.SIGCONT)
        ended = time.monotonic()
        other.outcome()
        proxy.treatment = untouched
        live = Publisher(client).live("kpis")
        # One that was held before it drew its fence reads the source after the other one.
        has_read_later = live is not None and live.fence > later.fence
        for one in (reader, CacheReader(own, poll_s=0)):
            look_at(one, LATEST if has_read_later else LATER)
        tries.recovery_s.append(time.monotonic() - ended)
        assert not has_read_later or (at, executed) == (0, False), where
        Cleanup(client).run(time.time() + GRACE_S + 60, LONG_AGO, 10**9)
        kept = {key.decode().split(":")[2] for kind in "vgab" for key in client.scan_iter(f"kpi:{kind}:*")}
        if left := kept - set(named_generations(client)):
            tries.lost.append(f"{where}: {left} stay for ever")
        client.unlink(lease_key("kpis", WHOLE_FIRM))
    return True


FAULT = "a publisher is held beyond its lease while another one publishes"


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_one_is_held_at_every_command(
    other: OtherPublisher, proxy: Proxy, each_cache_url: str, record
) -> None:
    with record(FAULT, "every_command") as tries:
        for at in range(1000):
            if not all(
                hold_and_overtake(other, at, executed, proxy, each_cache_url, tries)
                for executed in (False, True)
            ):
                break
        assert tries.tries > 20

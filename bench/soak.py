"""Whether a stack stays as it is under load, while it publishes: `python bench/soak.py [--minutes 30]`.

A stack of its own answers one address at a share of the most that it can, and each second answers and pages
of a filter drawn at random. Every few seconds a certificate changes and is published. It fails where an
answer is an error, or of an earlier reading than one before it, and where `steadiness` finds that something
has not stayed as it was. Needs Debian's wrk and hey.
"""

import argparse
import csv
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlencode

import redis
from refreshes import Refreshes
from stack import Stack, change, demo, stack_of
from steadiness import CACHE, WINDOW_S, Window, thirds, unsteady

from kpi_pipeline.cache.manifest import KEPT_READINGS, live_entry
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.stack.addresses import LOOPBACK

HOT: Final = "/manager/api/dashboard"
CONNECTIONS: Final = 16
MORE_KEYS: Final = 1.1
"""Generations that are kept may be larger than the live one, by so much."""

KEYS_OF_REQUESTS: Final = 5_000
"""Tasks of a day, counts and reports."""

PROGRAMS: Final = {
    "kpi_pipeline.worker": "worker",
    "granian": "web server",
    "serving": "web server",
    "events": "events",
    "valkey": CACHE,
    "dispatcher": "dispatcher",
    "monitor": "monitor",
    "dagster": "Dagster",
}
"""By a part of the command of a process what it is; the first that fits."""


@dataclass
class Reader:
    """Somebody who looks at pages and answers, each second another."""

    port: int
    errors: list[str] = field(default_factory=list)
    looks: int = 0
    _latest: dict[str, float] = field(default_factory=dict)

    def look(self, chosen: random.Random) -> None:
        catalogue = self._get("/manager/api/catalogue")
        dimension = chosen.choice(catalogue["data"]["dimensions"])
        if not dimension["values"]:
            return
        given = urlencode({dimension["name"]: chosen.choice(dimension["values"])["value"]})
        for path in ("/manager/api/dashboard", "/manager/api/kpis", "/manager/api/charts"):
            meta = self._get(f"{path}?{given}")["meta"]
            if meta["verified_at"] < self._latest.get(path, ""):
                self.errors.append(f"{path}?{given}: an earlier reading than before")
            self._latest[path] = meta["verified_at"]
        for page in (
            "/manager/dashboard",
            "/manager/indicators",
            "/manager/certificates",
            "/manager/changes",
        ):
            self._get(f"{page}?{given if page != '/manager/changes' else ''}", is_page=True)

    def _get(self, path: str, *, is_page: bool = False) -> Any:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.looks += 1
        # 202 is right for a filter that is not precomputed.
        if answer.status not in (200, 202):
            self.errors.append(f"{path}: {answer.status}")
        return None if is_page else json.loads(body)


def capacity(url: str) -> float:
    """The most answers a second."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-d15", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found is not None, text
    return float(found[1])


def paced(url: str, rate: float, seconds: int) -> tuple[list[float], Counter[str]]:
    """Milliseconds of each answer at a rate, and how many there were of each status."""
    each = max(rate / CONNECTIONS, 1)
    command = ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-q", f"{each:.0f}", "-o", "csv", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = list(csv.DictReader(text.splitlines()))
    statuses = Counter(row["status-code"] for row in rows)
    return [float(row["response-time"]) * 1000 for row in rows], statuses


def memory_mib(home: Path) -> dict[str, int]:
    """What the programs of a stack hold, each page of memory counted for one of those that share it."""
    held: dict[str, int] = defaultdict(int)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() not in (folder / "environ").read_bytes():
                continue
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            rolled = (folder / "smaps_rollup").read_text()
        except OSError:
            continue
        name = next((name for part, name in PROGRAMS.items() if part in command), "others")
        held[name] += int(rolled.partition("Pss:")[2].split()[0]) // 1024
    return dict(held)


def fill(stack: Stack) -> None:
    """Publish each product as often as generations of it are kept: from then on none is added."""
    for _ in range(KEPT_READINGS + 2):
        change(stack.url, 1)
        for product in PRODUCTS:
            Refreshes(stack.addresses, product).refresh()


def publishing(stack: Stack, every_s: float, ended: Event, published: list[float], errors: list[str]) -> None:
    """Change a certificate and have it published, again and again."""
    refreshes = Refreshes(stack.addresses, "dashboards")
    while not ended.is_set():
        begun = time.monotonic()
        change(stack.url, 1)
        try:
            refreshes.refresh()
        except (AssertionError, OSError, KeyError, ValueError) as error:
            errors.append(f"a refresh: {error!r}")
            refreshes = Refreshes(stack.addresses, "dashboards")
        else:
            published.append(time.monotonic())
        ended.wait(max(every_s - (time.monotonic() - begun), 0))


def looking(reader: Reader, ended: Event) -> None:
    """Look once a second."""
    chosen = random.Random(1)
    while not ended.wait(1):
        try:
            reader.look(chosen)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reader.errors.append(f"an answer: {error!r}")


def most_keys(cache: redis.Redis) -> int:
    """How many keys there may be: generations that are kept, one that is written, and those of requests."""
    live = [entry for product in PRODUCTS if (entry := live_entry(cache, product)) is not None]
    return round(MORE_KEYS * sum(entry.keys for entry in live) * (KEPT_READINGS + 3)) + KEYS_OF_REQUESTS


def windows(
    stack: Stack, rate: float, minutes: int, published: list[float]
) -> Iterator[tuple[Window, list[str]]]:
    """Each minute, and the errors in it."""
    url = f"http://{LOOPBACK}:{stack.addresses.web_port}{HOT}"
    cache = redis.Redis.from_url(stack.addresses.redis_url("pipeline"))
    for _ in range(minutes):
        before = len(published)
        times, statuses = paced(url, rate, WINDOW_S)
        wrong = [f"{HOT}: {count} answers {status}" for status, count in statuses.items() if status != "200"]
        if not times:
            yield Window(0, 0, 0, 0, {}, 0, 0, 0), ["no answers"]
            continue
        cuts = statistics.quantiles(times, n=100)
        window = Window(
            len(times),
            round(cuts[49], 2),
            round(cuts[98], 2),
            len(published) - before,
            memory_mib(stack.home),
            int(cache.info("memory")["used_memory"]) // 1024,  # type: ignore[index]
            int(cache.dbsize()),  # type: ignore[arg-type]
            most_keys(cache),
        )
        yield window, wrong


def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Everything measured."""
    with stack_of(f"sqlite:///{demo(folder, options.rows)}") as stack:
        url = f"http://{LOOPBACK}:{stack.addresses.web_port}{HOT}"
        fill(stack)
        most = capacity(url)
        rate = most * options.share
        print(f"at most {most:.0f} answers a second; {rate:.0f} from here on", flush=True)
        ended, published, errors = Event(), list[float](), list[str]()
        reader = Reader(stack.addresses.web_port)
        threads = [
            Thread(target=publishing, args=[stack, options.every, ended, published, errors]),
            Thread(target=looking, args=[reader, ended]),
        ]
        for thread in threads:
            thread.start()
        measured: list[Window] = []
        try:
            for window, wrong in windows(stack, rate, options.minutes, published):
                measured.append(window)
                errors += wrong
                print(window, *wrong, flush=True)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    errors += reader.errors
    return {
        "rows": options.rows,
        "share": options.share,
        "rate": round(rate),
        "minutes": options.minutes,
        "looks": reader.looks,
        "published": len(published),
        "errors": errors[:20],
        "faults": unsteady(measured, options.every),
        "thirds": [
            {
                "requests": sum(window.requests for window in part),
                "p50_ms": statistics.median(window.p50_ms for window in part),
                "p99_ms": statistics.median(window.p99_ms for window in part),
                "published": sum(window.published for window in part),
                "keys": max(window.keys for window in part),
                "mib": {
                    name: round(statistics.mean(window.mib.get(name, 0) for window in part))
                    for name in part[-1].mib
                },
            }
            for part in thirds(measured)
        ],
    }


def main() -> int:
    """Read the command line, and soak."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30, help="at least 3")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--every", type=float, default=5.0, help="seconds from one publication to the next")
    parser.add_argument("--share", type=float, default=0.7, help="of the most answers a second")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        result = soak(options, Path(folder))
    text = json.dumps(result, indent=1)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")
    return 1 if result["errors"] or result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())

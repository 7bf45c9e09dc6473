"""What is kept of answers: within its bytes, no longer than its generation, and written by one."""

import http.client
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses, http_answers
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.programs import programs
from serving.kept.memory import ResponseMemory
from tests.serving.conftest import Press, catalogue
from tests.serving.payloads import figures
from tests.waiting import wait_until

MOST_RESIDENT = 120_000_000


@dataclass(frozen=True)
class Page:
    name: str
    size: int = 10
    generation: str = "live"


@dataclass(frozen=True)
class File(Page):
    pass


def test_what_is_kept_is_found_by_its_kind() -> None:
    memory = ResponseMemory(100)
    memory.put("a", Page("a"))
    assert memory.get("a", Page) == Page("a")
    assert memory.get("a", File) is None
    assert memory.get("b", Page) is None


def test_bytes_are_bounded_and_the_least_recently_used_goes_first() -> None:
    memory = ResponseMemory(30)
    for name in "abc":
        memory.put(name, Page(name))
    memory.get("a", Page)
    memory.put("d", Page("d"))
    assert [name for name in "abcd" if memory.get(name, Page)] == ["a", "c", "d"]
    assert memory.size() == {"responses": 3, "bytes": 30, "limit": 30}
    memory.put("e", Page("e", size=31))
    assert memory.size() == {"responses": 0, "bytes": 0, "limit": 30}


def test_what_takes_the_place_of_another_counts_once() -> None:
    memory = ResponseMemory(30)
    for size in (10, 20):
        memory.put("a", Page("a", size=size))
    assert memory.size()["bytes"] == 20


def test_what_is_kept_goes_with_its_generation() -> None:
    memory = ResponseMemory(100)
    memory.put("old", Page("old", generation="one"))
    memory.put("new", Page("new", generation="two"))
    memory.put("past", Page("past", generation=""))
    memory.keep_only({"two"})
    assert [name for name in ("old", "new", "past") if memory.get(name, Page)] == ["new", "past"]


def test_of_several_who_miss_the_same_one_writes_it() -> None:
    memory, written, waiting = ResponseMemory(100), [], threading.Barrier(4)

    def request() -> None:
        waiting.wait(10)
        with memory.turn("a"):
            if memory.get("a", Page) is None:
                written.append("a")
                memory.put("a", Page("a"))

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert written == ["a"]


def test_different_answers_are_written_at_the_same_time() -> None:
    memory, inside = ResponseMemory(100), []

    def other() -> None:
        with memory.turn("b"):
            inside.append("b")

    with memory.turn("a"):
        thread = threading.Thread(target=other)
        thread.start()
        wait_until(lambda: inside == ["b"])
        thread.join(10)


@pytest.mark.slow
def test_a_worker_stays_within_its_memory_when_that_is_full(
    tmp_path: Path, cache_url: str, press: Press
) -> None:
    """The server as the stack starts it, with more figures and pages than it keeps."""
    stored = catalogue()
    values = {one["name"]: [value["value"] for value in one["values"]] for one in stored["dimensions"]}
    names = ("month", "state", "amount_band", "issued_age")
    chosen = [dict(zip(names, combined, strict=True)) for combined in product(*map(values.get, names))]
    filters = [Filter.of(one) for one in chosen]
    press.publish("kpis", answers={one: figures("kpis", scale=at) for at, one in enumerate(filters, 1)})
    pages = {one: figures("dashboards", scale=at) for at, one in enumerate(filters[:200], 1)}
    press.publish("dashboards", answers={**pages, EVERYTHING: figures("dashboards")})
    settings = Settings(
        KPI_HOME=tmp_path,
        REDIS_URL=cache_url,
        REDIS_SERVING_URL=cache_url,
        KPI_WEB_WORKERS=1,
        CELERY_BROKER_URL=cache_url,
        CELERY_RESULT_BACKEND=cache_url,
        KPI_ACCESS_LOG=False,
    )
    home, addresses = Home(settings), Addresses.choose(Settings(KPI_WEB_PORT=0, KPI_DAGSTER_PORT=0))
    home.run.mkdir(parents=True)
    (web,) = (one for one in programs(settings, home, addresses) if one.name == "web")
    process = subprocess.Popen(web.command, env={**os.environ, **web.environment})
    try:
        wait_until(lambda: http_answers(f"{addresses.web_url}/health/live"), 30, "the server answers")
        connection = http.client.HTTPConnection("127.0.0.1", addresses.web_port)

        def ask(path: str, one: Mapping[str, str], encoding: str) -> None:
            connection.request("GET", f"{path}?{urlencode(one)}", headers={"Accept-Encoding": encoding})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200

        for one in chosen:
            for encoding in ("zstd", "gzip", "identity"):
                ask("/manager/api/kpis", one, encoding)
        for one in chosen[:200]:
            for language in ("es", "en"):
                ask("/manager/dashboard", {**one, "lang": language}, "zstd")
        assert max(map(resident, children_of(process.pid))) <= MOST_RESIDENT
    finally:
        process.terminate()
        process.wait(15)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident(pid: int) -> int:
    """Bytes that a process has in memory, those that it shares with others included."""
    (line,) = (
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")
    )
    return int(line.split()[1]) * 1024

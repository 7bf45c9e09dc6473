"""`kpi top` shows what the system does, once or again and again."""

import os
import pty
import signal
import subprocess
import sys

import pytest
import redis

from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.performance import PerformanceCounters, duration_counts, lookup_field
from kpi_pipeline.model.performance import Measure, Outcome

pytestmark = pytest.mark.slow


def count(server: redis.Redis) -> None:
    counters = PerformanceCounters(server)
    counters.add({lookup_field("kpis", Outcome.HIT): 1, lookup_field("kpis", Outcome.STALE): 2})
    counters.add({lookup_field("kpis", Outcome.MISS, MissReason.NOT_PRECOMPUTED.value): 1})
    counters.add(duration_counts(Measure.ANSWER, "figures", [0.01], size=100))


def rows(output: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}


def test_without_a_terminal_it_is_shown_once(kpi, published) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as server:
        count(server)
    ran = kpi("top", REDIS_URL=os.environ["REDIS_URL"])
    assert ran.code == 0, ran.errors
    shown = rows(ran.output)
    assert shown["health"] == ["health", "degraded"]
    assert "the pipeline does not report its state" in ran.output
    assert shown["kpis"][1] == "fresh"
    assert shown["kpis"][-3:] == ["4", "75.0%", "2"]
    assert shown["figures"][1] == "1"
    assert all(10 <= float(text) <= 12 for text in shown["figures"][2:])


def test_without_a_server_it_says_so_and_what_to_do(kpi) -> None:
    ran = kpi("top", REDIS_URL="redis://127.0.0.1:1/0")
    assert ran.code == 0
    assert "Redis does not answer" in ran.output
    ran = kpi("top")
    assert ran.code == 1
    assert "kpi up" in ran.errors


def test_on_a_terminal_it_goes_on_until_it_is_interrupted(published, tmp_path) -> None:
    master, terminal = pty.openpty()
    shown = bytearray()
    process = subprocess.Popen(
        [sys.executable, "-m", "kpi_pipeline.cli", "top", "--interval", "0.5"],
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"},
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
    )
    os.close(terminal)
    try:
        while shown.count(b"dashboards") < 2:
            shown.extend(os.read(master, 65536))
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        os.close(master)

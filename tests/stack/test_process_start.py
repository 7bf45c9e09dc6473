"""A process of the pipeline starts with both servers, or ends saying what to set; damage does not end it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import DISPATCHER_KEY, PIPELINE_REPORT_KEY
from kpi_pipeline.stack.process_start import start_process
from tests.faults.proxy import Forward, proxied
from tests.waiting import wait_until


def test_it_is_connected_by_the_settings(cache_url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", cache_url)
    monkeypatch.setenv("KPI_DAGSTER_URL", "http://127.0.0.1:3000")
    servers = start_process("monitor")
    assert servers.settings.home == tmp_path
    assert servers.cache.ping()
    assert servers.dagster.url == "http://127.0.0.1:3000"


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, "KPI_DAGSTER_URL is not set: start the monitor by `kpi up`"),
        ({"KPI_DAGSTER_URL": "http://127.0.0.1:3000"}, "kpi up"),
        ({"KPI_DAGSTER_URL": "http://127.0.0.1:3000", "REDIS_URL": "nonsense"}, "REDIS_URL"),
    ],
)
def test_without_a_server_it_says_what_to_set(
    settings: dict[str, str], advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REDIS_URL", "KPI_DAGSTER_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"KPI_HOME": str(tmp_path), **settings}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=advice):
        start_process("monitor")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damaged", "sign"),
    [("dispatcher", b"HKEYS", DISPATCHER_KEY), ("monitor", b"HGETALL", PIPELINE_REPORT_KEY)],
)
def test_it_outlives_a_reply_of_another_kind(
    name: str, damaged: bytes, sign: str, cache_url: str, tmp_path: Path
) -> None:
    replies = [b":7\r\n"]

    def damage(command: Sequence[bytes], forward: Forward) -> bytes:
        return replies.pop() if replies and command[0] == damaged else forward()

    with proxied(cache_url) as proxy, connect(cache_url) as client:
        proxy.treatment = damage
        settings = {
            "KPI_HOME": str(tmp_path),
            "REDIS_URL": proxy.url,
            "KPI_DAGSTER_URL": "http://127.0.0.1:9",
        }
        with subprocess.Popen(
            [sys.executable, "-m", f"kpi_pipeline.stack.{name}"], env={**os.environ, **settings}
        ) as process:
            try:
                wait_until(lambda: client.exists(sign) or process.poll() is not None)
                assert process.poll() is None
                assert not replies
            finally:
                process.kill()

"""A process of the pipeline starts with both servers, or ends saying what to set."""

from pathlib import Path

import pytest

from kpi_pipeline.stack.process_start import start_process


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

"""Each publication sees to the files that pages draw charts with."""

import os
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.keys import static_file_key, static_name_key
from kpi_pipeline.cache.static_files import StaticFileView
from kpi_pipeline.compute.charts.page_files import page_files

pytestmark = pytest.mark.slow

NAMES = sorted(file.name for file in page_files())


def named() -> dict[str, str]:
    with connect_reader(os.environ["REDIS_URL"]) as client:
        return dict(StaticFileView(client).named(NAMES))


def written(result) -> list[str]:
    (event,) = result.asset_materializations_for_node("live_kpis")
    return list(event.metadata["page_files_written"].value)


def test_files_are_published_once_and_live_as_long_as_figures(demo_home: Path, run, read) -> None:
    first = run("refresh_kpis")
    assert sorted(written(first)) == NAMES
    files = named()
    assert sorted(files) == NAMES
    assert written(run("refresh_kpis")) == []
    assert named() == files
    live = read().manifest()["kpis"]
    with connect(os.environ["REDIS_URL"]) as client:
        for name, digest in files.items():
            for key in (static_name_key(name), static_file_key(digest)):
                assert client.expiretime(key) > live.stale_until


def test_a_restored_cache_has_them_without_the_source(
    published: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_SOURCE_URL", "sqlite:////nowhere/gone.db")
    with connect(os.environ["REDIS_URL"]) as client:
        client.flushall()
    assert named() == {}
    assert run("restore_cache").success
    assert sorted(named()) == NAMES

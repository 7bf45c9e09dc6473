"""`kpi warm`: what it refuses before it asks for anything."""

import os
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import REQUESTS_KEY

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "arguments",
    [("--all", "--product", "kpis"), ("--all", "--filter", "client=x"), ("--product", "profits")],
)
def test_contradictions_are_wrong_usage(kpi, arguments: tuple[str, ...]) -> None:
    assert kpi("warm", *arguments).code == 2


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("colour=red", ("colour", "client", "project_manager")),
        ("estado=perdido", ("perdido", "pagado", "rechazado")),
        ("client", ("name=value", "client", "month")),
        ("client=", ("name=value",)),
    ],
)
def test_an_unknown_filter_is_refused_with_what_is_allowed(
    kpi, published: Path, option: str, words: tuple[str, ...]
) -> None:
    address = os.environ["REDIS_URL"]
    ran = kpi("warm", "--filter", option, REDIS_URL=address, KPI_DAGSTER_URL=NOWHERE)
    assert ran.code == 2
    assert all(word in ran.errors for word in words)
    with connect(address) as client:
        assert client.exists(REQUESTS_KEY) == 0


def test_a_filter_of_what_was_never_published_is_explained(kpi, cache_url: str) -> None:
    ran = kpi("warm", "--filter", "client=x", REDIS_URL=cache_url, KPI_DAGSTER_URL=NOWHERE)
    assert ran.code == 1
    assert "publish it with `kpi warm`" in ran.errors


def test_a_server_that_is_away_is_explained(kpi) -> None:
    away = {"REDIS_URL": "redis://127.0.0.1:1/0", "KPI_DAGSTER_URL": NOWHERE}
    ran = kpi("warm", "--filter", "client=x", **away)
    assert ran.code == 1
    assert "Redis" in ran.errors
    assert "Traceback" not in ran.errors

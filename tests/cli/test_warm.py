"""`kpi warm`: what it refuses before it asks for anything, and what it reports of a rollback."""

import os
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import REQUESTS_KEY
from kpi_pipeline.cache.live_readings import LiveReading, LiveReadings
from kpi_pipeline.cli.warm import RollbackEnd
from kpi_pipeline.model.dimensions import PRODUCTS

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


def readings(**products: tuple[str, bool]) -> LiveReadings:
    """The reading that each product shows, and whether it is rolled back to it."""
    moments = {"first": 1_000.0, "second": 5_000.0}
    return LiveReadings(
        {
            product: LiveReading(digest, moments[digest], 9_000.0, 6_000.0 if rolled_back else None)
            for product, (digest, rolled_back) in products.items()
        },
        mixed=False,
    )


BACK = readings(kpis=("first", True), charts=("first", True))


def test_the_end_of_a_rollback_is_reported_with_the_reading_that_is_live() -> None:
    end = RollbackEnd.between(BACK, readings(kpis=("second", False), charts=("second", False)), PRODUCTS)
    assert list(end.sentences()) == [
        "the rollback of kpis, charts has ended: live is the reading of 1970-01-01T01:23:20Z, which the "
        "source holds"
    ]
    assert end.problems == []


def test_figures_that_stay_because_the_source_went_back_are_explained() -> None:
    end = RollbackEnd.between(BACK, readings(kpis=("first", False), charts=("first", False)), PRODUCTS)
    assert any("the same as before" in sentence for sentence in end.sentences())


def test_products_that_were_not_asked_for_stay_and_are_named() -> None:
    after = readings(kpis=("second", False), charts=("first", True))
    end = RollbackEnd.between(BACK, after, ["kpis"])
    assert list(end.sentences())[-1].startswith("charts: still rolled back")
    assert end.problems == []


def test_a_rollback_made_meanwhile_is_a_failure() -> None:
    live = readings(kpis=("second", False))
    assert list(RollbackEnd.between(live, live, PRODUCTS).sentences()) == []
    (problem,) = RollbackEnd.between(live, readings(kpis=("first", True)), PRODUCTS).problems
    assert problem.startswith("kpis: rolled back while the run was under way")

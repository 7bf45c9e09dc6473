"""Warming verifies what it published, and lists what failed."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import typer

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import MANIFEST_KEY, members_key, payload_key, variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cli.console import ProgressDisplay
from kpi_pipeline.cli.warm_variants import read_filter, verify, warm_variants
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.stack.dagster_client import DagsterClient

SERVER = DagsterClient("http://127.0.0.1:1")
"""No server: a request is followed without it."""

PAID = Filter.of({"state": "pagado"})


@pytest.fixture
def client(published: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


@pytest.fixture
def display() -> ProgressDisplay:
    return ProgressDisplay(silent=True)


@contextmanager
def pipeline_that(client: redis.Redis, deals: Callable[[Requests, str], None]) -> Iterator[None]:
    """Someone who takes requests up."""
    done = threading.Event()

    def work() -> None:
        requests = Requests(client)
        while not done.wait(0.01):
            for request in requests.pending("test", 10):
                assert request.kind is RequestKind.WARM
                deals(requests, request.id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    done.set()
    thread.join()


def entry_of(client: redis.Redis, product: str) -> ManifestEntry:
    return ManifestEntry.from_json(client.hget(MANIFEST_KEY, product))


@pytest.mark.slow
def test_a_variant_is_asked_for_followed_and_read_back(client, display) -> None:
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=True)):
        warmed = warm_variants(client, SERVER, ["kpis", "charts"], ["ESTADO=Pagado"], display)
    assert [(one.product, one.filter, one.problem) for one in warmed] == [
        ("kpis", PAID, None),
        ("charts", PAID, None),
    ]
    assert [one.generation for one in warmed] == [
        entry_of(client, product).generation for product in ("kpis", "charts")
    ]
    assert UsageCounters(client).most_requested_filters("kpis", 10) == [PAID]


@pytest.mark.slow
def test_a_run_that_fails_is_told_with_its_reason(client, display) -> None:
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=False, reason="no disk")):
        (warmed,) = warm_variants(client, SERVER, ["kpis"], ["state=pagado"], display)
    assert (warmed.generation, warmed.problem) == (None, "no disk")


@pytest.mark.slow
def test_a_run_that_succeeds_without_the_variant_is_a_failure(client, display) -> None:
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=True)):
        (warmed,) = warm_variants(client, SERVER, ["kpis"], ["state=pagado", "state=enviado"], display)
    assert warmed.generation is None
    assert "KPI_PRECOMPUTE_MAX_VARIANTS" in warmed.problem


@pytest.mark.slow
def test_figures_that_are_spoilt_are_a_failure(client, display) -> None:
    key = payload_key(entry_of(client, "kpis").generation, variant_key("kpis", PAID))
    client.set(key, b"x", keepttl=True)
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=True)):
        (warmed,) = warm_variants(client, SERVER, ["kpis"], ["state=pagado"], display)
    assert "corrupt" in warmed.problem


@pytest.mark.slow
def test_a_cache_that_is_emptied_meanwhile_is_a_failure(client, display) -> None:
    with pipeline_that(client, lambda requests, task: client.delete(f"kpi:task:{task}")):
        (warmed,) = warm_variants(client, SERVER, ["kpis"], ["state=pagado"], display)
    assert "lost" in warmed.problem


@pytest.mark.slow
def test_every_answer_of_every_product_is_read_back(client, display) -> None:
    verified = verify(client, PRODUCTS, display)
    assert [one.product for one in verified] == list(PRODUCTS)
    for one in verified:
        assert one.problems == ()
        assert one.answers == entry_of(client, one.product).keys


@pytest.mark.slow
def test_what_is_wrong_is_listed(client, display) -> None:
    generation = entry_of(client, "kpis").generation
    client.delete(payload_key(generation, variant_key("kpis", EVERYTHING)))
    client.delete(members_key(entry_of(client, "charts").generation))
    client.hdel(MANIFEST_KEY, "financials")
    found = {one.product: one.problems for one in verify(client, PRODUCTS, display)}
    assert found["dashboards"] == ()
    assert [len(found[product]) for product in ("kpis", "charts", "financials")] == [1, 1, 1]
    assert variant_key("kpis", EVERYTHING) in found["kpis"][0]


CATALOGUE = {
    "dimensions": [
        {"name": "month", "values": [{"value": month, "count": 1} for month in ("2024-05", "2024-06")]},
        {"name": "state", "values": [{"value": state, "count": 1} for state in ("revision", "enviado")]},
    ],
    "periods": [
        {"name": "this_month", "spellings": ["este_mes"], "dimension": "month", "values": ["2024-06"]}
    ],
    "groups": [
        {
            "dimension": "state",
            "name": "pendientes",
            "spellings": [],
            "values": ["revision", "enviado"],
        }
    ],
}


@pytest.mark.parametrize(
    ("options", "selection"),
    [
        ([], {}),
        (["periodo=Este_Mes"], {"month": "2024-06"}),
        (["desde=2024-05", "hasta=2024-06"], {"month": ["2024-05", "2024-06"]}),
        (["estado=Pendientes", "mes=2024-05"], {"state": ["revision", "enviado"], "month": "2024-05"}),
    ],
)
def test_periods_ranges_and_groups_are_understood(options: list[str], selection: dict) -> None:
    assert read_filter(options, CATALOGUE) == Filter.of(selection)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["month"], "names are: month, .*period, from, to"),
        (["period=9d"], "use one of: this_month"),
        (["from=2024-07"], "use one of: 2024-05, 2024-06"),
        (["period=this_month", "month=2024-06"], "'month' and 'period' cannot go together"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_what_can_be(options: list[str], message: str) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        read_filter(options, CATALOGUE)

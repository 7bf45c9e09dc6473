"""Warming verifies what it published, and lists what failed."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import MANIFEST_KEY, members_key, payload_key, variant_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.requests.tasks import RequestKind, Requests
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cli.console import Board
from kpi_pipeline.cli.warming import verify, warm_variants
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter

pytestmark = pytest.mark.slow

PAID = Filter.of({"state": "pagado"})


@pytest.fixture
def client(published: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


@pytest.fixture
def board() -> Board:
    return Board(silent=True)


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


def test_a_variant_is_asked_for_followed_and_read_back(client, board) -> None:
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=True)):
        warmed = warm_variants(client, ["kpis", "charts"], ["ESTADO=Pagado"], board)
    assert [(one.product, one.filter, one.problem) for one in warmed] == [
        ("kpis", PAID, None),
        ("charts", PAID, None),
    ]
    assert [one.generation for one in warmed] == [
        entry_of(client, product).generation for product in ("kpis", "charts")
    ]
    assert UsageCounters(client).most_requested_filters("kpis", 10) == [PAID]


def test_a_run_that_fails_is_told_with_its_reason(client, board) -> None:
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=False, reason="no disk")):
        (warmed,) = warm_variants(client, ["kpis"], ["state=pagado"], board)
    assert (warmed.generation, warmed.problem) == (None, "no disk")


def test_a_run_that_succeeds_without_the_variant_is_a_failure(client, board) -> None:
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=True)):
        (warmed,) = warm_variants(client, ["kpis"], ["state=pagado", "state=enviado"], board)
    assert warmed.generation is None
    assert "KPI_PRECOMPUTE_MAX_VARIANTS" in warmed.problem


def test_figures_that_are_spoilt_are_a_failure(client, board) -> None:
    key = payload_key(entry_of(client, "kpis").generation, variant_key("kpis", PAID))
    client.set(key, b"x", keepttl=True)
    with pipeline_that(client, lambda requests, task: requests.finished(task, ok=True)):
        (warmed,) = warm_variants(client, ["kpis"], ["state=pagado"], board)
    assert "corrupt" in warmed.problem


def test_a_cache_that_is_emptied_meanwhile_is_a_failure(client, board) -> None:
    with pipeline_that(client, lambda requests, task: client.delete(f"kpi:task:{task}")):
        (warmed,) = warm_variants(client, ["kpis"], ["state=pagado"], board)
    assert "lost" in warmed.problem


def test_every_answer_of_every_product_is_read_back(client, board) -> None:
    verified = verify(client, PRODUCTS, board)
    assert [one.product for one in verified] == list(PRODUCTS)
    for one in verified:
        assert one.problems == ()
        assert one.answers == entry_of(client, one.product).variants + 1


def test_what_is_wrong_is_listed(client, board) -> None:
    generation = entry_of(client, "kpis").generation
    client.delete(payload_key(generation, variant_key("kpis", EVERYTHING)))
    client.delete(members_key(entry_of(client, "charts").generation))
    client.hdel(MANIFEST_KEY, "financials")
    found = {one.product: one.problems for one in verify(client, PRODUCTS, board)}
    assert found["dashboards"] == ()
    assert [len(found[product]) for product in ("kpis", "charts", "financials")] == [1, 1, 1]
    assert variant_key("kpis", EVERYTHING) in found["kpis"][0]

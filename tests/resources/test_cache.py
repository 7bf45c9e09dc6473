"""The cache as assets see it: one client for a run, and the lease of a product."""

from pathlib import Path

import pytest
import redis
from dagster import Failure, asset, materialize

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.resources import cache as module
from kpi_pipeline.resources.cache import CacheResource


@pytest.fixture
def redis_url(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("REDIS_URL", valkey_url)
    return valkey_url


def test_a_run_has_one_client(redis_url: str) -> None:
    clients: list[redis.Redis] = []

    @asset
    def first(cache: CacheResource) -> None:
        clients.extend([cache.client, cache.client])

    assert materialize([first], resources={"cache": CacheResource()}).success
    assert clients[0] is clients[1]


def test_the_address_is_needed_only_when_the_cache_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    cache = CacheResource()
    with pytest.raises(NoRedis):
        _ = cache.client


def test_a_lease_is_held_and_given_back(redis_url: str) -> None:
    cache = CacheResource()
    leases = Leases(cache.client)
    with cache.lease("kpis", "a run") as extend_lease:
        extend_lease()
        assert leases.holder("kpis") == "a run"
    assert leases.holder("kpis") is None


def test_a_lease_that_its_holder_keeps_fails_the_run_that_waits(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.0)
    cache = CacheResource()
    waiting = cache.lease("kpis", "another run")
    with cache.lease("kpis", "a run"), pytest.raises(Failure, match="is being rebuilt by run a run"):
        waiting.__enter__()

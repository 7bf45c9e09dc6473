"""Connections: where the server is, and what is said when there is none."""

import pytest
import redis

from kpi_pipeline.cache.connection import NoRedis, connect, connect_reader, redis_url
from kpi_pipeline.settings import Settings


def test_redis_url_of_the_settings_comes_first(tmp_path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "redis.url").write_text("redis://embedded/0")
    settings = Settings(KPI_HOME=tmp_path, REDIS_URL="redis://u:p@elsewhere/0")
    assert redis_url(settings) == "redis://u:p@elsewhere/0"


def test_the_running_embedded_server_is_found(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "redis.url").write_text("redis://pipeline:pw@127.0.0.1:1234/0\n")
    assert redis_url(Settings(KPI_HOME=tmp_path)) == "redis://pipeline:pw@127.0.0.1:1234/0"


def test_without_a_server_the_message_says_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(NoRedis, match="start `kpi up` or set REDIS_URL"):
        redis_url(Settings(KPI_HOME=tmp_path))


def test_an_address_that_cannot_be_read(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    (tmp_path / "run" / "redis.url").mkdir(parents=True)
    with pytest.raises(NoRedis, match="cannot be read"):
        redis_url(Settings(KPI_HOME=tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://u:hunter2@host",
        "redis://u:hunter2/x@host:1/0",
        "redis://u:hunter2@host:port/0",
    ],
)
def test_a_malformed_address_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(NoRedis, match="redis://user:password@host") as caught:
        connect(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_replies_are_bytes_and_nothing_is_tried_twice(each_cache_url) -> None:
    for client, timeout in ((connect(each_cache_url), 5.0), (connect_reader(each_cache_url), 0.5)):
        with client:
            client.set("kpi:x", "é")
            assert client.get("kpi:x") == "é".encode()
            options = client.get_connection_kwargs()
            assert options["socket_timeout"] == options["socket_connect_timeout"] == timeout
            assert client.get_retry().get_retries() == 0


def test_nobody_listening_is_an_error_at_the_first_command() -> None:
    with connect("redis://127.0.0.1:1/0") as nowhere, pytest.raises(redis.ConnectionError):
        nowhere.ping()

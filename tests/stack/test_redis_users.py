"""The cache's users on a server of somebody else's, and the files of their addresses."""

import stat
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import MANIFEST_KEY
from kpi_pipeline.stack.redis_check import RedisUnusable, check_redis, check_serving_user
from kpi_pipeline.stack.redis_users import UserFiles, UsersRefused, create_users, url_of_user


@pytest.fixture
def files(tmp_path: Path, each_cache_url: str):
    yield UserFiles.of(tmp_path / "kpi")
    with connect(each_cache_url) as client:
        client.execute_command("ACL", "DELUSER", "pipeline", "serving")


def address(file: Path, variable: str) -> str:
    name, _, url = file.read_text().strip().partition("=")
    assert name == variable
    return url


def test_one_user_writes_and_the_other_cannot(each_cache_url: str, files: UserFiles) -> None:
    with connect(each_cache_url) as admin:
        has_file = bool(admin.info("server")["config_file"])
    assert create_users(each_cache_url, files, renew=False) is has_file
    pipeline = address(files.pipeline, "REDIS_URL")
    serving = address(files.serving, "REDIS_SERVING_URL")
    assert pipeline != serving
    check_redis(pipeline)
    check_serving_user(serving)
    with connect(serving) as reading, pytest.raises(redis.exceptions.NoPermissionError):
        reading.hset(MANIFEST_KEY, "kpis", "x")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (files.pipeline, files.serving)} == {0o600}


def test_passwords_stay_until_they_are_renewed(each_cache_url: str, files: UserFiles) -> None:
    create_users(each_cache_url, files, renew=False)
    before = files.pipeline.read_text(), files.serving.read_text()
    create_users(each_cache_url, files, renew=False)
    assert (files.pipeline.read_text(), files.serving.read_text()) == before
    create_users(each_cache_url, files, renew=True)
    assert files.pipeline.read_text() != before[0]
    assert files.serving.read_text() != before[1]
    with pytest.raises(RedisUnusable):
        check_serving_user(before[1].strip().partition("=")[2])


def test_a_user_without_the_right_to_it_creates_none(each_cache_url: str, files: UserFiles) -> None:
    create_users(each_cache_url, files, renew=False)
    with pytest.raises(UsersRefused, match="administrator"):
        create_users(address(files.pipeline, "REDIS_URL"), files, renew=False)


def test_a_user_who_can_write_is_none_for_serving(each_cache_url: str) -> None:
    with pytest.raises(RedisUnusable, match="can write"):
        check_serving_user(each_cache_url)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("redis://host:6379/0", "redis://serving:pw@host:6379/0"),
        ("rediss://admin:a%40b@[::1]:6380/2?x=1", "rediss://serving:pw@[::1]:6380/2?x=1"),
        ("unix://admin:old@/run/redis.sock?db=0", "unix://serving:pw@/run/redis.sock?db=0"),
    ],
)
def test_an_address_changes_its_user_only(server: str, expected: str) -> None:
    assert url_of_user(server, "serving", "pw") == expected

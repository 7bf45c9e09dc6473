"""Whether a Redis server can serve as the cache."""

from typing import Final

import redis

from kpi_pipeline.cache.connection import connect

OLDEST_VERSION: Final = 7


class RedisUnusable(RuntimeError):
    """The server does not answer, refuses the user or is too old; the message says what to do."""


def check_redis(url: str) -> str:
    """Read the name and version of a server, such as `valkey 9.1.2`.

    Raises:
        RedisUnusable: If it cannot serve as the cache; the message holds no password.
        NoRedis: If the address is malformed.
    """
    try:
        with connect(url) as client:
            client.ping()
            info = client.info("server")
    except redis.AuthenticationError as error:
        raise RedisUnusable(
            f"Redis rejects the user or password ({error}): correct them in REDIS_URL"
        ) from error
    except redis.RedisError as error:
        raise RedisUnusable(
            f"Redis does not answer ({error}): start the server that REDIS_URL names, or unset REDIS_URL "
            "to use the embedded one"
        ) from error
    # Valkey reports the version of Redis that it is compatible with, and its own.
    compatible = str(info["redis_version"])
    name = str(info.get("server_name", "redis"))
    if int(compatible.partition(".")[0]) < OLDEST_VERSION:
        raise RedisUnusable(
            f"Redis {compatible} is too old: use {OLDEST_VERSION}.0 or later, or any Valkey server"
        )
    return f"{name} {info.get(f'{name}_version', compatible)}"

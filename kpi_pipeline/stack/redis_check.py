"""Whether a Redis server can serve as the cache."""

from typing import Final

import redis

from kpi_pipeline.cache.connection import connect

OLDEST_VERSION: Final = 7

_WRITTEN: Final = "kpi:check"
"""A key that is gone a millisecond later."""


class RedisUnusable(RuntimeError):
    """The server does not answer, refuses the user or a write, or is too old; the message says what to do."""


class RedisSilent(RedisUnusable):
    """The server does not answer."""


def check_serving_user(url: str) -> None:
    """Check that the user of an address cannot write figures.

    Raises:
        RedisUnusable: If the user can, or is not admitted.
        NoRedis: If the address is malformed.
    """
    try:
        with connect(url) as client:
            client.set(_WRITTEN, 1, px=1)
    except redis.exceptions.NoPermissionError:
        return
    except redis.RedisError as error:
        raise RedisUnusable(
            f"Redis does not admit the user in REDIS_SERVING_URL ({error}): run `kpi setup redis`"
        ) from error
    raise RedisUnusable(
        "the user in REDIS_SERVING_URL can write figures: run `kpi setup redis`, and use the address that "
        "it writes"
    )


def check_redis(url: str) -> str:
    """Write to a server, and read its name and version, such as `valkey 9.1.2`.

    Raises:
        RedisSilent: If it does not answer; the message holds no password.
        RedisUnusable: If it cannot serve as the cache for another reason; likewise.
        NoRedis: If the address is malformed.
    """
    try:
        with connect(url) as client:
            client.set(_WRITTEN, 1, px=1)
            info = client.info("server")
    except redis.AuthenticationError as error:
        raise RedisUnusable(
            f"Redis rejects the user or password ({error}): correct them in REDIS_URL"
        ) from error
    except redis.BusyLoadingError as error:
        raise RedisUnusable("Redis is still loading its data: wait a moment, then try again") from error
    except redis.ReadOnlyError as error:
        raise RedisUnusable(
            "Redis is a replica that takes no writes: let REDIS_URL name the primary server"
        ) from error
    except redis.OutOfMemoryError as error:
        raise RedisUnusable(
            "Redis is full and takes no writes: raise its maxmemory, or lower KPI_PRECOMPUTE_MAX_BYTES and "
            "KPI_HISTORY_BYTES"
        ) from error
    except redis.ResponseError as error:
        raise RedisUnusable(
            f"Redis takes no writes ({error}): see its log, and the rights of the user in REDIS_URL"
        ) from error
    except redis.RedisError as error:
        raise RedisSilent(
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

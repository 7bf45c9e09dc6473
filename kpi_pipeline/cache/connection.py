"""Connections to Redis, and its address."""

from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from kpi_pipeline.settings import Settings

WRITER_TIMEOUT_S: Final = 5.0
"""How long a writer waits: a server that saves to a slow disk can pause for seconds."""

READER_TIMEOUT_S: Final = 0.5
"""How long a reader waits: a person is waiting for the page."""


FAILURES: Final = (redis.RedisError, ValueError, TypeError, LookupError, AttributeError)
"""What a command raises whose server cannot be reached, refuses, or answers what is no reply to it.

The client parses replies without checking them: of damaged ones it raises whatever comes of that.
"""


def is_damage(error: Exception) -> bool:
    """Whether a failure is no error that the client knows: a log entry of it says where it comes from."""
    return isinstance(error, FAILURES) and not isinstance(error, redis.RedisError)


class NoRedis(RuntimeError):
    """The address of the Redis server is missing or malformed; the message names the remedy."""


def connect(
    url: str, *, socket_timeout: float = WRITER_TIMEOUT_S, socket_connect_timeout: float = WRITER_TIMEOUT_S
) -> redis.Redis:
    """A client of the server at an address; it connects when first used.

    Nothing is retried silently: the caller knows better what a second try is worth.

    Args:
        url: redis://, rediss:// or unix:// with user, password and database number.
        socket_timeout: Seconds to wait for an answer.
        socket_connect_timeout: Seconds to wait for a connection.

    Returns:
        A client that threads may share and that gives replies as bytes.

    Raises:
        NoRedis: If the address is malformed.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=socket_timeout,
            socket_connect_timeout=socket_connect_timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,  # RESP 3 costs a handshake of its own and brings nothing here
            driver_info=None,
        )
    except ValueError:
        # The cause is left out: it may quote a part of the password.
        raise NoRedis(
            "REDIS_URL is no address of a Redis server: use redis://user:password@host:6379/0, "
            "with special characters of the password percent-encoded"
        ) from None


def connect_reader(url: str) -> redis.Redis:
    """A client for serving: it gives up after `READER_TIMEOUT_S`.

    Raises:
        NoRedis: If the address is malformed.
    """
    return connect(url, socket_timeout=READER_TIMEOUT_S, socket_connect_timeout=READER_TIMEOUT_S)


def redis_url(settings: Settings) -> str:
    """The address of the cache: REDIS_URL, or else that of the running embedded server.

    Raises:
        NoRedis: If there is neither.
    """
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    address = settings.home / "run" / "redis.url"
    try:
        return address.read_text().strip()
    except FileNotFoundError:
        raise NoRedis(
            f"no Redis server is known ({address} is missing): start `kpi up` or set REDIS_URL"
        ) from None
    except OSError as error:
        raise NoRedis(
            f"{address} cannot be read ({error.strerror}): run as the user who started `kpi up`, "
            "or set REDIS_URL"
        ) from error

"""The signs that workers give while they can take runs up: written by each worker, read by the monitor."""

import time
from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import WORKERS_KEY

FORGOTTEN_S: Final = 86_400.0
"""A machine that was taken away says nothing when its worker was killed with it."""


def give_sign(client: redis.Redis, worker: str) -> None:
    """Show that a worker can take runs up.

    Args:
        client: A client of the user `pipeline`.
        worker: Its name.
    """
    client.hset(WORKERS_KEY, worker, repr(time.time()))


def last_signs(client: redis.Redis) -> dict[str, bytes]:
    """The last sign of each worker, by name: any value, another one with each sign.

    A worker that has given none for `FORGOTTEN_S` is no longer one, and is forgotten.
    """
    signs = cast("dict[bytes, bytes]", client.hgetall(WORKERS_KEY))
    earliest = time.time() - FORGOTTEN_S
    gone = [worker for worker, sign in signs.items() if float(sign) < earliest]
    if gone:
        client.hdel(WORKERS_KEY, *gone)
    return {worker.decode(): sign for worker, sign in signs.items() if worker not in gone}


def forget_worker(client: redis.Redis, worker: str) -> None:
    """Forget a worker that has ended, and is to give no more signs."""
    client.hdel(WORKERS_KEY, worker)

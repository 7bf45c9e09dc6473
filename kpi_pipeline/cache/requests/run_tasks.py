"""The tasks that a run works on: a request that the run will fulfil joins it, until it reads the source.

What is submitted after that may want a change that the reading has missed: it waits for a run of its own.
"""

import time
from collections.abc import Iterable
from itertools import chain
from typing import Final, cast

import redis

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.keys import REQUESTS_KEY, in_flight_key, run_key, task_key
from kpi_pipeline.cache.requests.requests import IN_FLIGHT_S, TASK_KEPT_S
from kpi_pipeline.cache.scripts import HAND_ON, JOIN_RUN, RELEASE_LEASE
from kpi_pipeline.tracing import TRACEPARENT

_READING: Final = b"reading"
_ENDED: Final = b"ended"

_AT_ONCE: Final = 500
"""Tasks that are read or written at a time: very many may wait."""

_REQUEST_FIELDS: Final = tuple(
    name.encode()
    for name in (
        *("id", "kind", "product", "filter", "scope", "days", "asked_at", "request", "by", "ends_rollback"),
        "needs_refresh",
        TRACEPARENT,
    )
)
"""What an entry of the stream holds, and its task keeps."""


class RunTasks:
    """Which tasks have joined which run. Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._join = client.register_script(JOIN_RUN)
        self._hand_on = client.register_script(HAND_ON)
        self._release = client.register_script(RELEASE_LEASE)

    def join(self, run_id: str, task_ids: Iterable[str]) -> bool:
        """Let a run work on some more tasks; a second call with the same ones changes nothing.

        Returns:
            False, with nothing recorded, when the run has begun to read the source or has ended.
        """
        joining = list(task_ids)
        joined = bool(self._join(keys=[run_key(run_id)], args=[TASK_KEPT_S, *joining]))
        if joined:
            self.assign(run_id, joining)
        return joined

    def assign(self, run_id: str, task_ids: Iterable[str]) -> None:
        """Record on tasks which run will work on them, for those who follow them."""
        for batch in batches(task_ids, _AT_ONCE):
            keys = [task_key(task_id) for task_id in batch]
            known = self._client.pipeline(transaction=False)
            for key in keys:
                known.exists(key)
            found = known.execute()
            assigned = self._client.pipeline(transaction=False)
            for key, is_there in zip(keys, found, strict=True):
                if is_there:
                    assigned.hset(key, "run_id", run_id)
            assigned.execute()

    def joined(self, run_id: str) -> list[str]:
        """The tasks that have joined a run, sorted."""
        fields = cast("list[bytes]", self._client.hkeys(run_key(run_id)))
        return sorted(field.decode() for field in fields if field not in (_READING, _ENDED))

    def begin_reading(self, run_id: str, task_ids: Iterable[str]) -> None:
        """Let nothing join a run from now on; call it before the run looks at the source.

        A later request that equals one of the run's gets a task of its own.

        Args:
            run_id: The run.
            task_ids: The tasks that it was started for.
        """
        self._close(run_id, _READING)
        for batch in batches((*task_ids, *self.joined(run_id)), _AT_ONCE):
            reading = self._client.pipeline(transaction=False)
            for task_id in batch:
                reading.hget(task_key(task_id), "request")
            requests = cast("list[bytes | None]", reading.execute())
            releasing = self._client.pipeline(transaction=False)
            for task_id, request in zip(batch, requests, strict=True):
                key = in_flight_key((request or b"").decode())
                self._release(keys=[key], args=[task_id], client=releasing)
            releasing.execute()

    def end(self, run_id: str) -> list[str]:
        """Let nothing join a run that has ended; returns the tasks that had joined it, sorted."""
        self._close(run_id, _ENDED)
        return self.joined(run_id)

    def hand_on(self, task_id: str, *, needs_refresh: bool = False) -> bool:
        """Put the request of a task into the stream again: the run that it had joined did not fulfil it.

        Args:
            task_id: The task.
            needs_refresh: Whether another run can only fulfil it by a refresh.

        Returns:
            False, with nothing done, when the task has ended or is gone.
        """
        if needs_refresh and self._client.exists(task_key(task_id)):
            self._client.hset(task_key(task_id), "needs_refresh", "1")
        task = cast("dict[bytes, bytes]", self._client.hgetall(task_key(task_id)))
        fields = {name: task[name] for name in _REQUEST_FIELDS if name in task}
        handed_on = self._hand_on(
            keys=[task_key(task_id), in_flight_key(task.get(b"request", b"").decode()), REQUESTS_KEY],
            args=[task_id, IN_FLIGHT_S, *chain(*fields.items())],
        )
        return bool(handed_on)

    def _close(self, run_id: str, field: bytes) -> None:
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hset(run_key(run_id), field, repr(time.time()))
        pipeline.expire(run_key(run_id), TASK_KEPT_S)
        pipeline.execute()

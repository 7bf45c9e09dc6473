"""Requests from serving to the pipeline: a bounded stream, and a task with the state of each request.

A request is delivered at least once. Its consumer records the result before it acknowledges the request,
and may receive the same one again after a crash, with the same id.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from hashlib import blake2b
from itertools import chain
from typing import Final, cast
from uuid import uuid4

import orjson
import redis

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.filter_text import filter_from_text, filter_to_text
from kpi_pipeline.cache.keys import REQUESTS_KEY, in_flight_key, progress_key, task_key
from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.cache.requests.deliveries import Backlog, Delivery, Fields, RequestStream
from kpi_pipeline.cache.requests.tasks import Progress, Request, RequestKind, Task, TaskState, TaskStatus
from kpi_pipeline.cache.scripts import ADVANCE, SUBMIT
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.performance import Measure
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.tracing import TRACEPARENT, traceparent

STREAM_LENGTH: Final = 10_000
"""How many requests the stream holds at most: then it takes no more until some have a run."""

IN_FLIGHT_S: Final = 900
"""A request that is not finished after so long has expired."""

TASK_KEPT_S: Final = 86_400
_TASK_ID: Final = re.compile(r"[0-9a-f]{32}")

ALL_PRODUCTS: Final = "all"
"""Stands for all products in a request for one reading of the source."""

_TARGETS: Final = (*PRODUCTS, ALL_PRODUCTS)


class Requests:
    """Both ends of the stream. Errors of Redis propagate.

    Args:
        client: A client of the user `serving` (to submit and to read states) or `pipeline` (all).
        clock: The present, in seconds since the epoch.
    """

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._submit = client.register_script(SUBMIT)
        self._advance = client.register_script(ADVANCE)
        self._alarms = Alarms(client)
        self._stream = RequestStream(client)
        self._performance = PerformanceCounters(client, clock=clock)

    def submit(
        self,
        kind: RequestKind,
        product: str,
        filter: Filter,
        scope: str = WHOLE_FIRM,
        *,
        days: tuple[date, date] | None = None,
        by: str = "",
        ends_rollback: bool = False,
        needs_refresh: bool = False,
    ) -> Task:
        """Submit a request to the pipeline. Equal requests share one task until its run reads the source.

        Args:
            kind: What to do.
            product: One of `model.dimensions.PRODUCTS`, or `ALL_PRODUCTS`.
            filter: For which certificates.
            scope: The readers' scope.
            days: The two days of a bridge, where one is requested.
            by: The sensor, schedule or command that submits it; empty for a reader.
            ends_rollback: Whether to publish also what an administrator has rolled back from.
            needs_refresh: Whether to read the source, also where an answer could be added to what is live.

        Raises:
            ValueError: If there is no such product.
            redis.ResponseError: If the stream is full.
        """
        if product not in _TARGETS:
            raise ValueError(f"unknown product {product!r}; one of: {', '.join(PRODUCTS)}")
        same = orjson.dumps([kind, product, filter.identity, scope, days, ends_rollback, needs_refresh])
        request = blake2b(same, digest_size=16).hexdigest()
        fresh_id = uuid4().hex
        fields: dict[str, str | bytes] = {
            "id": fresh_id,
            "kind": kind.value,
            "product": product,
            "filter": filter_to_text(filter),
            "scope": scope,
            "days": "" if days is None else "/".join(day.isoformat() for day in days),
            "asked_at": repr(self._clock()),
            "request": request,
            "by": by,
            "ends_rollback": str(int(ends_rollback)),
            "needs_refresh": str(int(needs_refresh)),
        }
        if place := traceparent():
            fields[TRACEPARENT] = place
        task_id: bytes = self._submit(
            keys=[REQUESTS_KEY, in_flight_key(request), task_key(fresh_id)],
            args=[fresh_id, IN_FLIGHT_S, TASK_KEPT_S, STREAM_LENGTH, *chain(*fields.items())],
        )
        return Task(task_id.decode(), task_id.decode() != fresh_id)

    def status(self, task_id: str) -> TaskStatus | None:
        """The state of a request; None when there is no such task, or no longer."""
        if not _TASK_ID.fullmatch(task_id):
            return None
        fields = self._task(task_id)
        try:
            status = _task_status(fields)
        except (KeyError, ValueError):
            return None
        if status.run_id is not None:
            status = replace(status, progress=self._progress(status.run_id))
        return status if self._in_time(status) else replace(status, state=TaskState.EXPIRED)

    def pending(self, consumer: str, limit: int, *, patience_s: float = 0.0) -> list[Request]:
        """Take requests to work on: those that another consumer abandoned, then new ones.

        Malformed requests are logged, counted as an alarm and dropped.

        Args:
            consumer: The consumer's name.
            limit: How many at most, from 1.
            patience_s: Leave new ones to others unless the oldest has waited for so many seconds.
        """
        return self._well_formed(self._stream.left_or_new(consumer, limit, patience_s))

    def take(self, consumer: str, limit: int, wait_s: float) -> list[Request]:
        """Take requests to work on: those that an earlier process of the same name took and did not
        acknowledge, once whatever it had begun is over; else new ones, waiting for the first.

        Malformed requests are logged, counted as an alarm and dropped.

        Args:
            consumer: The consumer's name.
            limit: How many at most, from 1.
            wait_s: How long to wait, more than 0 and less than the client's timeout.
        """
        return self._well_formed(self._stream.own_or_new(consumer, limit, wait_s))

    def backlog(self) -> Backlog:
        """How many requests are left to work on."""
        return self._stream.backlog()

    def unread(self) -> tuple[int, float]:
        """How many requests nobody has read, and for how many seconds the earliest of them waits."""
        return self._stream.unread()

    def sign(self) -> None:
        """Show that the dispatcher reads requests."""
        self._stream.sign()

    def silent_s(self) -> float | None:
        """Seconds since the last sign of the dispatcher; None when it gave none for a week."""
        return self._stream.silent_s()

    def started(self, task_id: str, run_id: str) -> bool:
        """Record that a run works on a request; a second call with the same run changes nothing.

        Returns:
            False, with nothing recorded, when the task has ended or is gone.
        """
        known = self._task(task_id)
        if known.get(b"state") == TaskState.STARTED.encode() and known.get(b"run_id") == run_id.encode():
            return True
        return self._move(
            task_id, TaskState.STARTED, IN_FLIGHT_S, {"started_at": repr(self._clock()), "run_id": run_id}
        )

    def progressed(self, run_id: str, steps: int, steps_done: int, **times: float) -> None:
        """Record the progress of a run, for every request that it works on.

        Args:
            run_id: The run.
            steps: How many steps it has.
            steps_done: How many have succeeded.
            times: `computed_at` and `published_at`, once they are known.
        """
        progress = {"steps": steps, "steps_done": steps_done, **times}
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hset(progress_key(run_id), items=list(chain(*progress.items())))
        pipeline.expire(progress_key(run_id), TASK_KEPT_S)
        pipeline.execute()

    def finished(
        self, task_id: str, ok: bool, reason: str | None = None, *, run_id: str | None = None
    ) -> bool:
        """Record how a request ended; the first end counts. A later equal request gets a new task.

        Args:
            task_id: Its task.
            ok: Whether it succeeded.
            reason: Why not, if not.
            run_id: The run that has ended with it; None where that does not matter.

        Returns:
            False, with nothing recorded, when the task has ended before or is gone, or when the run has
            handed it on.
        """
        state = TaskState.SUCCEEDED if ok else TaskState.FAILED
        now = self._clock()
        fields = {"finished_at": repr(now)}
        if not ok:
            fields["reason"] = reason or "no reason was given: see the run"
        task = self._task(task_id)
        if run_id is not None and task.get(b"run_id", b"").decode() != run_id:
            return False
        recorded = self._move(task_id, state, 0, fields)
        # How long readers wait: nobody does for a sensor or schedule.
        if recorded and ok and not task.get(b"by"):
            self._measure(task, now)
        return recorded

    def acknowledge(self, *entries: str) -> None:
        """Remove requests from the stream, once their results are recorded, by their `Request.entry`."""
        self._stream.acknowledge(entries)

    def _measure(self, task: Mapping[bytes, bytes], now: float) -> None:
        try:
            kind, requested_at = RequestKind(task[b"kind"].decode()), float(task[b"asked_at"])
        except (KeyError, ValueError):
            return
        self._performance.add_duration(Measure.REFRESH, kind.value, now - requested_at)

    def _well_formed(self, delivered: list[Delivery]) -> list[Request]:
        taken = []
        for entry, fields, again in delivered:
            try:
                taken.append(replace(_request(entry, fields), again=again))
            except (KeyError, ValueError) as error:
                self._alarms.sound(
                    "request_malformed", entry, f"dropped ({error!r}): check who writes requests"
                )
                self.acknowledge(entry)
        return taken

    def _move(self, task_id: str, state: TaskState, in_flight_s: int, fields: Mapping[str, str]) -> bool:
        request = self._task(task_id).get(b"request", b"").decode()
        moved = self._advance(
            keys=[task_key(task_id), in_flight_key(request)],
            args=[task_id, state.value, in_flight_s, *chain(*fields.items())],
        )
        return bool(moved)

    def _task(self, task_id: str) -> dict[bytes, bytes]:
        return cast("dict[bytes, bytes]", self._client.hgetall(task_key(task_id)))

    def _progress(self, run_id: str) -> Progress:
        fields = cast("Fields", self._client.hgetall(progress_key(run_id)))
        try:
            return Progress(
                steps=int(fields[b"steps"]),
                steps_done=int(fields[b"steps_done"]),
                computed_at=_time(fields, b"computed_at"),
                published_at=_time(fields, b"published_at"),
            )
        except (KeyError, ValueError):
            return Progress()

    def _in_time(self, status: TaskStatus) -> bool:
        if status.state not in (TaskState.QUEUED, TaskState.STARTED):
            return True
        return self._clock() < (status.started_at or status.requested_at) + IN_FLIGHT_S


def _request(entry: str, fields: Mapping[bytes, bytes]) -> Request:
    product = fields[b"product"].decode()
    task_id = fields[b"id"].decode()
    if product not in _TARGETS or not _TASK_ID.fullmatch(task_id):
        raise ValueError("unknown product or malformed id")
    return Request(
        entry=entry,
        id=task_id,
        kind=RequestKind(fields[b"kind"].decode()),
        product=product,
        filter=filter_from_text(fields[b"filter"]),
        scope=fields[b"scope"].decode(),
        requested_at=float(fields[b"asked_at"]),
        days=_days(fields.get(b"days", b"").decode()),
        traceparent=fields.get(TRACEPARENT.encode(), b"").decode(errors="replace"),
        by=fields.get(b"by", b"").decode(errors="replace"),
        ends_rollback=fields.get(b"ends_rollback") == b"1",
        needs_refresh=fields.get(b"needs_refresh") == b"1",
    )


def _task_status(fields: Mapping[bytes, bytes]) -> TaskStatus:
    request = _request("", fields)
    run_id, reason = fields.get(b"run_id"), fields.get(b"reason")
    return TaskStatus(
        id=request.id,
        kind=request.kind,
        product=request.product,
        filter=request.filter,
        scope=request.scope,
        state=TaskState(fields[b"state"].decode()),
        requested_at=request.requested_at,
        started_at=_time(fields, b"started_at"),
        finished_at=_time(fields, b"finished_at"),
        run_id=run_id.decode() if run_id else None,
        reason=reason.decode() if reason else None,
        days=request.days,
    )


def _days(text: str) -> tuple[date, date] | None:
    if not text:
        return None
    opens_on, closes_on = map(date.fromisoformat, text.split("/"))
    return opens_on, closes_on


def _time(fields: Fields, name: bytes) -> float | None:
    text = fields.get(name)
    return float(text) if text else None

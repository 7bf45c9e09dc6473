"""The dispatcher: a request becomes a run as soon as it is submitted, not at the next tick of a sensor.

Started as `python -m kpi_pipeline.stack.dispatcher`. It may be killed at any moment: a request stays in
the stream until its run is recorded, and its successor first checks whether that has happened.
"""

import logging
import time
from typing import Final, cast

import redis

from kpi_pipeline.cache.connection import FAILURES, is_damage
from kpi_pipeline.cache.keys import MANIFEST_KEY
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.requests.fulfil import (
    RESTORE_JOB,
    TRACE_TAG,
    LaunchRefused,
    RunRequestSpec,
    RunUnderWay,
    fulfil,
    task_tag,
)
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import Request
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.logs import log_ids
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.stack.dagster_client import DagsterClient, DagsterUnreachable, RunRefused
from kpi_pipeline.stack.process_start import start_process
from kpi_pipeline.tracing import span, traceparent

CONSUMER: Final = "dispatcher"
TAKEN_AT_ONCE: Final = 500
WAIT_S: Final = 1.0
RETRY_S: Final = 60.0
"""How long a loss waits for the restoration that was started, before another one is."""

HELD_S: Final = 0.5
"""How long to wait for new requests while others wait for the end of a run."""

SIGN_S: Final = 5.0
"""Seconds between two signs that it reads requests, for the monitor."""

_PAUSE_S: Final = 0.5
_LOG: Final = logging.getLogger(__name__)


class Dispatcher:
    """Takes requests and starts their runs, and restorations as soon as the manifest is lost.

    The sensor `cold_cache` finds other losses too, but somebody waits when nothing can be served.

    Args:
        client: A client of the user `pipeline`.
        server: Where runs are started.
        archive: What can be restored.
    """

    def __init__(self, client: redis.Redis, server: DagsterClient, archive: Archive) -> None:
        self._client = client
        self._archive = archive
        self._restored_at = float("-inf")
        self._signed_at = float("-inf")
        self._requests = Requests(client)
        self._usage_counters = UsageCounters(client)
        self._server = server
        self._held: list[Request] = []

    def dispatch(self, wait_s: float = WAIT_S) -> int:
        """Wait for requests and start the runs that fulfil them.

        Args:
            wait_s: How long to wait.

        Returns:
            How many requests wait for the end of a run that has begun to read.

        Raises:
            redis.RedisError: If Redis fails; what was taken is delivered again.
            DagsterUnreachable: If the web server does not answer; likewise.
        """
        if time.monotonic() >= self._signed_at + SIGN_S:
            self._requests.sign()
            self._signed_at = time.monotonic()
        taken = self._requests.take(CONSUMER, TAKEN_AT_ONCE, min(wait_s, HELD_S) if self._held else wait_s)
        # One that waits is delivered again now and then: its successor would take it over.
        waiting = {request.entry: request for request in (*taken, *self._held)}
        self._held = fulfil(
            waiting.values(),
            self._requests,
            self._usage_counters,
            run_tasks=RunTasks(self._client),
            under_way=self._under_way,
            has_run=lambda request: self._server.run_with_tag(*task_tag(request)) is not None,
            launch=self._launch,
        )
        return len(self._held)

    def restore_lost(self) -> bool:
        """Start a restoration if the manifest has lost a product that is archived.

        Returns:
            Whether one was started; after that none is for `RETRY_S`, unless nothing was lost in between.

        Raises:
            redis.RedisError: If Redis fails.
            DagsterUnreachable: If the web server does not answer.
        """
        held = {field.decode() for field in cast("list[bytes]", self._client.hkeys(MANIFEST_KEY))}
        lost = [product for product in PRODUCTS if product not in held and self._archive.entries(product)[0]]
        if not lost:
            self._restored_at = float("-inf")
        if not lost or time.monotonic() < self._restored_at + RETRY_S:
            return False
        try:
            run_id = self._server.launch(RESTORE_JOB, {"kpi/lost": ", ".join(lost)})
        except RunRefused as error:  # perhaps the code server is starting
            _LOG.warning("%s", error)
            return False
        self._restored_at = time.monotonic()
        _LOG.warning("the manifest has lost %s: run %s restores", ", ".join(lost), run_id)
        return True

    def _under_way(self) -> list[RunUnderWay]:
        try:
            runs = self._server.unfinished_runs()
        except RunRefused as error:
            raise DagsterUnreachable(str(error)) from error
        return [RunUnderWay(run.run_id, run.job, run.tags) for run in runs]

    def _launch(self, spec: RunRequestSpec) -> str:
        first, *others = sorted((request.traceparent for request in spec.requests), reverse=True)
        with span(f"start {spec.job}", parent=first, links=filter(None, others)):
            place = traceparent()
            try:
                run_id = self._server.launch(spec.job, {**spec.tags, **({TRACE_TAG: place} if place else {})})
            except RunRefused as error:  # perhaps the code server is starting
                raise LaunchRefused(str(error)) from error
        for request in spec.requests:
            with log_ids(task_id=request.id, run_id=run_id):
                _LOG.info("%s fulfils a request of kind %s", spec.job, request.kind.value)
        return run_id


def run() -> None:
    """Dispatch until the process is ended.

    Raises:
        SystemExit: If settings name no servers; says what to set.
    """
    settings, client, dagster = start_process("dispatcher")
    archive = Archive(client, settings.archive)
    dispatcher = Dispatcher(client, dagster, archive)
    failing = ""
    while True:
        try:
            dispatcher.restore_lost()
            dispatcher.dispatch()
            failing = ""
        except (*FAILURES, DagsterUnreachable) as error:
            if type(error).__name__ != failing:
                _LOG.warning("requests wait: %s", error, exc_info=is_damage(error))
            failing = type(error).__name__
            time.sleep(_PAUSE_S)


if __name__ == "__main__":
    run()

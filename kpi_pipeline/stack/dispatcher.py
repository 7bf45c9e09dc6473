"""The dispatcher: a request becomes a run as soon as it is asked, not at the next tick of a sensor.

Started as `python -m kpi_pipeline.stack.dispatcher`. It may be killed at any moment: a request stays in
the stream until its run is recorded, and whoever comes next first looks whether that has happened.
"""

import logging
import time
from collections.abc import Sequence
from typing import Final

import redis

from kpi_pipeline.cache.connection import NoRedis, connect, redis_url
from kpi_pipeline.cache.requests.run_requests import TASK_TAG, RunRequestSpec, run_request_specs
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, Requests
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import DagsterClient, DagsterUnreachable, RunRefused

CONSUMER: Final = "dispatcher"
TAKEN_AT_ONCE: Final = 500
WAIT_S: Final = 2.0
GIVE_UP_S: Final = 120.0
"""A request that Dagster refuses for so long has failed."""

_PAUSE_S: Final = 0.5
_LOG: Final = logging.getLogger(__name__)


class Dispatcher:
    """Takes requests and starts their runs.

    Args:
        client: A client of the user `pipeline`.
        server: Where runs are started.
    """

    def __init__(self, client: redis.Redis, server: DagsterClient) -> None:
        self._requests = Requests(client)
        self._usage_counters = UsageCounters(client)
        self._server = server

    def dispatch(self, wait_s: float = WAIT_S) -> int:
        """Wait for requests and start the runs that fulfil them.

        Args:
            wait_s: How long to wait.

        Returns:
            How many runs were started.

        Raises:
            redis.RedisError: If Redis fails; what was taken is delivered again.
            DagsterUnreachable: If the web server does not answer; likewise.
        """
        waiting = [request for request in self._take(wait_s) if not self._has_run(request)]
        return sum(self._start(spec) for spec in run_request_specs(waiting))

    def _take(self, wait_s: float) -> Sequence[Request]:
        return self._requests.take(CONSUMER, TAKEN_AT_ONCE, wait_s)

    def _has_run(self, request: Request) -> bool:
        """Whether somebody who then died had started a run; the request is done with if so."""
        if not request.again:
            return False
        found = self._server.run_with_tag(f"{TASK_TAG}{request.id}", request.entry)
        if found is not None:
            self._requests.acknowledge(request.entry)
        return found is not None

    def _start(self, spec: RunRequestSpec) -> bool:
        for request in spec.requests:
            if request.kind is RequestKind.WARM:
                self._usage_counters.add_request(request.product, request.filter)
        try:
            run_id = self._server.launch(spec.job, spec.tags)
        except RunRefused as error:
            self._refused(spec, str(error))
            return False
        for request in spec.requests:
            self._requests.acknowledge(request.entry)
        _LOG.info("%s answers %d requests: run %s", spec.job, len(spec.requests), run_id)
        return True

    def _refused(self, spec: RunRequestSpec, reason: str) -> None:
        """Leave requests for another try: the code server may be starting. In the end they have failed."""
        _LOG.warning("%s", reason)
        for request in spec.requests:
            if time.time() - request.requested_at > GIVE_UP_S:
                self._requests.finished(request.id, False, reason)
                self._requests.acknowledge(request.entry)


def run() -> None:
    """Dispatch until the process is ended.

    Raises:
        SystemExit: If settings name no servers; says what to set.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings()
    if settings.dagster_url is None:
        raise SystemExit("KPI_DAGSTER_URL is not set: start the dispatcher by `kpi up`, or set it")
    try:
        client = connect(redis_url(settings))
    except NoRedis as error:
        raise SystemExit(str(error)) from error
    dispatcher = Dispatcher(client, DagsterClient(str(settings.dagster_url)))
    failing = ""
    while True:
        try:
            dispatcher.dispatch()
            failing = ""
        except (redis.RedisError, DagsterUnreachable) as error:
            if type(error).__name__ != failing:
                _LOG.warning("requests wait: %s", error)
            failing = type(error).__name__
            time.sleep(_PAUSE_S)


if __name__ == "__main__":
    run()

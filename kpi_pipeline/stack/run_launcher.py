"""The run launcher of the stack: a terminated run stops, and nothing of it is published after that."""

import logging
from typing import Final

import redis
from dagster import DagsterRunStatus
from dagster_celery.launcher import CeleryRunLauncher

from kpi_pipeline.cache.connection import NoRedis, connect, redis_url
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.celery_internals import is_waiting
from kpi_pipeline.settings import Settings

_LOG: Final = logging.getLogger(__name__)


class RevokingCeleryRunLauncher(CeleryRunLauncher):
    """Starts runs as Celery tasks, as its base does, and ends them for good.

    The base only signals the process: Dagster takes that for a failure, and retries the step and the run.
    """

    def terminate(self, run_id: str) -> bool:
        """End a run; returns False when there is none that could be ended."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if run.status is not DagsterRunStatus.CANCELING:
            self._instance.report_run_canceling(run)
        _revoke(run_id)
        if is_waiting(self.celery, run.tags):
            # No worker will report its end: one that takes its message finds it canceled.
            self._instance.report_run_canceled(run, "Terminated before a worker had started it.")
            return True
        return bool(super().terminate(run_id))


def _revoke(run_id: str) -> None:
    try:
        with connect(redis_url(Settings())) as client:
            Leases(client).revoke(run_id)
    except (NoRedis, redis.RedisError) as error:
        # The signal still ends it, and without Redis it cannot publish.
        _LOG.warning("run %s could not be revoked: %s", run_id, error)

"""How long publications took, recorded from the runs that made them."""

import redis

from kpi_pipeline.cache.manifest import live_entry
from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.performance import Measure
from kpi_pipeline.stack.dagster_client import EndedRun


class PublicationTimes:
    """Records the seconds of each step, and the time from a reading of the source until it was served.

    Args:
        client: A client of the user `pipeline`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._counters = PerformanceCounters(client)

    def record(self, run: EndedRun) -> None:
        """Record a run that succeeded.

        Raises:
            redis.RedisError: If Redis fails.
        """
        if run.status != "SUCCESS":
            return
        for step, (begin, end) in run.steps.items():
            self._counters.add_duration(Measure.STEP, step, end - begin)
        for product in PRODUCTS:
            served = run.steps.get(f"live_{product}")
            entry = live_entry(self._client, product) if served else None
            # A later run may have published since; an earlier one, if this one found nothing to do.
            if served and entry and run.started_at and run.started_at <= entry.verified_at <= served[1]:
                self._counters.add_duration(Measure.LAG, product, served[1] - entry.verified_at)

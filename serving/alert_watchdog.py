"""Evaluates alerts while the pipeline does not, so that its death is reported too.

The pipeline's sensor evaluates every half minute. A thread of each web process looks whether it does; where
it does not, one of them takes its turn.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import redis

from kpi_pipeline.alerts.cycle import AlertCycle
from kpi_pipeline.alerts.facts import FactsReader
from kpi_pipeline.alerts.rule_file import load_rules
from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.model.alerts.parsing import RulesError
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import Settings
from serving.cache_access import CacheAccess

PERIOD_S: Final = 30.0
"""Seconds between two looks."""

SILENT_S: Final = 120.0
"""The pipeline's sensor that has not evaluated for so many seconds does not work."""

START_S: Final = 180.0
"""Seconds after the start of the process in which the pipeline may start too."""

THREAD_NAME: Final = "alert-watchdog"
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AlertWatchdog:
    """Looks whether the pipeline evaluates alerts, and does so in its place.

    Attributes:
        access: Finds Redis.
        settings: Of the evaluation.
        clock: The present, in seconds since the epoch.
        holder: This process.
    """

    access: CacheAccess
    settings: Settings
    clock: Callable[[], float] = time.time
    holder: str = field(default_factory=lambda: f"web-{os.getpid()}-{uuid4().hex[:8]}")

    def look(self) -> AlertState | None:
        """Evaluate if the pipeline does not and it is this process's turn.

        Returns:
            The state after; None where nothing was to be done.
        """
        try:
            connection = self.access.current(WHOLE_FIRM)
            report = connection.reader.pipeline_report()
            last = AlertStore(connection.client).load()
            silent = report is None or report.is_silent(self.clock())
            if not silent and self.clock() - last.at <= SILENT_S:
                return None
            if not load_rules(self.settings).rules.routes:
                return None  # nobody could be told
            facts = FactsReader(connection.reader, self.settings.timezone)
            return AlertCycle(connection.client, facts, self.settings, self.holder, clock=self.clock).run()
        except (NoRedis, redis.RedisError):
            return None  # the state is in Redis: without it, nobody knows what was told already
        except RulesError as error:
            _LOG.warning("the alerts cannot be evaluated in place of the pipeline: %s", error)
            return None

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        threading.Thread(target=self._look_always, name=THREAD_NAME, daemon=True).start()

    def _look_always(self) -> None:
        time.sleep(START_S)
        while True:
            try:
                self.look()
            except Exception:  # whatever it is, the next look is worth a try
                _LOG.exception("the alerts could not be evaluated")
            time.sleep(PERIOD_S)

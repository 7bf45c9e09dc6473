"""How often one person or program may request work of the pipeline: nobody takes more than their share."""

import time
from math import ceil
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kpi_pipeline.model.access import REQUESTS_PER_MINUTE, RequestedWork

_LIMITS: Final = {work: RateLimitItemPerMinute(most) for work, most in REQUESTS_PER_MINUTE.items()}


class RequestRates:
    """What each identity has requested of one serving process in the last minute. Threads may share it."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def wait_s(self, work: RequestedWork, who: str) -> int:
        """Count a request, unless it is one too many.

        Args:
            work: What is requested.
            who: By whom, as the audit log names them.

        Returns:
            In how many seconds the next one is admitted; 0 where this one is.
        """
        limit = _LIMITS[work]
        if self._limiter.hit(limit, work, who):
            return 0
        # At least one: it is refused now.
        reset_at, _ = self._limiter.get_window_stats(limit, work, who)
        return max(ceil(reset_at - time.time()), 1)

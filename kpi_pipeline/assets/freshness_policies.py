"""How old assets may become before Dagster's UI warns of them, from the products' times to live."""

from datetime import timedelta
from typing import Final

from dagster import Backoff, FreshnessPolicy, Jitter, RetryPolicy

from kpi_pipeline.settings import Settings

_SLACK: Final = timedelta(minutes=1)
"""What a run may take, from its schedule's tick to its end; also the shortest window Dagster allows."""


def freshness_policy(product: str | None = None) -> FreshnessPolicy:
    """Warn when a time to live has passed, fail when a second one has.

    Args:
        product: Whose time to live; without one the shortest of all, for what all products come from.
    """
    ttl = Settings().ttl
    life = timedelta(seconds=min(ttl.values()) if product is None else ttl[product])
    return FreshnessPolicy.time_window(warn_window=life + _SLACK, fail_window=2 * life + _SLACK)


TRY_AGAIN: Final = RetryPolicy(
    max_retries=2, delay=0.5, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS
)
"""Twice, after about half a second and a second; what cannot get better by itself is not tried again."""

"""How often a step is tried again that failed for want of the source or of Redis."""

from typing import Final

from dagster import Backoff, Jitter, RetryPolicy

TRY_AGAIN: Final = RetryPolicy(
    max_retries=2, delay=0.5, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS
)
"""Twice, after about half a second and a second; what cannot get better by itself is not tried again."""

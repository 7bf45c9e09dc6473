"""Waiting on a condition, with a bound."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(
    holds: Callable[[], Any], seconds: float = 60, what: str = "the condition that is waited for"
) -> Any:
    """Wait until a condition holds; returns what it gave.

    It is asked for less and less often: an answer may take a processor that what is waited for needs.
    """
    begun = time.monotonic()
    while not (found := holds()):
        waited = time.monotonic() - begun
        assert waited < seconds, f"not in {seconds:.0f} s: {what}"
        time.sleep(min(max(0.01, waited / 20), 0.1))
    return found

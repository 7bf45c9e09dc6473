"""Waiting on a condition, with a bound."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(
    holds: Callable[[], Any], seconds: float = 30, what: str = "the condition that is waited for"
) -> Any:
    """Wait until a condition holds; returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.01)
    return found

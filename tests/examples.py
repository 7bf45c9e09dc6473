"""How many examples a property is tried with: a third in each run of the tests, all in a sweep."""

from typing import Final

import hypothesis

EACH_RUN: Final = "kpi"
SWEEP: Final = "sweep"
"""The profiles of Hypothesis; `--hypothesis-profile` chooses the second."""

FEWEST: Final = 5
"""Examples below which a number is not divided."""


def register_profiles() -> None:
    """Register both profiles, and load that of each run. A busy machine is no failure: nothing is timed."""
    hypothesis.settings.register_profile(SWEEP, deadline=None)
    hypothesis.settings.register_profile(EACH_RUN, deadline=None, max_examples=_a_third(100))
    hypothesis.settings.load_profile(EACH_RUN)


def examples(of_a_sweep: int) -> int:
    """The number of examples for `max_examples`, given that of a sweep."""
    if hypothesis.settings.get_current_profile_name() == SWEEP:
        return of_a_sweep
    return _a_third(of_a_sweep)


def _a_third(number: int) -> int:
    return max(number // 3, min(number, FEWEST))

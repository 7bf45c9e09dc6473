"""The naive rule to beat: a month brings the share of what is receivable that it brought after earlier
dates.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import NAIVE_LANDMARKS, SURVIVAL_SCALE

Exact = npt.NDArray[np.object_]
"""Whole numbers of any size."""


class Collected(Protocol):
    """What was receivable at a landmark, and what came of it."""

    @property
    def known(self) -> Any:
        """Receivable amount."""

    @property
    def realised(self) -> Exact:
        """Collections of it by month."""


def naive_shares(landmarks: Mapping[int, Collected], origin: int) -> list[int | None]:
    """The share that each month is expected to bring, by the latest landmarks after which that month is over.

    Args:
        landmarks: All that was receivable at each, by the number of its month.
        origin: Number of the month in which the forecast is made.

    Returns:
        For each month parts of `SURVIVAL_SCALE`, together no more than all; None where nothing is known for
        it.
    """
    shares: list[int | None] = []
    left = SURVIVAL_SCALE
    for month in range(FORECAST_MONTHS):
        latest = [landmarks.get(origin - month - back) for back in range(1, NAIVE_LANDMARKS + 1)]
        known = sum(int(one.known) for one in latest if one)
        came = sum(int(one.realised[month]) for one in latest if one)
        share = min(max(came * SURVIVAL_SCALE // known, 0), left) if known > 0 else None
        left -= share or 0
        shares.append(share)
    return shares


def naive_expected(known: Exact, shares: list[int | None]) -> Exact:
    """The expectation of each month by the naive rule, in a further axis; 0 where nothing is known for it.

    Args:
        known: Receivable amounts, as Python's whole numbers.
        shares: As of `naive_shares`.
    """
    amounts = np.asarray(known, object)[..., None]
    parts = np.array([share or 0 for share in shares], object)
    return np.asarray(np.abs(amounts) * parts // SURVIVAL_SCALE * np.sign(amounts), object)

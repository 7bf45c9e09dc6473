"""The naive rule to beat: a month brings the share of what is receivable that it brought after earlier
dates.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kpi_pipeline.compute.forecasting.forecast import days_ahead
from kpi_pipeline.compute.forecasting.landmarks import NEXT, LandmarkDays, in_order
from kpi_pipeline.compute.forecasting.survival import Ints
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


def naive_shares(landmarks: Mapping[int, Collected], origin: int, days: LandmarkDays) -> list[int | None]:
    """The share that each of `HORIZONS` is expected to bring, by the latest landmarks after which it is over.

    Args:
        landmarks: All that was receivable at each, by the number of its month.
        origin: Number of the month in which the forecast is made.
        days: Which landmarks they are.

    Returns:
        For each parts of `SURVIVAL_SCALE`, those of months together no more than all, and that of the next
        days `in_order` with them; None where nothing is known for it.
    """
    shares: list[int | None] = []
    left = SURVIVAL_SCALE
    for month in range(FORECAST_MONTHS):
        share = _share(landmarks, origin - month - 1, month, left)
        left -= share or 0
        shares.append(share)
    next_days = _share(landmarks, origin - days.first_over(origin), NEXT, SURVIVAL_SCALE)
    if next_days is not None:
        unpaid = in_order(unpaid_of([*shares, next_days]), np.array(days_ahead(days.of(origin))))
        next_days = SURVIVAL_SCALE - int(unpaid[NEXT])
    return [*shares, next_days]


def unpaid_of(shares: Sequence[int | None]) -> Ints:
    """The share that stays unpaid until the end of each of `HORIZONS`, by the shares that they bring."""
    *months, next_days = (share or 0 for share in shares)
    return np.array([*(SURVIVAL_SCALE - np.cumsum(months)), SURVIVAL_SCALE - next_days], np.int64)


def _share(landmarks: Mapping[int, Collected], latest: int, horizon: int, most: int) -> int | None:
    """The share that a horizon brought after some landmarks, of which the latest is given."""
    seen = [landmarks.get(latest - back) for back in range(NAIVE_LANDMARKS)]
    known = sum(int(one.known) for one in seen if one)
    came = sum(int(one.realised[horizon]) for one in seen if one)
    return min(max(came * SURVIVAL_SCALE // known, 0), most) if known > 0 else None


def naive_expected(known: Exact, shares: list[int | None]) -> Exact:
    """The expectation of each horizon by the naive rule, in a further axis; 0 where nothing is known for it.

    Args:
        known: Receivable amounts, as Python's whole numbers.
        shares: As of `naive_shares`.
    """
    amounts = np.asarray(known, object)[..., None]
    parts = np.array([share or 0 for share in shares], object)
    return np.asarray(np.abs(amounts) * parts // SURVIVAL_SCALE * np.sign(amounts), object)

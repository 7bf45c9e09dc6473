"""Expected collections of receivable certificates by month: exact integers.

The expectation of a cell is the sum over its certificates, each rounded towards zero; so a correction has the
expectation of its debt with the opposite sign. By the naive rule, too: whatever is shown, a list of
certificates adds up to it.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.compute.group_sums import Groups
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE, VARIANCE_UNIT

Exact = npt.NDArray[Any]
"""Whole numbers: 64 bits, or Python's where these do not suffice."""

FORECAST_COMPONENTS: Final = (
    *(f"{what}_{horizon}" for what in ("forecast", "variance") for horizon in HORIZONS),
    "forecast_later",
    "forecast_unknown",
)
"""The components of the forecast."""

_NEXT: Final = FORECAST_MONTHS
_LATER: Final = len(HORIZONS)
_LEAST: Final = -(2**63)
_ROOT: Final = 2**31
_MOST: Final = 2**53
"""A certificate's variance is at most this, so that sums stay within 64 bits: the debt cuts bands anyway."""


def expected_payments(
    open_items: pa.Table, outlook: pa.Table, naive_unpaid: Mapping[str, Ints]
) -> tuple[Exact, Exact]:
    """What is expected of each receivable certificate by month, and its variance.

    Args:
        open_items: Columns amount: what is open of each, and currency.
        outlook: The outlook of each, in `forecast.OUTLOOK_SCHEMA`.
        naive_unpaid: By currency of which the naive rule is shown, the share that it leaves unpaid at the end
            of each of `HORIZONS`, in parts of `SURVIVAL_SCALE`. Variances are those of the outlook all the
            same.

    Returns:
        [certificates, months, next days and what comes after the months]; 0 where there is no estimate.
    """
    ends = [outlook[f"survival_{horizon}"].to_numpy() for horizon in HORIZONS]
    now = outlook["survival_now"].to_numpy()
    left = np.column_stack([now, *ends, np.zeros_like(now)])
    amount = open_items["amount"].to_numpy()
    # The sign comes last: a correction is rounded as its debt is. Of -2**63 there is no size in 64 bits.
    size = np.abs(amount.astype(object) if (amount == _LEAST).any() else amount)[:, None]
    shown = _shown(left, open_items["currency"], naive_unpaid)
    by_then = _part(size, SURVIVAL_SCALE - shown) * np.sign(amount)[:, None]
    fall = _falls(left)
    spread = fall * (now[:, None] - fall) // SURVIVAL_SCALE
    units = size // VARIANCE_UNIT
    if units.max(initial=0) >= _ROOT:
        units = units.astype(object)
    variance = np.minimum(_part(units * units, spread), _MOST)
    is_known = (now > 0)[:, None]
    return -_falls(by_then) * is_known, np.asarray(variance) * is_known


def _falls(amounts: Exact) -> Exact:
    """By how much it falls in each month, in the next days and after the months.

    Args:
        amounts: [certificates, now, at the end of each of `HORIZONS` and ever].
    """
    months = np.delete(amounts, _NEXT + 1, axis=1)
    of_months = months[:, :-1] - months[:, 1:]
    return np.asarray(np.insert(of_months, _NEXT, amounts[:, 0] - amounts[:, _NEXT + 1], axis=1))


def _shown(left: Ints, currency: pa.ChunkedArray, naive_unpaid: Mapping[str, Ints]) -> Ints:
    """The shares that are unpaid now, at the end of each horizon and ever, by the rule that is shown."""
    if not naive_unpaid:
        return left
    shown, codes = left.copy(), currency.to_numpy(zero_copy_only=False)
    for code, unpaid in naive_unpaid.items():
        shown[codes == code, 1:-1] = unpaid
    return shown


def forecast_columns(expected: tuple[Exact, Exact], cells: Ints, receivable: Ints) -> dict[str, Ints]:
    """The components of the forecast, by name, for each cell.

    Args:
        expected: As of `expected_payments`.
        cells: The number of the cell of each certificate.
        receivable: The receivable amount of each cell.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    groups = Groups.of(cells, len(receivable))
    by_cell, variance = (
        [groups.sum(of_certificates[:, place]) for place in range(_LATER + 1)] for of_certificates in expected
    )
    # The next days are within the months.
    unknown = receivable - sum(by_cell) + by_cell[_NEXT]
    columns = (*by_cell[:_LATER], *variance[:_LATER], by_cell[_LATER], unknown)
    return dict(zip(FORECAST_COMPONENTS, columns, strict=True))


def _part(whole: Exact, share: Ints) -> Exact:
    """A share, in parts of `SURVIVAL_SCALE`, of whole numbers; in two steps, as the product is too large."""
    return np.asarray(whole // SURVIVAL_SCALE * share + whole % SURVIVAL_SCALE * share // SURVIVAL_SCALE)

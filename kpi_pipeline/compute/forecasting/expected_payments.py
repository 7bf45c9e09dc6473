"""Expected collections of receivable certificates by month: exact integers, in SQL.

The expectation of a cell is the sum over its certificates, each rounded towards zero; so a correction has the
expectation of its debt with the opposite sign.
"""
# ruff: noqa: S608 - the statements are built from the model's own names

from typing import Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import VARIANCE_UNIT

HISTORY: Final = """
    SELECT client, CASE WHEN is_receivable THEN age_days ELSE payment_days END AS days,
        NOT is_receivable AS paid, count(*) AS count
    FROM standing WHERE is_receivable OR payment_days IS NOT NULL GROUP BY ALL
"""
"""The payments and the open debts of each client, as `forecast.outlook` takes them."""

OPEN_ITEMS: Final = "SELECT DISTINCT client, is_accepted, age_days FROM standing WHERE is_receivable"
"""For whom, at which stage and after how many days an outlook is needed."""

FORECAST_COMPONENTS: Final = (
    *(f"{what}_{month}" for what in ("forecast", "variance") for month in range(FORECAST_MONTHS)),
    "forecast_later",
    "forecast_unknown",
)
"""The components of the forecast."""

_LATER: Final = FORECAST_MONTHS
_MOST: Final = 2**53
"""A certificate's variance is at most this, so that sums stay within 64 bits: the debt cuts bands anyway."""


def expected_payments(cell: str) -> str:
    """The statement that sums the expected collections of receivable certificates over each cell.

    Args:
        cell: SQL of the columns of a cell over `standing`, the as-of view.

    Returns:
        A SELECT of these columns, `ahead` (months from now; the number of months stands for all that come
        after them), expected and variance. Certificates for which there is no estimate are not in it. It
        reads `outlook`, in `forecast.OUTLOOK_SCHEMA`.
    """
    ends = [f"survival_{month}" for month in range(FORECAST_MONTHS)]
    return f"""
        SELECT {cell}, ahead, sum({_by("survival_then")} - {_by("survival_before")})::BIGINT AS expected,
            -- The product with a large square would leave 128 bits: it is taken in two parts.
            sum(least({_MOST}, square // survival_now * spread
                + square % survival_now * spread // survival_now))::BIGINT AS variance
        FROM (
            SELECT *, survival_before - survival_then AS fall,
                (fall * (survival_now - fall) // survival_now)::HUGEINT AS spread,
                (abs(amount_open) // {VARIANCE_UNIT})::HUGEINT AS size, size * size AS square
            FROM (SELECT * FROM standing WHERE is_receivable) JOIN (
                SELECT client, is_accepted, age_days, survival_now,
                    unnest({_list(["survival_now", *ends])}) AS survival_before,
                    unnest({_list([*ends, "0"])}) AS survival_then,
                    unnest(range({_LATER + 1})) AS ahead
                FROM outlook WHERE survival_now > 0
            ) USING (client, is_accepted, age_days)
        ) GROUP BY ALL
    """


def forecast_columns(expected: pa.Table, cells: Ints, receivable: Ints) -> dict[str, Ints]:
    """The components of the forecast, by name, for each cell.

    Args:
        expected: The result of `expected_payments`.
        cells: The number of the cell of each of its rows.
        receivable: The receivable amount of each cell.
    """
    by_cell = np.zeros((FORECAST_MONTHS + 1, len(receivable)), np.int64)
    variance = np.zeros_like(by_cell)
    ahead = expected["ahead"].to_numpy()
    by_cell[ahead, cells] = expected["expected"].to_numpy()
    variance[ahead, cells] = expected["variance"].to_numpy()
    unknown = receivable - by_cell.sum(axis=0)
    columns = (*by_cell[:_LATER], *variance[:_LATER], by_cell[_LATER], unknown)
    return dict(zip(FORECAST_COMPONENTS, columns, strict=True))


def _by(survival: str) -> str:
    """SQL: the expected collection of a certificate until so much is left unpaid."""
    return f"amount_open::HUGEINT * (survival_now - {survival}) // survival_now"


def _list(columns: list[str]) -> str:
    return f"[{', '.join(columns)}]"

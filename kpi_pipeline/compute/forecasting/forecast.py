"""Expected collections of receivable certificates by month, and the bands around them."""

from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kpi_pipeline.compute.forecasting.survival import Ints, SurvivalCurves
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import BANDS, VARIANCE_UNIT

Floats = npt.NDArray[np.float64]

OUTLOOK_SCHEMA: Final = pa.schema(
    [
        pa.field("client", pa.string()),
        pa.field("age_days", pa.int64()),
        pa.field("survival_now", pa.int64()),
        *(pa.field(f"survival_{month}", pa.int64()) for month in range(FORECAST_MONTHS)),
    ]
)


def forecast_months(as_of: date) -> list[int]:
    """The numbers of the months that are forecast: from that of the day after as_of."""
    first = month_of(as_of + timedelta(1))
    return list(range(first, first + FORECAST_MONTHS))


def days_ahead(as_of: date) -> list[int]:
    """Days from as_of to the end of each month that is forecast."""
    return [(month_end(number) - as_of).days for number in forecast_months(as_of)]


def outlook(history: pa.Table, open_items: pa.Table, as_of: date) -> pa.Table:
    """The share of debts like each open one that stays unpaid until the end of each month.

    Args:
        history: Columns client, days (from issue), paid (whether payment came after these days, or the
            debt has been unpaid for so long) and count (of such debts).
        open_items: Columns client and age_days: the distinct ones of receivable certificates.
        as_of: The business date.

    Returns:
        Rows in `OUTLOOK_SCHEMA`, one for each of open_items in their order. Of an amount A that is unpaid
        on as_of, A * (survival_now - survival_k) // survival_now is expected by the end of month k; where
        survival_now is 0, there is no estimate.
    """
    names = pa.chunked_array([*history["client"].chunks, *open_items["client"].chunks], pa.string())
    codes = names.combine_chunks().dictionary_encode()
    numbers, everyone = _ints(codes.indices), np.int64(len(codes.dictionary))
    group, own = numbers[: history.num_rows], numbers[history.num_rows :]
    days, count = _ints(history["days"]), _ints(history["count"])
    paid = np.where(history["paid"].to_numpy(), count, 0)
    curves = SurvivalCurves(
        np.concatenate([group, np.full(len(group), everyone)]),
        np.tile(days, 2),
        np.tile(paid, 2),
        np.tile(count - paid, 2),
    )
    age = _ints(open_items["age_days"])
    applying, now = curves.applying(own, np.full(len(own), everyone), age)
    then = curves.share(applying[:, None], age[:, None] + np.array(days_ahead(as_of))[None, :])
    known = now > 0
    return pa.Table.from_arrays(
        [
            open_items["client"],
            pa.array(age),
            pa.array(now),
            *(pa.array(np.where(known, then[:, month], 0)) for month in range(FORECAST_MONTHS)),
        ],
        schema=OUTLOOK_SCHEMA,
    )


def bands(expected: Ints, variance: Ints, dispersion: Floats, known: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """The 50% and 90% bands of the collections of each month.

    A band is expected +- z * sqrt(dispersion * variance), within nothing and the whole receivable amount.

    Args:
        expected: Expected collections by month, in the last axis; minor units.
        variance: Their variances, in `VARIANCE_UNIT` minor units squared; whole numbers of any size.
        dispersion: By how much forecasts of so many months ahead vary more than by their variance.
        known: The receivable amount for which there is an estimate; without the axis of months.

    Returns:
        The lower and upper ends of the 50% band, then those of the 90% band; minor units.
    """
    deviation = np.sqrt(dispersion * variance.astype(np.float64)) * float(VARIANCE_UNIT)
    middle = expected.astype(np.float64)
    least = np.minimum(np.minimum(known, 0)[..., None], expected)
    most = np.maximum(np.maximum(known, 0)[..., None], expected)
    ends = []
    for z in BANDS.values():
        low, high = middle - z * deviation, middle + z * deviation
        # Clipped once more as whole numbers: amounts beyond 2**53 are not exact as floating-point ones.
        ends += [
            np.clip(np.rint(np.clip(low, least, middle)).astype(np.int64), least, expected),
            np.clip(np.rint(np.clip(high, middle, most)).astype(np.int64), expected, most),
        ]
    return ends[0], ends[1], ends[2], ends[3]


def _ints(column: pa.Array | pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)

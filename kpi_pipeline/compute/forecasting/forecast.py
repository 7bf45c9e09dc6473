"""The outlook of receivable certificates: the share that stays unpaid, month by month."""

from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.forecasting.landmarks import LandmarkCounts, ints, unpaid_shares
from kpi_pipeline.compute.forecasting.survival import SurvivalCurves
from kpi_pipeline.compute.months import month_end, month_of
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS, NEXT_DAYS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE

OUTLOOK_SCHEMA: Final = pa.schema(
    [
        pa.field("client", pa.string()),
        pa.field("is_accepted", pa.bool_()),
        pa.field("age_days", pa.int64()),
        pa.field("survival_now", pa.int64()),
        *(pa.field(f"survival_{horizon}", pa.int64()) for horizon in HORIZONS),
    ]
)


def forecast_months(as_of: date) -> list[int]:
    """The numbers of the months that are forecast: from that of the day after as_of."""
    first = month_of(as_of + timedelta(1))
    return list(range(first, first + FORECAST_MONTHS))


def first_whole_month(as_of: date) -> int:
    """The place of the first forecast month that begins after as_of: the one before it is a rest."""
    return int(month_of(as_of + timedelta(1)) == month_of(as_of))


def days_ahead(as_of: date) -> list[int]:
    """Days from as_of to the end of each of `HORIZONS`."""
    return [*((month_end(number) - as_of).days for number in forecast_months(as_of)), NEXT_DAYS]


def outlook(history: pa.Table, open_items: pa.Table, landmarks: LandmarkCounts, as_of: date) -> pa.Table:
    """The share of debts like each open one that stays unpaid until the end of each of `HORIZONS`.

    Args:
        history: Columns client, days (from issue), paid (whether payment came after these days, or the
            debt has been unpaid for so long) and count (of such debts).
        open_items: Columns client, is_accepted and age_days: the distinct ones of receivable certificates.
        landmarks: What clients did after days of earlier months like as_of.
        as_of: The business date.

    Returns:
        Rows in `OUTLOOK_SCHEMA`, one for each of open_items in their order. Of an amount A that is unpaid
        on as_of, A * (survival_now - survival_k) // survival_now is expected by the end of month k; where
        survival_now is 0, there is no estimate, and otherwise it is `SURVIVAL_SCALE`.
    """
    names = pa.chunked_array([*history["client"].chunks, *open_items["client"].chunks], pa.string())
    codes = names.combine_chunks().dictionary_encode()
    numbers, everyone = ints(codes.indices), np.int64(len(codes.dictionary))
    group, own = numbers[: history.num_rows], numbers[history.num_rows :]
    days, count = ints(history["days"]), ints(history["count"])
    paid = np.where(history["paid"].to_numpy(), count, 0)
    curves = SurvivalCurves(
        np.concatenate([group, np.full(len(group), everyone)]),
        np.tile(days, 2),
        np.tile(paid, 2),
        np.tile(count - paid, 2),
    )
    age = ints(open_items["age_days"])
    applying, now = curves.applying(own, np.full(len(own), everyone), age)
    ahead = np.array(days_ahead(as_of), np.int64)
    then = curves.share(applying[:, None], age[:, None] + ahead)
    origins = pa.array(np.full(len(age), month_of(as_of)))
    near = landmarks.near(open_items.append_column("origin", origins))
    unpaid = unpaid_shares(np.column_stack([now, then]), ahead, *near)
    return pa.Table.from_arrays(
        [
            *(open_items[name] for name in ("client", "is_accepted", "age_days")),
            pa.array(np.where(now > 0, SURVIVAL_SCALE, 0)),
            *(pa.array(share) for share in unpaid.T),
        ],
        schema=OUTLOOK_SCHEMA,
    )

"""Working capital: the cash tied up by the distance of DSO to its target and to the industry's."""

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import present_currencies
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF
from kpi_pipeline.compute.json_values import Data, by_variant, names_at, quotients, rows_of
from kpi_pipeline.compute.windows import window_days


def working_capital(slice_: Slice) -> list[list[Data]]:
    """DSO of each currency, its distance to the target, and the cash that reaching it would release.

    `cash_tied` is receivable - target days x billing of the window / its days, rounded down:
    negative where DSO is better than the target. Where no day of the window has passed it is None.
    """
    variant, currency = present_currencies(slice_)
    receivable = slice_.total("receivable_amount")[variant, currency]
    billed = slice_.total("billed_amount")[variant, currency]
    days = window_days(slice_)[variant, AS_OF]
    target = slice_.frame.thresholds.dso_target_days
    benchmark = slice_.frame.thresholds.dso_benchmark_days
    dso = quotients(receivable, np.where(days > 0, billed, 0), days)
    billing = {"value": quotients(billed, days), "numerator": billed.tolist(), "denominator": days.tolist()}
    rows = rows_of(
        {
            "currency": names_at(slice_.currencies, currency),
            "dso": dso,
            "target_days": [target] * len(variant),
            "benchmark_days": [benchmark] * len(variant),
            "gap_days": [None if value is None else value - target for value in dso],
            "daily_billing": rows_of(billing),
            "cash_tied": _cash_tied(receivable, billed, days, target),
            "cash_tied_benchmark": _cash_tied(receivable, billed, days, benchmark),
        }
    )
    return by_variant(len(slice_.filters), variant, rows)


def _cash_tied(receivable: Ints, billed: Ints, days: Ints, target: int) -> list[int | None]:
    # Python's integers: a year of days times the largest amounts does not fit 64 bits.
    return [
        (owed * passed - target * approved) // passed if passed else None
        for owed, approved, passed in zip(receivable.tolist(), billed.tolist(), days.tolist(), strict=True)
    ]

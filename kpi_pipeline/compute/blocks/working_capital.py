"""Working capital: what the distance of DSO to its target and to its industry ties up in cash."""

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import shown
from kpi_pipeline.compute.blocks.json_values import Data, named, quotients, split
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice


def working_capital(slice_: Slice) -> list[list[Data]]:
    """DSO of each currency, its distance to the target, and the cash that reaching it would free.

    `cash_tied` is receivable - days aimed at x approved billing of the DSO window / its days, rounded
    down: negative where DSO is better than that. Where no day of the window has passed it is None.
    """
    variant, currency = shown(slice_)
    receivable = slice_.total("receivable_amount")[variant, currency]
    billed = slice_.window("approved_amount")[variant, currency]
    days = slice_.window_days[variant]
    target = slice_.frame.thresholds.dso_target_days
    benchmark = slice_.frame.thresholds.dso_benchmark_days
    rows = [
        {
            "currency": code,
            "dso": dso,
            "target_days": target,
            "benchmark_days": benchmark,
            "gap_days": None if dso is None else dso - target,
            "daily_billing": {"value": daily, "numerator": approved, "denominator": passed},
            "cash_tied": freed,
            "cash_tied_benchmark": freed_by_benchmark,
        }
        for code, dso, daily, approved, passed, freed, freed_by_benchmark in zip(
            named(slice_.currencies, currency),
            quotients(receivable, np.where(days > 0, billed, 0), days),
            quotients(billed, days),
            billed.tolist(),
            days.tolist(),
            _tied(receivable, billed, days, target),
            _tied(receivable, billed, days, benchmark),
            strict=True,
        )
    ]
    return split(len(slice_.filters), variant, rows)


def _tied(receivable: Ints, billed: Ints, days: Ints, aim: int) -> list[int | None]:
    # Python's integers: a year of days times the largest amounts does not fit 64 bits.
    return [
        (owed * passed - aim * approved) // passed if passed else None
        for owed, approved, passed in zip(receivable.tolist(), billed.tolist(), days.tolist(), strict=True)
    ]

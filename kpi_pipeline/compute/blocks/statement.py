"""The financial statement: what was billed, approved, collected and spent, month by month."""

from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import shown, trends_by_end
from kpi_pipeline.compute.blocks.json_values import Data, bounds, known_only, named, quotients
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice

_FLOWS: Final = {"billed": "proposed_amount", "approved": "approved_amount", "collected": "collected_amount"}
_SPENT: Final = {"opex": "cost_opex_amount", "capex": "cost_capex_amount"}


def statement(slice_: Slice) -> list[Data]:
    """The lines of each currency over the months of the trend, and what they add up to.

    Where the filter names what costs do not have, every figure of costs is None.

    Returns:
        `statement`, with `months` and `lines`, and `totals`.
    """
    variant, currency = shown(slice_)
    months = _amounts(slice_, variant, currency)
    codes = named(slice_.currencies, currency)
    known = slice_.has_costs[variant]
    lines = _lines(codes, months, known)
    totals = _lines(codes, {name: amounts.sum(axis=1) for name, amounts in months.items()}, known)
    texts = trends_by_end(slice_)
    return [
        {"statement": {"months": texts[last], "lines": lines[start:end]}, "totals": totals[start:end]}
        for last, (start, end) in zip(
            slice_.trend_end.tolist(), bounds(len(slice_.filters), variant), strict=True
        )
    ]


def _amounts(slice_: Slice, variant: Ints, currency: Ints) -> dict[str, Ints]:
    """Each amount of each variant and currency shown, by month, [rows, months]."""
    found = {
        name: slice_.monthly(component)[variant, :, currency]
        for name, component in {**_FLOWS, **_SPENT, "costs_paid_out": "paid_out_amount"}.items()
    }
    found["costs"] = found["opex"] + found["capex"]
    found["margin"] = found["approved"] - found["costs"]
    return found


def _lines(codes: list[str], amounts: dict[str, Ints], known: Any) -> list[Data]:
    """One object a row: amounts are [rows] or [rows, months]."""
    shape = amounts["approved"].shape
    knowing = np.broadcast_to(known if len(shape) == 1 else known[:, None], shape)
    flows = {name: amounts[name].tolist() for name in _FLOWS}
    spent = {
        name: _reshaped(known_only(amounts[name].ravel(), knowing.ravel()), shape)
        for name in (*_SPENT, "costs", "costs_paid_out", "margin")
    }
    share = quotients(amounts["margin"].ravel(), (amounts["approved"] * knowing).ravel())
    columns = {**flows, **spent, "margin_share": _reshaped(share, shape)}
    return [
        {"currency": code, **dict(zip(columns, values, strict=True))}
        for code, *values in zip(codes, *columns.values(), strict=True)
    ]


def _reshaped(values: list[Any], shape: tuple[int, ...]) -> list[Any]:
    if len(shape) == 1:
        return values
    return [values[start : start + shape[1]] for start in range(0, len(values), shape[1])]

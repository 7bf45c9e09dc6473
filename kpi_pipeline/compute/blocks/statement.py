"""The financial statement: billing, approvals, collections and costs, month by month."""

from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import present_currencies
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import Data, bounds, names_at, quotients, rows_of, values_or_none
from kpi_pipeline.model.tables import STATEMENT_FLOWS

_SPENT: Final = {"opex": "cost_opex_amount", "capex": "cost_capex_amount"}


def statement(slice_: Slice) -> list[Data]:
    """The lines of each currency over the months of the trend, and their totals.

    Where costs are unknown, every cost figure is None.

    Returns:
        `statement`, with `months` and `lines`, and `totals`.
    """
    variant, currency = present_currencies(slice_)
    months = _amounts(slice_, variant, currency)
    codes = names_at(slice_.currencies, currency)
    known = slice_.has_costs[variant, currency]
    lines = _lines(codes, months, known)
    totals = _lines(codes, {name: amounts.sum(axis=1) for name, amounts in months.items()}, known)
    return [
        {"statement": {"months": slice_.trend_months, "lines": lines[start:end]}, "totals": totals[start:end]}
        for start, end in bounds(len(slice_.filters), variant)
    ]


def _amounts(slice_: Slice, variant: Ints, currency: Ints) -> dict[str, Ints]:
    """Each amount of some variants and currencies, by month, [rows, months]."""
    amounts = {
        name: slice_.monthly(component)[variant, :, currency]
        for name, component in {**STATEMENT_FLOWS, **_SPENT, "costs_paid_out": "paid_out_amount"}.items()
    }
    amounts["costs"] = amounts["opex"] + amounts["capex"]
    amounts["margin"] = amounts["approved"] - amounts["costs"]
    return amounts


def _lines(codes: list[str], amounts: dict[str, Ints], known: Any) -> list[Data]:
    """One object a row: amounts are [rows] or [rows, months]."""
    shape = amounts["approved"].shape
    known = np.broadcast_to(known if len(shape) == 1 else known[:, None], shape)
    flows = {name: amounts[name].tolist() for name in STATEMENT_FLOWS}
    costs = {
        name: _reshaped(values_or_none(amounts[name].ravel(), known.ravel()), shape)
        for name in (*_SPENT, "costs", "costs_paid_out", "margin")
    }
    share = quotients(amounts["margin"].ravel(), (amounts["approved"] * known).ravel())
    return rows_of({"currency": codes, **flows, **costs, "margin_share": _reshaped(share, shape)})


def _reshaped(values: list[Any], shape: tuple[int, ...]) -> list[Any]:
    if len(shape) == 1:
        return values
    return [values[start : start + shape[1]] for start in range(0, len(values), shape[1])]

"""Payloads: the answer of each product to each variant, as plain JSON values.

Amounts are integers in minor units of their currency; a share or a mean is a float, correctly rounded
from its exact quotient, or None where the divisor is 0. Money is never added across
currencies: every money figure comes once a currency.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import compress
from typing import Any, Final

import numpy as np

from kpi_pipeline.compute.blocks.breakdowns import (
    cost_categories,
    failure_kinds,
    rejection_reasons,
    suppliers,
)
from kpi_pipeline.compute.blocks.chart_data import trends_by_end
from kpi_pipeline.compute.blocks.charts import charts
from kpi_pipeline.compute.blocks.forecast import forecast
from kpi_pipeline.compute.blocks.month_charts import KPIS_READ
from kpi_pipeline.compute.blocks.snapshot import ageing, stages
from kpi_pipeline.compute.blocks.statement import statement
from kpi_pipeline.compute.blocks.tables import critical_certificates, profitability, project_managers
from kpi_pipeline.compute.blocks.working_capital import working_capital
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.expected_credit_loss import loss_rates
from kpi_pipeline.compute.json_values import Data, rows_of
from kpi_pipeline.compute.kpi_values import age_comparisons, kpi_values
from kpi_pipeline.compute.windows import comparisons
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import ExpectedLoss, ShareOfAll
from kpi_pipeline.model.pages import charts_of_product, kpis_of_product

Blocks = list[Data]

_KPIS: Final = {kpi.name: kpi for kpi in KPIS}


def payloads(product: str, slices: Iterable[Slice]) -> Iterator[tuple[Filter, Data]]:
    """Yield each filter of some slices with a product's answer to it.

    Args:
        product: One of `model.dimensions.PRODUCTS`.
        slices: The sums of the variants wanted.

    Raises:
        KeyError: If there is no such product.
    """
    build = _BUILDERS[product]
    for slice_ in slices:
        for requested, head, blocks in zip(slice_.filters, _heads(slice_), build(slice_), strict=True):
            yield requested, head | blocks


def shared_inputs(product: str, cube: Cube) -> list[Any]:
    """The inputs that a product's answers to all filters share, besides the rows that each filter admits.

    Args:
        product: The product.
        cube: The figures.
    """
    formulas = [_KPIS[name].formula for name in kpis_of_product(product)]
    inputs: list[Any] = []
    if any(isinstance(formula, ExpectedLoss) for formula in formulas):
        inputs.append(loss_rates(cube.everything))
    every = np.arange(cube.frame.month_count)[np.newaxis] + cube.frame.first_month
    inputs += [
        cube.everything.over(formula.component, every, every).tolist()
        for formula in formulas
        if isinstance(formula, ShareOfAll)
    ]
    return inputs


def _heads(slice_: Slice) -> Blocks:
    """The fields with which every payload begins."""
    months = trends_by_end(slice_)
    present = [list(compress(slice_.currencies, row)) for row in slice_.present.tolist()]
    return [
        {"currencies": codes, "months": months[end], "comparison": of_months or of_ages}
        for codes, end, of_months, of_ages in zip(
            present, slice_.trend_end.tolist(), comparisons(slice_), age_comparisons(slice_), strict=True
        )
    ]


def _options(slice_: Slice) -> Blocks:
    """Certificates of each value of the dimensions that a filter does not name, in the catalogue's order."""
    counts = {name: slice_.options(name).tolist() for name in DIMENSION_NAMES}
    return [
        {name: counts[name][at] for name in DIMENSION_NAMES if not requested.values(name)}
        for at, requested in enumerate(slice_.filters)
    ]


def _cards_and_charts(product: str, slice_: Slice, drawn: tuple[str, ...]) -> dict[str, list[Any]]:
    """The KPIs of a product's pages, and charts."""
    on_pages = kpis_of_product(product)
    values = kpi_values(slice_, [_KPIS[name] for name in dict.fromkeys((*on_pages, *KPIS_READ))])
    return {
        "options": _options(slice_),
        "kpis": [{name: by_kpi[name] for name in on_pages} for by_kpi in values],
        "charts": charts(drawn, slice_, values),
    }


def _kpis_product(slice_: Slice) -> Blocks:
    return rows_of(
        {
            "options": _options(slice_),
            "kpis": kpi_values(slice_, KPIS),
            "ageing": ageing(slice_),
            "stages": stages(slice_),
        }
    )


def _dashboards_product(slice_: Slice) -> Blocks:
    return rows_of(
        {
            **_cards_and_charts("dashboards", slice_, charts_of_product("dashboards")),
            "tables": rows_of({"critical_certificates": critical_certificates(slice_)}),
        }
    )


def _charts_product(slice_: Slice) -> Blocks:
    tables = {
        "project_managers": project_managers(slice_),
        "rejection_reasons": rejection_reasons(slice_),
        "failure_kinds": failure_kinds(slice_),
    }
    return rows_of({**_cards_and_charts("charts", slice_, tuple(CHARTS)), "tables": rows_of(tables)})


def _financials_product(slice_: Slice) -> Blocks:
    statements = statement(slice_)
    return rows_of(
        {
            **_cards_and_charts("financials", slice_, charts_of_product("financials")),
            **{name: [block[name] for block in statements] for name in ("statement", "totals")},
            "profitability": profitability(slice_),
            "suppliers": suppliers(slice_),
            "cost_categories": cost_categories(slice_),
            "working_capital": working_capital(slice_),
            "forecast": forecast(slice_),
        }
    )


_BUILDERS: Final[dict[str, Callable[[Slice], Blocks]]] = {
    "kpis": _kpis_product,
    "dashboards": _dashboards_product,
    "charts": _charts_product,
    "financials": _financials_product,
}

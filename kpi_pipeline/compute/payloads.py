"""Payloads: the answer of each product to each variant, as plain JSON values.

Amounts are integers in minor units of their currency; a share or a mean is a float, correctly rounded
from its exact quotient, or None where the divisor is 0. Money is never added across
currencies: every money figure comes once a currency.
"""

from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Any, Final

from kpi_pipeline.compute.blocks.charts import charts
from kpi_pipeline.compute.blocks.forecast import next_days
from kpi_pipeline.compute.blocks.month_charts import KPIS_READ
from kpi_pipeline.compute.blocks.portfolio import ageing, stages
from kpi_pipeline.compute.blocks.tables import tables
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.compute.expected_credit_loss import loss_rates
from kpi_pipeline.compute.json_values import Data, rows_of
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.compute.results_by_filter import ResultsByFilter
from kpi_pipeline.compute.windows import cohorts, comparisons
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.kpis.formulas import ExpectedLoss, ShareOfAll
from kpi_pipeline.model.pages import (
    EXPECTED,
    charts_of_product,
    kpis_of_product,
    kpis_resting_on_all,
    leads_with_expected,
    tables_of_product,
)

Blocks = list[Data]

AT_A_TIME: Final = 500
"""Answers made at a time: it bounds the memory that they take before they are written."""

_KPIS: Final = {kpi.name: kpi for kpi in KPIS}


def payloads(
    product: str, slices: Iterable[Slice], known: ResultsByFilter | None = None
) -> Iterator[tuple[Filter, Data]]:
    """Yield each filter of some slices with a product's answer to it.

    Args:
        product: One of `model.dimensions.PRODUCTS`.
        slices: The sums of the variants wanted.
        known: Results of the same reading, to which are added those that it lacks.

    Raises:
        KeyError: If there is no such product.
    """
    if product not in PRODUCTS:
        raise KeyError(product)
    for part in (part for slice_ in slices for part in slice_.parts(AT_A_TIME)):
        if known is not None:
            known.give(part)
        answers = _blocks(product, part)
        for requested, head, blocks in zip(part.filters, _heads(part), answers, strict=True):
            yield requested, head | blocks
        if known is not None and kpis_resting_on_all(product):
            known.take(part)


def values_resting_on_all(
    product: str, slices: Iterable[Slice], known: ResultsByFilter
) -> Iterator[tuple[Filter, Data]]:
    """Yield each filter of some slices with the values of the product's KPIs that rest on all certificates.

    Args:
        product: One of `model.dimensions.PRODUCTS`.
        slices: The sums of the variants wanted.
        known: Results of the same reading, to which are added those that it lacks.
    """
    kpis = [_KPIS[name] for name in kpis_resting_on_all(product)]
    for part in (part for slice_ in slices for part in slice_.parts(AT_A_TIME)):
        held = known.of(part)
        yield from zip(part.filters, kpi_values(part if held is None else held, kpis), strict=True)
        if held is None:
            known.take(part)


def shared_inputs(product: str, cube: Cube) -> list[Any]:
    """What `values_resting_on_all` of a product come from, besides the rows that each filter admits.

    Args:
        product: The product.
        cube: The figures.
    """
    formulas = [_KPIS[name].formula for name in kpis_resting_on_all(product)]
    inputs: list[Any] = []
    if any(isinstance(formula, ExpectedLoss) for formula in formulas):
        inputs += [loss_rates(cube.frame, day) for day in range(DAYS)]
    for formula in formulas:
        if isinstance(formula, ShareOfAll):
            inputs.append(cube.everything.on_each_day(formula.component).tolist())
            inputs.append(cube.everything.by_billing_month(formula.component).tolist())
    return inputs


def _heads(slice_: Slice) -> Blocks:
    """The fields with which every payload begins."""
    present = [list(compress(slice_.currencies, row)) for row in slice_.present.tolist()]
    return [
        {"currencies": codes, "months": slice_.trend_months, "comparison": compared, "cohort": cohort}
        for codes, compared, cohort in zip(present, comparisons(slice_), cohorts(slice_), strict=True)
    ]


def _options(slice_: Slice) -> Blocks:
    """Certificates of each value of the dimensions that a filter does not name, in the catalogue's order."""
    counts = [(name, slice_.options(name).tolist()) for name in DIMENSION_NAMES]
    named = [{name for name, _ in requested.terms} for requested in slice_.filters]
    return [
        {name: of_value[at] for name, of_value in counts if name not in own} for at, own in enumerate(named)
    ]


def _blocks(product: str, slice_: Slice) -> Blocks:
    """The KPIs, charts and tables of a product's pages, and its blocks beyond them."""
    on_pages, drawn = kpis_of_product(product), charts_of_product(product)
    values = kpi_values(slice_, [_KPIS[name] for name in dict.fromkeys((*on_pages, *KPIS_READ))])
    blocks: dict[str, list[Any]] = {
        "options": _options(slice_),
        "kpis": [{name: by_kpi[name] for name in on_pages} for by_kpi in values],
    }
    if leads_with_expected(product):
        blocks[EXPECTED] = next_days(slice_)
    if drawn:
        blocks["charts"] = charts(drawn, slice_, values)
    if product == "kpis":
        blocks |= {"ageing": ageing(slice_), "stages": stages(slice_)}
    rows = rows_of(blocks)
    names = tables_of_product(product)
    if not names:
        return rows
    # The financials are their tables; other products hold them together.
    together = product != "financials"
    return [
        row | ({"tables": held} if together else held)
        for row, held in zip(rows, tables(names, slice_), strict=True)
    ]

"""The figures of a reading of the source, recomputed from its own rows for any variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.audit.recomputation.certificate_states import Limits
from kpi_pipeline.audit.recomputation.kpi_values import KpiValues
from kpi_pipeline.audit.recomputation.months import number
from kpi_pipeline.audit.recomputation.oracle import Oracle, Whole, first_issue
from kpi_pipeline.audit.recomputation.products import Products
from kpi_pipeline.audit.recomputation.rows import bare, table_rows
from kpi_pipeline.audit.recomputation.variant import NOT_OF_COSTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.pages import charts_of_product, kpis_of_product, kpis_resting_on_all
from kpi_pipeline.model.thresholds import Thresholds

MONTH: Final = "month"

_OF_EVENTS: Final = frozenset({"state", "amount_band", "issued_age"})
"""Dimensions that no column holds: they follow from the dates and amounts of a certificate."""

_EARLIEST: Final = 1_000
"""Certificates read at a time to find the first one that counts."""


class TooLarge(ValueError):
    """A variant has more rows than are to be recomputed."""


@dataclass(frozen=True)
class AuditedReading:
    """The rows of a reading of the source.

    Attributes:
        certificates: All certificates, in `CERTIFICATE_SCHEMA`.
        costs: All costs, in `COST_SCHEMA`.
        as_of: The business date of its figures.
        window_months: Months of the window over which flows are summed.
        thresholds: Days and amounts of the definitions.
    """

    certificates: pa.Table
    costs: pa.Table
    as_of: date
    window_months: int
    thresholds: Thresholds

    @property
    def size(self) -> int:
        """How many rows it has."""
        return int(self.certificates.num_rows + self.costs.num_rows)

    def whole(self) -> "RecomputedFigures":
        """All figures of all products, of any filter."""
        rows, costs = table_rows(self.certificates), table_rows(self.costs)
        oracle = Oracle(rows, self.as_of, self.window_months, costs, self._limits)
        return RecomputedFigures(oracle, self.size, is_whole=True)

    def scoped(self, scope: Filter) -> "AuditedReading":
        """What the readers of a scope see of it: its rows alone, as if there were no others.

        Args:
            scope: Names columns that certificates and costs both have.
        """
        terms = dict(scope.terms)
        return replace(
            self, certificates=_admitted(self.certificates, terms), costs=_admitted(self.costs, terms)
        )

    def within(self, requested: Filter, most: int) -> "RecomputedFigures":
        """The figures of one filter that follow from its own rows alone.

        Args:
            requested: The filter.
            most: How many rows are recomputed at most.

        Raises:
            TooLarge: If it has more.
        """
        terms = {name: values for name, values in requested.terms if name not in _OF_EVENTS}
        certificates = _admitted(self.certificates, terms)
        has_costs = not NOT_OF_COSTS & requested.as_dict().keys()
        costs = _admitted(self.costs, terms) if has_costs else self.costs.slice(0, 0)
        size = int(certificates.num_rows + costs.num_rows)
        if size > most:
            raise TooLarge(f"{requested} has {size} rows; {most} are recomputed at most")
        oracle = Oracle(
            table_rows(certificates),
            self.as_of,
            self.window_months,
            table_rows(costs),
            self._limits,
            self._of_all,
        )
        return RecomputedFigures(oracle, size, is_whole=False)

    @cached_property
    def _of_all(self) -> Whole:
        until = self.costs.filter(
            pc.less_equal(self.costs["invoiced_on"], pa.scalar(self.as_of, pa.date32()))
        )
        first = until.group_by("currency").aggregate([("invoiced_on", "min")]).to_pylist()
        invoices = {one["currency"]: one["invoiced_on_min"] for one in first}
        order = pc.sort_indices(self.certificates["issued_on"])
        for begin in range(0, len(order), _EARLIEST):
            rows = table_rows(self.certificates.take(order[begin : begin + _EARLIEST]))
            found = first_issue(rows, self.as_of, self.window_months, self._limits)
            if found is not None:
                return Whole(found, invoices)
        return Whole(None, invoices)

    @cached_property
    def _limits(self) -> Limits:
        names = {*pc.unique(self.certificates["currency"]).to_pylist()}
        currencies = sorted(names | {*pc.unique(self.costs["currency"]).to_pylist()})
        targets = {code: self.thresholds.monthly_target(code) for code in currencies}
        return Limits(
            critical_days=self.thresholds.critical_days,
            payment_term_days=self.thresholds.payment_term_days,
            fast_days=self.thresholds.fast_days,
            loss_days=self.thresholds.loss_days,
            target_days=self.thresholds.dso_target_days,
            benchmark_days=self.thresholds.dso_benchmark_days,
            stable_share=self.thresholds.stable_share,
            monthly_targets={code: target for code, target in targets.items() if target is not None},
            amount_cuts={code: self.thresholds.cuts(code) for code in currencies},
        )


@dataclass(frozen=True)
class RecomputedFigures:
    """Figures recomputed from rows.

    Attributes:
        oracle: What computes them.
        size: From how many rows.
        is_whole: Whether these are all rows of the reading: then every figure is recomputed. Of a part it
            is the KPIs that do not rest on all certificates.
    """

    oracle: Oracle
    size: int
    is_whole: bool

    def answer(self, product: str, requested: Filter) -> dict[str, Any]:
        """The answer of a product to a filter, or what of it is recomputed."""
        variant = self.oracle.variant(requested.as_dict())
        if self.is_whole:
            return Products(variant).of(product, kpis_of_product(product), charts_of_product(product))
        values, resting_on_all = KpiValues(variant), kpis_resting_on_all(product)
        names = [name for name in kpis_of_product(product) if name not in resting_on_all]
        return {"kpis": {name: values[name] for name in names}}

    def comparable(self, product: str, published: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of a published answer is recomputed."""
        if self.is_whole:
            return published
        left_out, kpis = kpis_resting_on_all(product), published.get("kpis") or {}
        return {"kpis": {name: one for name, one in kpis.items() if name not in left_out}}


def _admitted(rows: pa.Table, terms: Mapping[str, Sequence[str]]) -> pa.Table:
    """The rows that have one of the values of each dimension; spellings are compared without case."""
    for name, values in terms.items():
        wanted = {bare(value) for value in values}
        if name == MONTH:
            numbers = {number(value) for value in wanted}
            held = pc.unique(rows[name]).to_pylist()
            admitted = [one for one in held if one.year * 12 + one.month - 1 in numbers]
        else:
            admitted = [one for one in pc.unique(rows[name]).to_pylist() if bare(one) in wanted]
        rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(admitted, rows[name].type)))
    return rows

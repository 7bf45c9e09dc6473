"""Whole payloads: what each product says of a filter."""

from collections.abc import Sequence
from functools import cached_property

from kpi_pipeline.audit.recomputation import finances, tables, work_lists
from kpi_pipeline.audit.recomputation import months as month
from kpi_pipeline.audit.recomputation.charts import charts
from kpi_pipeline.audit.recomputation.kpi_values import KpiValues
from kpi_pipeline.audit.recomputation.kpis import FIGURES
from kpi_pipeline.audit.recomputation.quotients import Data
from kpi_pipeline.audit.recomputation.variant import Variant


class Products:
    """What each product says of one variant.

    Attributes:
        variant: What the filter chooses.
        readings: Its KPIs.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.readings = KpiValues(variant)

    def of(self, name: str, kpis: Sequence[str], drawn: Sequence[str]) -> Data:
        """The whole payload of a product.

        Args:
            name: The product.
            kpis: The KPIs on its pages.
            drawn: The charts on its pages.
        """
        return {**self._head, **getattr(self, f"_{name}")(kpis, drawn)}

    @cached_property
    def _head(self) -> Data:
        variant = self.variant
        return {
            "currencies": variant.currencies,
            "months": [month.text(one) for one in variant.months],
            "comparison": variant.comparison,
            "cohort": variant.cohort,
        }

    @cached_property
    def _all_charts(self) -> dict[str, Data]:
        return charts(self.variant, self.readings)

    def _kpis(self, _kpis: Sequence[str], _drawn: Sequence[str]) -> Data:
        return {
            "options": self.variant.options,
            "kpis": {name: self.readings[name] for name in FIGURES},
            "ageing": tables.ageing(self.variant),
            "stages": tables.stages(self.variant),
        }

    def _dashboards(self, kpis: Sequence[str], drawn: Sequence[str]) -> Data:
        return {
            **self._page(kpis, drawn),
            "expected": finances.next_days(self.variant),
            "tables": {
                "collect_today": work_lists.collect_today(self.variant),
                "correct_and_resend": work_lists.correct_and_resend(self.variant),
                "oldest_open": work_lists.oldest_open(self.variant),
            },
        }

    def _charts(self, kpis: Sequence[str], drawn: Sequence[str]) -> Data:
        return {
            **self._page(kpis, drawn),
            "tables": {
                name: getattr(tables, name)(self.variant)
                for name in ("project_managers", "rejection_reasons", "failure_kinds")
            },
        }

    def _financials(self, kpis: Sequence[str], drawn: Sequence[str]) -> Data:
        return {
            **self._page(kpis, drawn),
            "expected": finances.next_days(self.variant),
            "statement": finances.statement(self.variant),
            "totals": finances.totals(self.variant),
            "profitability": {
                name: tables.profitability(self.variant, name)
                for name in ("project", "client", "project_manager")
            },
            "suppliers": tables.suppliers(self.variant),
            "cost_categories": tables.cost_categories(self.variant),
            "working_capital": finances.working_capital(self.variant, self.readings),
            "forecast": finances.forecast(self.variant),
        }

    def _page(self, kpis: Sequence[str], drawn: Sequence[str]) -> Data:
        return {
            "options": self.variant.options,
            "kpis": {name: self.readings[name] for name in kpis},
            "charts": {name: self._all_charts[name] for name in drawn},
        }

"""Where the numbers of tables and charts lead: to the lists of certificates that sum to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.dimensions import MONTH
from kpi_pipeline.model.listed_figures import EXPECTED_LIST, ListedFigure, ListedReason, ListedSeries
from serving.pages.drill_down import ListScope
from serving.pages.selection import Selection
from serving.pages.writing import Writer

_AGES: Final = {label: (first, last) for label, first, last in AGEING_BUCKETS}


@dataclass(frozen=True, slots=True)
class ListLinks:
    """Where the numbers of one filter lead.

    Attributes:
        selection: The filter.
        is_cohort: Whether its figures are of billing months.
        writer: Writes its values.
    """

    selection: Selection
    is_cohort: bool
    writer: Writer

    def of_value(self, listed: ListedFigure, dimension: str, value: str | None, currency: str) -> str:
        """The list of a value of a dimension; empty of several values together."""
        if not value:
            return ""
        scope = ListScope(is_cohort=self.is_cohort, currency=currency)
        return self.writer.list_url(listed, {**self.selection, dimension: (value,)}, scope)

    def of_reason(self, listed: ListedReason, row: Mapping[str, Any]) -> str:
        """The list of the reason of a row."""
        figure = listed.of_cohort if self.is_cohort else listed.listed
        scope = ListScope(currency=row["currency"], reason=(listed.reason, row[listed.named_by]))
        return self.writer.list_url(figure, self.selection, scope)

    def of_months(self, listed: ListedFigure | None, first: str, last: str, currency: str) -> str:
        """The list of events in some months, whatever ones the filter names; empty without a list."""
        scope = ListScope(month=first, last_month=last, currency=currency)
        return self.writer.list_url(listed, self._of_any_month, scope)

    def of_expected(self, month: str, currency: str) -> str:
        """The list of what is expected in a month: the filter's months are those of its certificates."""
        return self.writer.list_url(EXPECTED_LIST, self.selection, ListScope(month=month, currency=currency))

    def of_series(self, series: ListedSeries | None, row: Mapping[str, Any], currency: str) -> str:
        """The list of one value of a chart; empty where none sums to it."""
        if series is None:
            return ""
        listed = series.lists.get(row[series.by]) if series.by else series.listed
        if listed == EXPECTED_LIST:
            return self.of_expected(row[series.month], currency)
        narrowed = dict(self._of_any_month if series.month else self.selection)
        if series.dimension:
            narrowed[series.dimension] = (row[series.dimension],)
        ages = _AGES.get(row[series.ages]) if series.ages else None
        is_narrowed = (ages or not series.ages) and (not series.dimension or row[series.dimension])
        if listed is None or not is_narrowed:
            return ""
        scope = ListScope(
            is_cohort=self.is_cohort,
            month=row[series.month] if series.month else "",
            ages=ages,
            currency=currency,
        )
        return self.writer.list_url(listed, narrowed, scope)

    @property
    def _of_any_month(self) -> Selection:
        return {name: values for name, values in self.selection.items() if name != MONTH.name}

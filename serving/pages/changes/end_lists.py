"""Where the figures at both ends of a bridge lead: to the lists of certificates that sum to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Self

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.reading.listing.query import DayRange
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from kpi_pipeline.model.bridge import BRIDGE_FIGURES, BridgeFigure
from kpi_pipeline.model.listed_figures import LISTED_KPIS
from kpi_pipeline.model.listing import LISTED_WITH
from serving.bridge.look_up import BridgeResult
from serving.cache_access import Connection
from serving.listing.request import CURRENCY, STANDING, day_parameters
from serving.pages.addresses import CERTIFICATES_PATH, PageAddress
from serving.pages.context import PageContext
from serving.pages.selection import parameters_of
from serving.pages.standing import listed_month_ends

_KPIS: Final = {
    figure.name: (kpi, listed)
    for figure in BRIDGE_FIGURES
    for kpi, listed in LISTED_KPIS.items()
    if (listed.standing,) == figure.standings and listed.sums == figure.amount
}
"""By figure: the KPI that sums the same column of the same standing, and its list."""


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """What is published of a month end under a filter.

    Attributes:
        amounts: By KPI and currency, its value.
        window_first: The first day of its window: a KPI of events sums those of the window.
    """

    amounts: Mapping[tuple[str, str], int]
    window_first: date


@dataclass(frozen=True, slots=True)
class EndLists:
    """The lists of the two days of a bridge.

    Attributes:
        context: What the page is written with; its address has no parameters of the bridge.
        today: The business date, whose list sums to the figures of that day.
        published: Of the days that are month ends with a list, what is published of them. The standings of a
            bridge and the figures of a month end may rest on different readings of the source: only where
            both say the same does the list sum to what the bridge shows. A bridge sums all events until the
            day: of what was approved or collected both say the same where all of it is in the window.
    """

    context: PageContext
    today: date
    published: Mapping[date, MonthEnd] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection, result: BridgeResult, context: PageContext) -> Self:
        """Those of a bridge.

        Args:
            connection: Reads month ends.
            result: The bridge.
            context: As the attribute.
        """
        today, kept = result.figures.entry.as_of, listed_month_ends(connection)
        days = {result.bridge.opens_on, result.bridge.closes_on}.intersection(kept) - {today}
        found = {day: _month_end(connection, result, day) for day in days}
        return cls(context, today, {day: known for day, known in found.items() if known is not None})

    def url(self, figure: BridgeFigure, day: date, currency: str, amount: int) -> str:
        """The list that sums to a figure of a day; empty where none does.

        Args:
            figure: The figure.
            day: One of the two days.
            currency: Of the amount.
            amount: What the bridge says of that day.
        """
        is_today = day == self.today
        if not figure.standings or not (is_today or self._is_published(figure, day, currency, amount)):
            return ""
        context = self.context
        kept = [(STANDING, standing) for standing in figure.standings]
        if not is_today and (event := _KPIS[figure.name][1].event):
            kept += day_parameters(DayRange(event, self.published[day].window_first, day))
        if len(context.catalogue.currencies) > 1:
            kept.append((CURRENCY, currency))
        address = PageAddress(
            CERTIFICATES_PATH, context.address.language, None if is_today else day, tuple(kept)
        )
        return address.of(parameters_of(context.catalogue, context.selection))

    def _is_published(self, figure: BridgeFigure, day: date, currency: str, amount: int) -> bool:
        if figure.name not in _KPIS or day not in self.published:
            return False
        kpi, _ = _KPIS[figure.name]
        return self.published[day].amounts.get((kpi, currency), 0) == amount


def _month_end(connection: Connection, result: BridgeResult, day: date) -> MonthEnd | None:
    try:
        answer = connection.reader.month_ends.answer(LISTED_WITH, day, result.figures.lookup.filter)
        first = connection.catalogues.as_of(LISTED_WITH, day).window_first
    except (NoMonthEnd, NothingPublished, CacheUnavailable, CorruptPayload):
        return None
    if answer.payload is None:
        return None
    amounts = {
        (name, currency): value["value"] or 0
        for name, values in answer.payload.data()["kpis"].items()
        for value in values
        if (currency := value.get("currency"))
    }
    return MonthEnd(amounts, first)

"""Where the figures at both ends of a bridge lead: to the lists of certificates that sum to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd
from kpi_pipeline.model.bridge import BridgeFigure
from kpi_pipeline.model.listed_figures import LISTED_KPIS
from kpi_pipeline.model.listing import LISTED_WITH
from serving.bridge.look_up import BridgeResult
from serving.cache_access import Connection
from serving.listing.request import CURRENCY, STANDING
from serving.pages.addresses import CERTIFICATES_PATH, PageAddress
from serving.pages.context import PageContext
from serving.pages.selection import parameters_of
from serving.pages.standing import listed_month_ends

PublishedAmounts = Mapping[date, Mapping[tuple[str, str], int]]
"""By month end: by KPI and currency, what is published of it under a filter."""


@dataclass(frozen=True, slots=True)
class EndLists:
    """The lists of the two days of a bridge.

    Attributes:
        context: What the page is written with; its address has no parameters of the bridge.
        today: The business date, whose list sums to the figures of that day.
        published: Of the days that are month ends with a list, what is published of them. The standings of a
            bridge and the figures of a month end may rest on different readings of the source: only where
            both say the same does the list sum to what the bridge shows.
    """

    context: PageContext
    today: date
    published: PublishedAmounts = field(default_factory=dict)

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
        return cls(context, today, {day: _amounts(connection, result, day) for day in days})

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
        if len(context.catalogue.currencies) > 1:
            kept.append((CURRENCY, currency))
        address = PageAddress(
            CERTIFICATES_PATH, context.address.language, None if is_today else day, tuple(kept)
        )
        return address.of(parameters_of(context.catalogue, context.selection))

    def _is_published(self, figure: BridgeFigure, day: date, currency: str, amount: int) -> bool:
        listed = LISTED_KPIS.get(figure.name)
        # A KPI of events sums those of its window, and a bridge all until the day.
        if listed is None or listed.event or day not in self.published:
            return False
        return self.published[day].get((figure.name, currency), 0) == amount


def _amounts(connection: Connection, result: BridgeResult, day: date) -> Mapping[tuple[str, str], int]:
    try:
        answer = connection.reader.month_ends.answer(LISTED_WITH, day, result.figures.lookup.filter)
    except (NoMonthEnd, CacheUnavailable):
        return {}
    if answer.payload is None:
        return {}
    return {
        (name, currency): value["value"] or 0
        for name, values in answer.payload.data()["kpis"].items()
        for value in values
        if (currency := value.get("currency"))
    }

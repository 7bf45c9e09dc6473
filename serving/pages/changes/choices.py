"""The two days of a bridge as readers choose them: by a name, or one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from kpi_pipeline.cache.bridges import BridgeEntry
from kpi_pipeline.model.bridge import SINCE_LAST_DAY, SINCE_MONTH_END
from serving.bridge.look_up import BridgeResult
from serving.bridge.parameters import FROM, TO, BridgeRequest
from serving.pages.context import PageContext
from serving.pages.filters.form import Option

_OF_TODAY: Final = (SINCE_LAST_DAY, SINCE_MONTH_END)


@dataclass(frozen=True, slots=True)
class Preset:
    """Two days that are usual.

    Attributes:
        label: Which they are.
        url: The bridge between them.
        current: Whether it is the one that is shown.
    """

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class DayChoice:
    """One of the two days.

    Attributes:
        name: The parameter.
        label: What it is called.
        groups: By their name, the days that can be chosen, the latest first.
    """

    name: str
    label: str
    groups: list[tuple[str, list[Option]]]


class DayChoices:
    """Writes what days can be chosen.

    Args:
        result: The bridge that is shown.
        context: What the page is written with.
        url: The address of a bridge.
    """

    def __init__(
        self, result: BridgeResult, context: PageContext, url: Callable[[BridgeRequest], str]
    ) -> None:
        self._result = result
        self._texts, self._formats = context.texts, context.formats
        self._url = url

    def presets(self, *, of_today: bool) -> list[Preset]:
        """The bridges that have a name: those that lead to the business date, or those of months."""
        bridges = self._result.index.bridges
        return [self._preset(one) for one in bridges if (one.name in _OF_TODAY) is of_today]

    def days(self) -> list[DayChoice]:
        """The first and the last day."""
        bridge = self._result.bridge
        days = [one.day for one in reversed(self._result.index.days)]
        return [
            DayChoice(FROM, self._texts["bridge_from"], self._days(days[1:], bridge.opens_on)),
            DayChoice(TO, self._texts["bridge_to"], self._days(days[:-1], bridge.closes_on)),
        ]

    def _preset(self, bridge: BridgeEntry) -> Preset:
        request = replace(
            self._result.request.listing(), comparison=bridge.name, opens_on=None, closes_on=None
        )
        shown = self._result.bridge
        is_shown = (bridge.opens_on, bridge.closes_on) == (shown.opens_on, shown.closes_on)
        return Preset(self._label(bridge), self._url(request), is_shown)

    def _label(self, bridge: BridgeEntry) -> str:
        """The name of a bridge for readers."""
        if bridge.name == SINCE_LAST_DAY:
            return self._texts["bridge_since_last_day"].format(day=self._formats.day(bridge.opens_on))
        name = "bridge_since_month_end" if bridge.name == SINCE_MONTH_END else "bridge_of_month"
        day = bridge.opens_on if bridge.name == SINCE_MONTH_END else bridge.closes_on
        return self._texts[name].format(month=self._formats.month_in_full(f"{day:%Y-%m}"))

    def _days(self, days: Sequence[date], chosen: date) -> list[tuple[str, list[Option]]]:
        """Days by whether they are month ends."""
        groups: dict[bool, list[Option]] = {False: [], True: []}
        for day in days:
            is_month_end = (day + timedelta(1)).day == 1
            label = self._formats.day(day)
            groups[is_month_end].append(Option(day.isoformat(), label, "", day == chosen))
        names = {False: self._texts["bridge_days_kept"], True: self._texts["bridge_month_ends"]}
        return [(names[of], options) for of, options in groups.items() if options]

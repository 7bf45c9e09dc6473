"""The part of the list's form for days: between which days each event of a certificate is to lie."""

from dataclasses import dataclass, replace
from typing import Final

from kpi_pipeline.cache.reading.listing.query import DayRange
from kpi_pipeline.model.listing import FIRST_DAY, LAST_DAY, LIST_EVENTS
from serving.listing.request import FROM_DAY, TO_DAY, ListRequest
from serving.pages.context import PageContext

DAY_PARAMETERS: Final = frozenset(
    name.format(event.name) for event in LIST_EVENTS for name in (FROM_DAY, TO_DAY)
)
"""The parameters that it has fields for."""


@dataclass(frozen=True, slots=True)
class DayField:
    """One end of a range.

    Attributes:
        name: Its query parameter.
        label: Its name for people, below that of the event.
        value: The chosen day as YYYY-MM-DD; empty where there is none.
    """

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class DayFields:
    """The part of the form.

    Attributes:
        summary: The events that have days, in brief.
        is_chosen: Whether any has.
        first: The earliest day that can be chosen, as YYYY-MM-DD.
        last: The latest one.
        events: The name for people and both ends of each event.
    """

    summary: str
    is_chosen: bool
    first: str
    last: str
    events: list[tuple[str, list[DayField]]]


def day_fields(request: ListRequest, context: PageContext) -> DayFields:
    """What the form shows of days.

    Args:
        request: What is chosen.
        context: What the page is written with.
    """
    texts, language = context.texts, context.language
    chosen = {days.event: days for days in request.days}
    labels = [event.label.into(language) for event in LIST_EVENTS if event.name in chosen]
    several = texts["several_chosen"].format(count=len(labels))
    return DayFields(
        several if len(labels) > 1 else "".join(labels) or texts["all_values"],
        bool(labels),
        FIRST_DAY.isoformat(),
        LAST_DAY.isoformat(),
        [
            (event.label.into(language), _ends(chosen.get(event.name, DayRange(event.name)), context))
            for event in LIST_EVENTS
        ],
    )


def without_days(request: ListRequest) -> ListRequest:
    """The same whatever the days, from its first row."""
    return replace(request, days=(), offset=0)


def _ends(days: DayRange, context: PageContext) -> list[DayField]:
    ends = ((FROM_DAY, "list_from", days.first), (TO_DAY, "list_until", days.last))
    return [
        DayField(name.format(days.event), context.texts[text], "" if day is None else day.isoformat())
        for name, text, day in ends
    ]

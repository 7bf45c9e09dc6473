"""The part of the filter form for time: quick periods, a range of months, the date of the figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kpi_pipeline.model.filter_parameters import FROM, PERIOD, TO
from serving.catalogue import Catalogue, Dimension, Period
from serving.pages.context import PageContext
from serving.pages.filters.form import Choice, Option, choice_of, option_counts, part_label
from serving.pages.formats import Formats
from serving.pages.selection import MONTH, Counts, Part, Selection, parameters_of, parts


@dataclass(frozen=True, slots=True)
class PeriodLink:
    """A quick period and the address of the page for it, which keeps the other filters.

    Attributes:
        label: Its name for people.
        url: The address.
        current: Whether the page shows it.
        impossible: Whether it has no certificate.
    """

    label: str
    url: str
    current: bool
    impossible: bool


@dataclass(frozen=True, slots=True)
class RangeEnd:
    """The first or the last month of a range.

    Attributes:
        name: Its query parameter.
        label: Its name for people.
        options: The months, the latest first.
        free: Its text when nothing is chosen.
    """

    name: str
    label: str
    options: list[Option]
    free: str

    @property
    def chosen(self) -> bool:
        """Whether a month is chosen."""
        return any(option.chosen for option in self.options)


@dataclass(frozen=True, slots=True)
class PeriodChoice:
    """When: one control.

    Attributes:
        summary: What is chosen, in brief.
        links: The quick periods.
        ends: Those of a range of months; none when the chosen months are no range.
        months: The months one by one when they are no range; None otherwise.
        clear_url: The page for all time; None when it shows that.
    """

    summary: str
    links: list[PeriodLink]
    ends: list[RangeEnd]
    months: Choice | None
    clear_url: str | None


def period_choice(context: PageContext) -> PeriodChoice:
    """What can be chosen of time, and what is."""
    selection = context.selection
    when = list(_when(context.catalogue, selection))
    months = [part for part in when if part.dimension == MONTH]
    held = [dimension for dimension in context.catalogue.dimensions if dimension.name == MONTH]
    is_range = len(months) < 2
    links = period_links(context)
    left = {name: () if name in {part.dimension for part in when} else selection[name] for name in selection}
    return PeriodChoice(
        _summary(when, links, context),
        links,
        _ends(held, months, context) if is_range else [],
        choice_of(held[0], context) if held and not is_range else None,
        context.url(left) if when else None,
    )


def period_links(context: PageContext) -> list[PeriodLink]:
    """The quick periods, each in place of the filter's choice of time."""
    catalogue, selection = context.catalogue, context.selection
    times = {dimension.name for dimension in catalogue.dimensions if dimension.role == "time"}
    when = [part for part in parts(catalogue, selection) if part.dimension in times]
    others = {name: values for name, values in selection.items() if name not in times}
    kept = parameters_of(catalogue, others)
    # Counts under another choice of time, which a link drops, would be too low.
    named = {part.dimension for part in when}
    of_all = option_counts(catalogue, None, {})
    links = []
    for period in catalogue.periods:
        counts = context.counts if named <= {period.dimension} else of_all
        own = ((PERIOD, period.name),) if period.dimension is not None else ()
        links.append(
            PeriodLink(
                context.writer.label(period),
                context.address.of([*kept, *own]),
                current=[part.source for part in when] == [period] if own else not when,
                impossible=bool(own) and not _certificates(catalogue, period, counts),
            )
        )
    return links


def month_end_options(
    month_ends: Sequence[date], shown: date | None, present: str, formats: Formats
) -> list[Option]:
    """The present and every month end that is kept, the latest first.

    Args:
        month_ends: Those, the earliest first.
        shown: The month end that the page shows; None for the present.
        present: The text for the present.
        formats: Of days.
    """
    days = [Option(day.isoformat(), formats.day(day), "", day == shown) for day in reversed(month_ends)]
    return [Option("", present, "", shown is None), *days]


def _when(catalogue: Catalogue, selection: Selection) -> Iterator[Part]:
    """The parts of a filter that this control shows: months, and days since issue that are a period."""
    for part in parts(catalogue, selection):
        if part.dimension == MONTH or isinstance(part.source, Period):
            yield part


def _summary(when: Sequence[Part], links: Sequence[PeriodLink], context: PageContext) -> str:
    if len(when) > 1:
        return context.texts["several_chosen"].format(count=len(when))
    if when:
        return part_label(when[0], context.writer)
    return next((link.label for link in links if link.current), context.texts["all_values"])


def _ends(held: Sequence[Dimension], months: Sequence[Part], context: PageContext) -> list[RangeEnd]:
    """The first and the last month. One without certificates may bound a range and is not impossible."""
    texts, formats = context.texts, context.formats
    chosen = [part.values for part in months]
    counted = [
        (month.value, count)
        for dimension in held
        for month, count in zip(dimension.values, context.counts[dimension.name], strict=True)
    ]
    return [
        RangeEnd(
            name,
            texts[f"month_{name}"],
            [
                Option(
                    value,
                    formats.month(value),
                    formats.count(count) if count else texts["no_certificates"],
                    [value] == [values[end] for values in chosen],
                )
                # The latest is what people look for.
                for value, count in reversed(counted)
            ],
            texts[f"month_{name}_free"],
        )
        for name, end in ((FROM, 0), (TO, -1))
    ]


def _certificates(catalogue: Catalogue, period: Period, counts: Counts) -> int:
    return sum(
        count
        for dimension in catalogue.dimensions
        if dimension.name == period.dimension
        for value, count in zip(dimension.values, counts[dimension.name], strict=True)
        if value.value in period.values
    )

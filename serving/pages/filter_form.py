"""The filter form: what can be chosen, what is chosen, and the addresses that take a choice back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from kpi_pipeline.cache.query import FROM, PERIOD, TO
from serving.catalogues import Catalogue, Dimension, Group, Period
from serving.negotiation import Language
from serving.pages.addresses import LANGUAGE_PARAMETER
from serving.pages.filter_parts import (
    Parameters,
    Part,
    Selection,
    groups_of,
    parameters_of,
    parts,
    without,
)
from serving.pages.formats import Formats
from serving.pages.texts import texts_in
from serving.pages.texts.values import UNASSIGNED_TEXT, UNASSIGNED_VALUE, VALUE_TEXTS
from serving.time_travel import AS_OF

Counts = Mapping[str, Sequence[int]]
"""By dimension, how many certificates each of its values has, in the order of the catalogue."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page whatever its filter: what the links to its other filters keep.

    Attributes:
        path: Where it is.
        language: The language that its address asks for; None leaves it to the browser.
        as_of: The date of the past that it asks for; None for the present.
    """

    path: str
    language: Language | None
    as_of: date | None = None

    def of(self, parameters: Parameters) -> str:
        """The address for a filter, given by its parameters from `filter_parts.parameters_of`."""
        pairs = list(parameters)
        if self.as_of is not None:
            pairs.append((AS_OF, self.as_of.isoformat()))
        if self.language is not None:
            pairs.append((LANGUAGE_PARAMETER, self.language))
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path


@dataclass(frozen=True, slots=True)
class Option:
    """One value that can be chosen.

    Attributes:
        value: As the address has it.
        label: As people read it.
        count: How many certificates it has, in words; empty where that does not matter.
        chosen: Whether it is chosen.
        impossible: Whether choosing it would leave no certificate.
    """

    value: str
    label: str
    count: str
    chosen: bool
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One control of the form.

    Attributes:
        name: Its query parameter.
        label: Its name for people.
        options: Its values.
        several: Whether more than one is chosen.
        free: What it says when nothing is chosen.
    """

    name: str
    label: str
    options: list[Option]
    several: bool
    free: str

    @property
    def chosen(self) -> bool:
        """Whether any value is chosen."""
        return any(option.chosen for option in self.options)


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
class Chip:
    """One chosen part and the address of the page without it."""

    dimension: str
    label: str
    remove_url: str


def option_counts(catalogue: Catalogue, options: Counts | None, wider: Mapping[str, Counts | None]) -> Counts:
    """How many certificates each value would leave, beside what else is chosen.

    Args:
        catalogue: Its counts stand in for those that are not at hand; they are never less.
        options: Of the payload shown: it counts the values of every dimension that its filter leaves free.
        wider: By a dimension that the filter names, the options of the variant that leaves it free.
    """
    found: dict[str, Sequence[int]] = {}
    for dimension in catalogue.dimensions:
        found[dimension.name] = [one.count for one in dimension.values]
        for source in (options, wider.get(dimension.name)):
            counted = (source or {}).get(dimension.name)
            # A generation that has come since the catalogue was read may count other values.
            if counted is not None and len(counted) == len(dimension.values):
                found[dimension.name] = counted
    return found


def choices(
    catalogue: Catalogue, selection: Selection, counts: Counts, language: Language, formats: Formats
) -> list[Choice]:
    """Every dimension with its values; months as the ends of a range, unless those chosen are none.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        counts: From `option_counts`.
        language: Of the labels.
        formats: Of months and counts.
    """
    chosen = parts(catalogue, selection)
    found = []
    for dimension in catalogue.dimensions:
        own = [part for part in chosen if part.dimension == dimension.name]
        if dimension.name == "month" and len(own) < 2:
            found += _range_ends(dimension, own, counts, language, formats)
        else:
            found.append(_choice(catalogue, dimension, own, counts[dimension.name], language, formats))
    return found


def period_links(
    catalogue: Catalogue,
    selection: Selection,
    counts: Counts,
    language: Language,
    address: PageAddress,
) -> list[PeriodLink]:
    """The quick periods, each in the place of what the filter says of time.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        counts: From `option_counts`.
        language: Of the labels.
        address: Of the page.
    """
    times = {dimension.name for dimension in catalogue.dimensions if dimension.role == "time"}
    when = [part for part in parts(catalogue, selection) if part.dimension in times]
    others = {name: values for name, values in selection.items() if name not in times}
    kept = parameters_of(catalogue, others)
    # Counts beside another choice of time, which a link drops, would be too low.
    named = {part.dimension for part in when}
    of_all = option_counts(catalogue, None, {})
    links = []
    for period in catalogue.periods:
        counted = counts if named <= {period.dimension} else of_all
        own = ((PERIOD, period.name),) if period.dimension is not None else ()
        links.append(
            PeriodLink(
                _said(period, language),
                address.of([*kept, *own]),
                current=[part.said_by for part in when] == [period] if own else not when,
                impossible=bool(own) and not _certificates(catalogue, period, counted),
            )
        )
    return links


def chips(
    catalogue: Catalogue,
    selection: Selection,
    language: Language,
    formats: Formats,
    address: PageAddress,
) -> list[Chip]:
    """What is chosen, in the order of the form: a period, a range or a group is one.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        language: Of the labels.
        formats: Of months.
        address: Of the page.
    """
    labels = {dimension.name: _label(dimension, language) for dimension in catalogue.dimensions}
    return [
        Chip(
            texts_in(language)["period"] if isinstance(part.said_by, Period) else labels[part.dimension],
            _part_label(part, language, formats),
            address.of(parameters_of(catalogue, without(selection, part))),
        )
        for part in parts(catalogue, selection)
    ]


def month_end_options(
    month_ends: Sequence[date], shown: date | None, present: str, formats: Formats
) -> list[Option]:
    """The present and every month end that is kept, the latest first.

    Args:
        month_ends: Those, the earliest first.
        shown: The month end that the page shows; None for the present.
        present: The present in words.
        formats: Of days.
    """
    days = [Option(day.isoformat(), formats.day(day), "", day == shown) for day in reversed(month_ends)]
    return [Option("", present, "", shown is None), *days]


def value_label(dimension: str, value: str, language: Language, formats: Formats) -> str:
    """A value of a dimension as people read it; names stay as the source spells them."""
    if dimension == "month":
        return formats.month(value)
    if dimension == "issued_age":
        return value.replace("-", "\N{EN DASH}")
    if (text := VALUE_TEXTS.get(dimension, {}).get(value)) is not None:
        return text.into(language)
    return UNASSIGNED_TEXT.into(language) if value == UNASSIGNED_VALUE else value


def _range_ends(
    dimension: Dimension, own: Sequence[Part], counts: Counts, language: Language, formats: Formats
) -> list[Choice]:
    """The first and the last month. One without certificates may bound a range and is not impossible."""
    texts = texts_in(language)
    ends = [part.values for part in own]
    return [
        Choice(
            name,
            texts[f"month_{name}"],
            [
                Option(
                    one.value,
                    formats.month(one.value),
                    _in_words(count, texts, formats),
                    [one.value] == [values[end] for values in ends],
                )
                # The latest is what people look for.
                for one, count in reversed(list(zip(dimension.values, counts[dimension.name], strict=True)))
            ],
            several=False,
            free=texts[f"month_{name}_free"],
        )
        for name, end in ((FROM, 0), (TO, -1))
    ]


def _choice(
    catalogue: Catalogue,
    dimension: Dimension,
    own: Sequence[Part],
    counts: Sequence[int],
    language: Language,
    formats: Formats,
) -> Choice:
    """A dimension with its groups and values."""
    texts = texts_in(language)
    chosen = {
        word
        for part in own
        for word in ([part.said_by.name] if isinstance(part.said_by, Group) else part.values)
    }
    by_value = {one.value: count for one, count in zip(dimension.values, counts, strict=True)}
    words = [
        (group.name, _said(group, language), sum(by_value.get(value, 0) for value in group.values))
        for group in groups_of(catalogue, dimension)
    ] + [
        (value, value_label(dimension.name, value, language, formats), count)
        for value, count in by_value.items()
    ]
    options = [
        Option(
            word,
            label,
            _in_words(count, texts, formats),
            chosen=word in chosen,
            impossible=not count and word not in chosen,  # a disabled one would not be sent again
        )
        for word, label, count in words
    ]
    return Choice(dimension.name, _label(dimension, language), options, len(chosen) > 1, texts["all_values"])


def _certificates(catalogue: Catalogue, period: Period, counts: Counts) -> int:
    return sum(
        count
        for dimension in catalogue.dimensions
        if dimension.name == period.dimension
        for one, count in zip(dimension.values, counts[dimension.name], strict=True)
        if one.value in period.values
    )


def _part_label(part: Part, language: Language, formats: Formats) -> str:
    if part.said_by is not None:
        return _said(part.said_by, language)
    ends = dict.fromkeys((part.values[0], part.values[-1]))
    return " \N{EN DASH} ".join(value_label(part.dimension, value, language, formats) for value in ends)


def _in_words(count: int, texts: Mapping[str, str], formats: Formats) -> str:
    return formats.count(count) if count else texts["no_certificates"]


def _label(dimension: Dimension, language: Language) -> str:
    return dimension.label_es if language == "es" else dimension.label_en


def _said(named: Period | Group, language: Language) -> str:
    return named.label_es if language == "es" else named.label_en

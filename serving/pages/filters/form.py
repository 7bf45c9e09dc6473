"""The filter form: what can be chosen, what is chosen, and the addresses that take a choice back.

What it says of time is in `period_choice`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from serving.as_of import AS_OF
from serving.catalogue import Catalogue, Dimension, Group, Period
from serving.negotiation import Language
from serving.pages.addresses import LANGUAGE_PARAMETER
from serving.pages.filters.parts import (
    MONTH,
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

_AT_A_GLANCE: Final = 8

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
        included: Whether a chosen group includes it.
    """

    value: str
    label: str
    count: str
    chosen: bool
    impossible: bool = False
    included: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A dimension of which any number of values can be chosen.

    Attributes:
        name: Its query parameter.
        label: Its name for people.
        options: Its groups and values.
        said: What is chosen, in a few words.
        clear_url: The page with none of it chosen; None when none is.
    """

    name: str
    label: str
    options: list[Option]
    said: str
    clear_url: str | None

    @property
    def is_long(self) -> bool:
        """Whether it has more values than are looked over at a glance."""
        return len(self.options) > _AT_A_GLANCE


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
    catalogue: Catalogue,
    selection: Selection,
    counts: Counts,
    language: Language,
    formats: Formats,
    address: PageAddress,
) -> list[Choice]:
    """Every dimension but the month with its values.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        counts: From `option_counts`.
        language: Of the labels.
        formats: Of months and counts.
        address: Of the page.
    """
    return [
        choice_of(catalogue, dimension, selection, counts, language, formats, address)
        for dimension in catalogue.dimensions
        if dimension.name != MONTH
    ]


def choice_of(
    catalogue: Catalogue,
    dimension: Dimension,
    selection: Selection,
    counts: Counts,
    language: Language,
    formats: Formats,
    address: PageAddress,
) -> Choice:
    """One dimension with its groups and values; the arguments are those of `choices`."""
    texts = texts_in(language)
    own = [part for part in parts(catalogue, selection) if part.dimension == dimension.name]
    chosen = {value for part in own if not isinstance(part.said_by, Group) for value in part.values}
    named = [part.said_by for part in own if isinstance(part.said_by, Group)]
    by_value = {one.value: count for one, count in zip(dimension.values, counts[dimension.name], strict=True)}
    options = [
        _option(
            group.name,
            said(group, language),
            sum(by_value.get(value, 0) for value in group.values),
            group in named,
            formats,
        )
        for group in groups_of(catalogue, dimension)
    ]
    for value, count in by_value.items():
        label = value_label(dimension.name, value, language, formats)
        included = any(value in group.values for group in named)
        options.append(_option(value, label, count, value in chosen, formats, included))
    if dimension.role != "time" and len(options) > _AT_A_GLANCE:
        options.sort(key=lambda option: option.impossible)
    return Choice(
        dimension.name,
        _label(dimension, language),
        options,
        _in_few_words([one.label for one in options if one.chosen], texts),
        address.of(parameters_of(catalogue, {**selection, dimension.name: ()})) if own else None,
    )


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
            part_label(part, language, formats),
            address.of(parameters_of(catalogue, without(selection, part))),
        )
        for part in parts(catalogue, selection)
    ]


def value_label(dimension: str, value: str, language: Language, formats: Formats) -> str:
    """A value of a dimension as people read it; names stay as the source spells them."""
    if dimension == "month":
        return formats.month(value)
    if dimension == "issued_age":
        return value.replace("-", "\N{EN DASH}")
    if (text := VALUE_TEXTS.get(dimension, {}).get(value)) is not None:
        return text.into(language)
    return UNASSIGNED_TEXT.into(language) if value == UNASSIGNED_VALUE else value


def part_label(part: Part, language: Language, formats: Formats) -> str:
    """A part of a filter as people read it: a period or group by its name, a range by its ends."""
    if part.said_by is not None:
        return said(part.said_by, language)
    ends = dict.fromkeys((part.values[0], part.values[-1]))
    return " \N{EN DASH} ".join(value_label(part.dimension, value, language, formats) for value in ends)


def _option(
    value: str, label: str, count: int, chosen: bool, formats: Formats, included: bool = False
) -> Option:
    # A disabled one would not be sent again: what is chosen is never impossible.
    impossible = not (count or chosen or included)
    return Option(value, label, formats.count(count), chosen, impossible, included)


def _in_few_words(labels: Sequence[str], texts: Mapping[str, str]) -> str:
    if len(labels) > 1:
        return texts["several_chosen"].format(count=len(labels))
    return labels[0] if labels else texts["all_values"]


def _label(dimension: Dimension, language: Language) -> str:
    return dimension.label_es if language == "es" else dimension.label_en


def said(named: Period | Group, language: Language) -> str:
    """The name of a period or group for people."""
    return named.label_es if language == "es" else named.label_en

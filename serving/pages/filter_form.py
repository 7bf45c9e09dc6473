"""The filter form: what can be chosen, what is chosen, and the addresses that take a choice back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from serving.catalogues import Catalogue, Dimension
from serving.negotiation import Language
from serving.pages.formats import Formats
from serving.pages.texts import STATE_TEXTS, UNASSIGNED_TEXT, UNASSIGNED_VALUE
from serving.time_travel import AS_OF

DASHBOARD_PATH: Final = "/manager/dashboard"

Selection = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Option:
    """One value that can be chosen."""

    value: str
    label: str
    count: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One dimension of the form.

    Attributes:
        name: Its query parameter.
        label: Its name for people.
        options: Its values.
        several: Whether more than one is chosen.
    """

    name: str
    label: str
    options: list[Option]
    several: bool

    @property
    def chosen(self) -> bool:
        """Whether any value is chosen."""
        return any(option.chosen for option in self.options)


@dataclass(frozen=True, slots=True)
class Chip:
    """One chosen value and the address of the page without it."""

    dimension: str
    label: str
    remove_url: str


def choices(catalogue: Catalogue, selection: Selection, language: Language, formats: Formats) -> list[Choice]:
    """Every dimension with its values.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        language: Of the labels.
        formats: Of months and counts.
    """
    found = []
    for dimension in catalogue.dimensions:
        chosen = selection.get(dimension.name, ())
        options = [
            Option(
                one.value,
                value_label(dimension.name, one.value, language, formats),
                formats.count(one.count),
                one.value in chosen,
            )
            for one in dimension.values
        ]
        if dimension.name == "month":
            options.reverse()  # the latest is what people look for
        found.append(Choice(dimension.name, _label(dimension, language), options, len(chosen) > 1))
    return found


def chips(
    catalogue: Catalogue,
    selection: Selection,
    language: Language,
    asked_language: Language | None,
    formats: Formats,
    as_of: date | None = None,
) -> list[Chip]:
    """The chosen values, in the order of the form.

    Args:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        language: Of the labels.
        asked_language: The language that the address asks for, if it does.
        formats: Of months.
        as_of: The date of the past that the address asks for; None for the present.
    """
    return [
        Chip(
            _label(dimension, language),
            value_label(dimension.name, value, language, formats),
            dashboard_url(_without(selection, dimension.name, value), asked_language, as_of),
        )
        for dimension in catalogue.dimensions
        for value in selection.get(dimension.name, ())
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


def dashboard_url(selection: Selection, language: Language | None, as_of: date | None = None) -> str:
    """The address of the dashboard for a filter.

    Args:
        selection: The chosen values by dimension.
        language: The language to ask for; None leaves it to the browser.
        as_of: The date of the past to ask for; None for the present.
    """
    pairs = [(name, value) for name, values in selection.items() for value in values]
    if as_of is not None:
        pairs.append((AS_OF, as_of.isoformat()))
    if language is not None:
        pairs.append(("lang", language))
    return f"{DASHBOARD_PATH}?{urlencode(pairs)}" if pairs else DASHBOARD_PATH


def value_label(dimension: str, value: str, language: Language, formats: Formats) -> str:
    """A value of a dimension as people read it; names stay as the source spells them."""
    if dimension == "month":
        return formats.month(value)
    if dimension == "state" and value in STATE_TEXTS:
        return STATE_TEXTS[value].into(language)
    return UNASSIGNED_TEXT.into(language) if value == UNASSIGNED_VALUE else value


def _label(dimension: Dimension, language: Language) -> str:
    return dimension.label_es if language == "es" else dimension.label_en


def _without(selection: Selection, dimension: str, value: str) -> Selection:
    return {
        name: [one for one in values if (name, one) != (dimension, value)]
        for name, values in selection.items()
    }

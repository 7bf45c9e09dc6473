"""The filter form: what can be chosen, what is chosen, and the addresses that take a choice back.

The part for time is in `period_choice`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from serving.catalogue import Catalogue, Dimension, Group, Period
from serving.pages.context import PageContext
from serving.pages.formats import Formats
from serving.pages.selection import MONTH, Counts, Part, groups_of, parts, without
from serving.pages.writing import NamedLink, Writer

_AT_A_GLANCE: Final = 8


@dataclass(frozen=True, slots=True)
class Option:
    """One value that can be chosen.

    Attributes:
        value: As the address has it.
        label: As people read it.
        count: How many certificates it has, as text; empty where that does not matter.
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
        summary: What is chosen, in brief.
        clear_url: The page with none of it chosen; None when none is.
    """

    name: str
    label: str
    options: list[Option]
    summary: str
    clear_url: str | None

    @property
    def is_long(self) -> bool:
        """Whether it has more values than are looked over at a glance."""
        return len(self.options) > _AT_A_GLANCE


@dataclass(frozen=True, slots=True)
class Chip:
    """One chosen part.

    Attributes:
        dimension: What it is a choice of.
        label: It, as people read it.
        remove_url: The page without it.
        profile: The page of the client or project that it is; None of others.
    """

    dimension: str
    label: str
    remove_url: str
    profile: NamedLink | None = None


def option_counts(catalogue: Catalogue, options: Counts | None, wider: Mapping[str, Counts | None]) -> Counts:
    """How many certificates each value would leave, given what else is chosen.

    Args:
        catalogue: Its counts stand in for those that are not at hand; they are never less.
        options: Of the payload shown: it counts the values of every dimension that its filter leaves free.
        wider: By a dimension that the filter names, the options of the variant that leaves it free.
    """
    counts: dict[str, Sequence[int]] = {}
    for dimension in catalogue.dimensions:
        counts[dimension.name] = [value.count for value in dimension.values]
        for source in (options, wider.get(dimension.name)):
            counted = (source or {}).get(dimension.name)
            # A generation that has come since the catalogue was read may count other values.
            if counted is not None and len(counted) == len(dimension.values):
                counts[dimension.name] = counted
    return counts


def choices(context: PageContext) -> list[Choice]:
    """Every dimension but the month with its values."""
    return [
        choice_of(dimension, context) for dimension in context.catalogue.dimensions if dimension.name != MONTH
    ]


def choice_of(dimension: Dimension, context: PageContext) -> Choice:
    """One dimension with its groups and values."""
    catalogue, writer = context.catalogue, context.writer
    own = [part for part in parts(catalogue, context.selection) if part.dimension == dimension.name]
    chosen = {value for part in own if not isinstance(part.source, Group) for value in part.values}
    named = [part.source for part in own if isinstance(part.source, Group)]
    counts = context.counts[dimension.name]
    by_value = {value.value: count for value, count in zip(dimension.values, counts, strict=True)}
    options = [
        _option(
            group.name,
            writer.label(group),
            sum(by_value.get(value, 0) for value in group.values),
            group in named,
            writer.formats,
        )
        for group in groups_of(catalogue, dimension)
    ]
    for value, count in by_value.items():
        label = writer.text(dimension.kind, value, "")
        included = any(value in group.values for group in named)
        options.append(_option(value, label, count, value in chosen, writer.formats, included))
    if dimension.role != "time" and len(options) > _AT_A_GLANCE:
        options.sort(key=lambda option: option.impossible)
    return Choice(
        dimension.name,
        writer.label(dimension),
        options,
        _summary([option.label for option in options if option.chosen], writer.texts),
        context.url({**context.selection, dimension.name: ()}) if own else None,
    )


def chips(context: PageContext) -> list[Chip]:
    """What is chosen, in the order of the form: a period, a range or a group is one chip."""
    catalogue, writer = context.catalogue, context.writer
    return [
        Chip(
            part_heading(catalogue, part, writer),
            part_label(part, writer),
            context.url(without(context.selection, part)),
            writer.profile(part.dimension, part.values[0]) if len(part.values) == 1 else None,
        )
        for part in parts(catalogue, context.selection)
    ]


def part_heading(catalogue: Catalogue, part: Part, writer: Writer) -> str:
    """What a part of a filter is a choice of: its dimension, or the period."""
    if part.dimension == MONTH or isinstance(part.source, Period):
        return writer.texts["period"]
    return next(
        writer.label(dimension) for dimension in catalogue.dimensions if dimension.name == part.dimension
    )


def part_label(part: Part, writer: Writer) -> str:
    """A part of a filter as people read it: a period or group by its name, a range by its ends."""
    if part.source is not None:
        return writer.label(part.source)
    (kind,) = (
        dimension.kind for dimension in writer.catalogue.dimensions if dimension.name == part.dimension
    )
    ends = dict.fromkeys((part.values[0], part.values[-1]))
    return " \N{EN DASH} ".join(writer.text(kind, value, "") for value in ends)


def _option(
    value: str, label: str, count: int, chosen: bool, formats: Formats, included: bool = False
) -> Option:
    # A disabled option would not be sent again: what is chosen is never impossible.
    impossible = not (count or chosen or included)
    return Option(value, label, formats.count(count), chosen, impossible, included)


def _summary(labels: Sequence[str], texts: Mapping[str, str]) -> str:
    if len(labels) > 1:
        return texts["several_chosen"].format(count=len(labels))
    return labels[0] if labels else texts["all_values"]

"""A filter in the fewest parts: values that form a period, a range or a group are one part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.filter_parameters import FROM, PERIOD, TO
from serving.catalogue import Catalogue, Dimension, Group, Period

MONTH: Final = "month"
"""The dimension whose values follow one another: several can be a range."""

Selection = Mapping[str, Sequence[str]]
"""The chosen values by dimension."""

Counts = Mapping[str, Sequence[int]]
"""By dimension, how many certificates each of its values has, in the order of the catalogue."""

Parameters = Sequence[tuple[str, str]]
"""Query parameters."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is chosen, and can be removed, in one step.

    Attributes:
        dimension: The name of the dimension that it filters.
        values: Its values, in the order of the catalogue.
        parameters: Those that an address has for it.
        source: The period or group that it is; None for a range of months or a single value.
    """

    dimension: str
    values: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    source: Period | Group | None = None


def parts(catalogue: Catalogue, selection: Selection) -> list[Part]:
    """The parts of a filter, in the order of the catalogue.

    Args:
        catalogue: Of which the values, periods and groups are.
        selection: The chosen values by dimension.
    """
    filter_parts: list[Part] = []
    for dimension in catalogue.dimensions:
        if not (chosen := selection.get(dimension.name)):
            continue
        values = _in_order(dimension, chosen)
        if dimension.role == "time":
            # An address has one kind of time: with months, days since issue are listed by their values.
            period = None
            if dimension.name == MONTH or not selection.get(MONTH):
                period = _period(catalogue, dimension, values)
            span = period or _range(dimension, values)
            filter_parts += [span] if span else _singles(dimension, values)
        else:
            filter_parts += _groups_and_singles(catalogue, dimension, values)
    return filter_parts


def parameters_of(catalogue: Catalogue, selection: Selection) -> Parameters:
    """The query parameters of a filter: `model.filter_parameters.parse_filter` makes the same filter of them.

    Args:
        catalogue: By which they are read.
        selection: The chosen values by dimension.
    """
    return [parameter for part in parts(catalogue, selection) for parameter in part.parameters]


def without(selection: Selection, part: Part) -> Selection:
    """A filter that leaves a part of another free."""
    return {
        name: [value for value in values if name != part.dimension or value not in part.values]
        for name, values in selection.items()
    }


def groups_of(catalogue: Catalogue, dimension: Dimension) -> list[Group]:
    """The groups of a dimension that have more than one value."""
    return [
        group for group in catalogue.groups if group.dimension == dimension.name and len(group.values) > 1
    ]


def _in_order(dimension: Dimension, chosen: Sequence[str]) -> tuple[str, ...]:
    """Values as the catalogue orders them; those that it does not know, of another generation, at the end."""
    if len(chosen) == 1:
        return tuple(chosen)
    place = {known.value: at for at, known in enumerate(dimension.values)}
    return tuple(sorted(chosen, key=lambda value: place.get(value, len(place))))


def _period(catalogue: Catalogue, dimension: Dimension, values: tuple[str, ...]) -> Part | None:
    chosen = set(values)
    for period in catalogue.periods:
        if (
            period.dimension == dimension.name
            and len(period.values) >= len(chosen)
            and set(period.values) == chosen
        ):
            return Part(dimension.name, values, ((PERIOD, period.name),), period)
    return None


def _range(dimension: Dimension, values: tuple[str, ...]) -> Part | None:
    """Several months that follow one another."""
    if dimension.name != MONTH or len(values) == 1:
        return None
    span = [month.value for month in dimension.values if values[0] <= month.value <= values[-1]]
    if tuple(span) != values:
        return None
    return Part(dimension.name, values, ((FROM, values[0]), (TO, values[-1])))


def _groups_and_singles(
    catalogue: Catalogue, dimension: Dimension, values: tuple[str, ...]
) -> Iterator[Part]:
    left = values
    for group in groups_of(catalogue, dimension):
        if set(group.values) <= set(left):
            named = tuple(value for value in left if value in group.values)
            left = tuple(value for value in left if value not in group.values)
            yield Part(dimension.name, named, ((dimension.name, group.name),), group)
    yield from _singles(dimension, left)


def _singles(dimension: Dimension, values: Sequence[str]) -> Iterator[Part]:
    return (Part(dimension.name, (value,), ((dimension.name, value),)) for value in values)

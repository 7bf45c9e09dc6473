"""What is wrong with the query parameters of a filter, in the words of people."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.dimensions import DIMENSIONS, MONTH
from kpi_pipeline.model.filter_parameters import (
    FILTER_LABELS,
    FILTER_PARAMETERS,
    FILTER_SPELLINGS,
    FROM,
    PERIOD,
    TO,
    FilterConflict,
    InvalidMonth,
    NoMonths,
    QueryError,
    UnknownParameter,
)
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.labels import LABELS, Text
from kpi_pipeline.model.periods import PERIODS
from serving.dates import month_text
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import FILTER_CONFLICT, UNKNOWN_FILTER, UNKNOWN_FILTER_VALUE


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """What a query parameter could be, for people.

    Attributes:
        label: What it is called; None where only one parameter is at fault.
        values: As they are shown.
    """

    label: Text | None
    values: tuple[Text, ...]


_OF_MONTHS: Final = (MONTH.name, FROM, TO)
"""The filters whose values are months."""

_VALUE_LABELS: Final = {dimension.name: LABELS.get(dimension.kind, {}) for dimension in DIMENSIONS}
"""By dimension, the labels of its values."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One query parameter that is no filter.

    Attributes:
        kind: What is wrong with it.
        cause: The same as a sentence.
        allowed: What it could be.
        blames: Whether a parameter, by name and value, is at fault.
    """

    kind: ProblemType
    cause: Text
    allowed: AllowedValues
    blames: Callable[[str, str], bool]


def fault_of(error: QueryError) -> Fault:
    """What is wrong with a parameter, and what it could be."""
    if isinstance(error, FilterConflict):
        return _conflict(error)
    if isinstance(error, UnknownParameter):
        return _unknown(error)
    allowed = AllowedValues(error.label, tuple(_shown(error.parameter, value) for value in error.allowed))
    if isinstance(error, NoMonths):
        bounds = (error.first, error.last)
        return Fault(UNKNOWN_FILTER_VALUE, _no_months(error), allowed, lambda _, value: value in bounds)
    if isinstance(error, InvalidMonth):
        cause = Text(
            f"«{error.value}» no es un mes: escríbalo como AAAA-MM, por ejemplo {error.example}.",
            f'"{error.value}" is not a month: write it as YYYY-MM, such as {error.example}.',
        )
        return Fault(
            UNKNOWN_FILTER_VALUE, cause, allowed, lambda *pair: pair == (error.parameter, error.value)
        )
    cause = Text(
        f"El filtro «{error.label.es}» no tiene el valor «{error.value}».",
        f'The filter "{error.label.en}" has no value "{error.value}".',
    )
    if repeated := _repeated(error):
        cause = Text(
            f"{cause.es} Varios valores se piden repitiendo el filtro: {repeated}.",
            f"{cause.en} Several values are requested by repeating the filter: {repeated}.",
        )
    return Fault(UNKNOWN_FILTER_VALUE, cause, allowed, lambda *pair: pair == (error.parameter, error.value))


def _unknown(error: UnknownParameter) -> Fault:
    """What is wrong with a parameter that its address does not accept; what it accepts, by name."""
    cause = Text(f"No hay ningún filtro «{error.parameter}».", f'There is no filter "{error.parameter}".')
    if error.is_filter:
        cause = Text(
            f"Estas cifras no se filtran por «{error.label.es}».",
            f'These figures are not filtered by "{error.label.en}".',
        )
    if not error.accepted.filters:
        cause = Text(
            f"Esta dirección no acepta filtros: quite «{error.parameter}».",
            f'This address accepts no filters: leave "{error.parameter}" out.',
        )
    named = [(FILTER_LABELS[name], FILTER_PARAMETERS[name]) for name in error.accepted.filters]
    named += [(one.label, one.spelling) for one in error.accepted.others]
    values = tuple(Text(f"{label.es}: {name.es}", f"{label.en}: {name.en}") for label, name in named)
    return Fault(UNKNOWN_FILTER, cause, AllowedValues(None, values), lambda name, _: name == error.parameter)


def _repeated(error: QueryError) -> str:
    """How to request several values that were joined by a mark; empty where they are not that."""
    parts = [part.strip() for part in re.split("[,;|]", error.value or "")]
    known = {fold(value) for value in error.allowed}
    if len(parts) < 2 or not all(fold(part) in known for part in parts):
        return ""
    return "&".join(f"{error.parameter}={part}" for part in parts)


def _shown(parameter: str, value: str) -> Text:
    """A value as people read it, with the word of the address in brackets where that is another one."""
    name = FILTER_SPELLINGS.get(fold(parameter))
    declared = [group for group in GROUPS if group.dimension == name] if name != PERIOD else PERIODS
    labels = {entry.name: entry.label for entry in declared} | dict(_VALUE_LABELS.get(name or "", {}))
    plain = month_text(value) if name in _OF_MONTHS else Text(value, value)
    label = labels.get(value, plain)
    return Text(
        *(f"{text} ({value})" if fold(text) != fold(value) else text for text in (label.es, label.en))
    )


def _no_months(error: NoMonths) -> Text:
    first, last = month_text(error.first or ""), month_text(error.last or "")
    if error.is_reversed:
        return Text(
            f"El periodo comienza en {first.es} y termina antes, en {last.es}: intercambie los dos meses.",
            f"The range begins in {first.en} and ends before, in {last.en}: exchange the two months.",
        )
    begin = Text(f" desde {first.es}", f" from {first.en}") if error.first else Text("", "")
    end = Text(f" hasta {last.es}", f" up to {last.en}") if error.last else Text("", "")
    held = Text("", "")
    if error.allowed:
        earliest, latest = map(month_text, (error.allowed[0], error.allowed[-1]))
        held = Text(
            f"; los hay de {earliest.es} a {latest.es}", f"; there are from {earliest.en} to {latest.en}"
        )
    return Text(f"No hay datos{begin.es}{end.es}{held.es}.", f"There are no data{begin.en}{end.en}{held.en}.")


def _conflict(error: FilterConflict) -> Fault:
    label, other = error.label, error.other_label
    if error.parameter == error.other:
        values = tuple(_shown(error.parameter, value) for value in error.allowed)
        one, second = error.allowed
        cause = Text(
            f"El filtro «{label.es}» no puede ser a la vez «{one}» y «{second}».",
            f'The filter "{label.en}" cannot be both "{one}" and "{second}".',
        )
    else:
        values = (other, label)
        cause = Text(
            f"Los filtros «{other.es}» y «{label.es}» no van juntos.",
            f'The filters "{other.en}" and "{label.en}" do not go together.',
        )
    allowed = AllowedValues(label, values)
    return Fault(FILTER_CONFLICT, cause, allowed, lambda name, _: name == error.parameter)

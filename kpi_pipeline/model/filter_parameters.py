"""Query parameters as filters: any spelling of a dimension, a period, a group or a value of the data."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kpi_pipeline.model.dimensions import DIMENSION_NAMES, DIMENSIONS, ISSUED_AGE, MONTH, PARAMETER_NAMES
from kpi_pipeline.model.filters import Filter, fold
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.query_parameters import AcceptedParameters

PERIOD: Final = "period"
"""Names a quick period of the catalogue."""

FROM: Final = "from"
"""The first month of a range."""

TO: Final = "to"
"""The last month of a range."""

FILTER_NAMES: Final = (*DIMENSION_NAMES, PERIOD, FROM, TO)
"""Canonical name of every query parameter that filters."""

FILTERS_ALONE: Final = AcceptedParameters(FILTER_NAMES)
"""What may be named where nothing but a filter is given."""

FILTER_LABELS: Final[Mapping[str, Text]] = {
    **{dimension.name: dimension.label for dimension in DIMENSIONS},
    PERIOD: Text("Periodo", "Period"),
    FROM: Text("Desde el mes", "From month"),
    TO: Text("Hasta el mes", "To month"),
}
"""What readers call each of them."""

FILTER_PARAMETERS: Final[Mapping[str, Text]] = {
    **{
        dimension.name: Text((*dimension.aliases, dimension.name)[0], dimension.name)
        for dimension in DIMENSIONS
    },
    PERIOD: Text("periodo", PERIOD),
    FROM: Text("desde", FROM),
    TO: Text("hasta", TO),
}
"""How each is written as a query parameter, in either language."""

FILTER_SPELLINGS: Final = {
    **{fold(spelling): name for spelling, name in PARAMETER_NAMES.items()},
    **{PERIOD: PERIOD, "periodo": PERIOD, FROM: FROM, "desde": FROM, TO: TO, "hasta": TO},
}
_MONTH_TEXT: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_MONTH: Final = "(0?[1-9]|1[0-2])"
_DATE_TEXTS: Final = (
    re.compile(rf"(?P<year>\d{{4}})[-/. ](?P<month>{_MONTH})(?:[-/. ]\d{{1,2}}(?:[t ].*)?)?", re.ASCII),
    re.compile(rf"(?:\d{{1,2}}[-/. ])?(?P<month>{_MONTH})[-/. ](?P<year>\d{{4}})", re.ASCII),
    re.compile(r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?:\d{2})?", re.ASCII),
)
"""Months and dates in other ways of writing; the day comes before the month, as in Chile."""

_EXAMPLE_MONTH: Final = ("2024-01",)
_SHOWN: Final = 10


class QueryError(ValueError):
    """A query parameter that is no filter, or a value that the data do not contain.

    Attributes:
        parameter: Its name as given.
        value: Its value as given; None when no value is at fault.
        allowed: Names of parameters, or values of the filter.
        others: Further errors of the same parameters.
    """

    def __init__(self, parameter: str, value: str | None, allowed: tuple[str, ...]) -> None:
        self.parameter = parameter
        self.value = value
        self.allowed = allowed
        self.others: tuple[QueryError, ...] = ()
        super().__init__(parameter, value)

    def __str__(self) -> str:
        return "; ".join(error._text() for error in (self, *self.others))

    @property
    def label(self) -> Text:
        """What readers call the filter; the parameter as given where it is none."""
        name = FILTER_SPELLINGS.get(fold(self.parameter))
        return FILTER_LABELS[name] if name else Text(self.parameter, self.parameter)

    def _text(self) -> str:
        shown = ", ".join(self.allowed[:_SHOWN]) or "(none)"
        more = f" and {len(self.allowed) - _SHOWN} more" if len(self.allowed) > _SHOWN else ""
        return f"{self._what()}; use one of: {shown}{more}"

    def _what(self) -> str:
        return f"unknown value {self.value!r} of filter {self.parameter!r}"


class UnknownParameter(QueryError):
    """A query parameter that its address does not accept.

    Attributes:
        accepted: What it accepts.
    """

    def __init__(self, parameter: str, accepted: AcceptedParameters) -> None:
        self.accepted = accepted
        super().__init__(parameter, None, accepted.names)

    @property
    def is_filter(self) -> bool:
        """Whether it filters elsewhere."""
        return fold(self.parameter) in FILTER_SPELLINGS

    def _what(self) -> str:
        return f"unknown filter {self.parameter!r}"


class FilterConflict(QueryError):
    """Two query parameters that set the same filter in two ways.

    Attributes:
        other: The name of the other parameter as given.
    """

    def __init__(self, parameter: str, other: str, allowed: tuple[str, ...]) -> None:
        self.other = other
        super().__init__(parameter, None, allowed)

    @property
    def other_label(self) -> Text:
        """What readers call the other one."""
        return QueryError(self.other, None, ()).label

    def _what(self) -> str:
        return f"filters {self.other!r} and {self.parameter!r} cannot go together"


class InvalidMonth(QueryError):
    """A month that is not written as YYYY-MM, such as a whole date."""

    @property
    def example(self) -> str:
        """How to write it: the month of a date, else the last month of the data."""
        for pattern in _DATE_TEXTS:
            if given := pattern.fullmatch(fold(self.value or "")):
                return f"{given['year']}-{int(given['month']):02d}"
        return (*_EXAMPLE_MONTH, *self.allowed)[-1]

    def _what(self) -> str:
        return f"{self.value!r} of {self.parameter!r} is no month; write YYYY-MM, such as {self.example}"


class NoMonths(QueryError):
    """A range that holds no month of the data: reversed, or before or after all of them.

    Attributes:
        first: The first month as given; None where the range has no beginning.
        last: The last month as given; None where the range has no end.
        is_reversed: Whether it begins after it ends.
    """

    def __init__(self, first: "_Given | None", last: "_Given | None", months: tuple[str, ...]) -> None:
        self.first = None if first is None else first.value
        self.last = None if last is None else last.value
        self.is_reversed = first is not None and last is not None and fold(last.value) < fold(first.value)
        blamed = first or last
        super().__init__(blamed.parameter if blamed else FROM, blamed.value if blamed else None, months)

    def _what(self) -> str:
        if self.is_reversed:
            return f"the range begins in {self.first} and ends before, in {self.last}"
        return f"the data have no month from {self.first or 'the beginning'} to {self.last or 'the end'}"


class _Given(NamedTuple):
    """A query parameter as given."""

    parameter: str
    value: str


def parse_filter(
    args: Iterable[tuple[str, str]],
    catalogue: Mapping[str, Any],
    accepted: AcceptedParameters = FILTERS_ALONE,
) -> Filter:
    """Read the filter that query parameters select.

    Names and values may be spelled in any case, with or without accents. Besides the dimensions there
    are `period`, a quick period, and `from` and `to`, the first and last month of a range; the range is
    cut to the months of the catalogue. A group's name stands for its values.

    Args:
        args: Names and values; a repeated dimension selects any of its values, an empty value sets no
            filter.
        catalogue: Of the requested product: `dimensions`, a list of `name` and `values`, each with
            its `value`; `periods` and `groups`, with `name`, `spellings`, `dimension` and `values`.
        accepted: What the address accepts; its parameters that are no filters are not among those given.

    Returns:
        The filter, as values of dimensions in the spelling of the catalogue.

    Raises:
        QueryError: If a name is no accepted filter or a value is not in the catalogue; with several at fault,
            the first one, which names the others.
        InvalidMonth: If a month is written otherwise than as YYYY-MM.
        NoMonths: If a range holds no month of the catalogue.
        FilterConflict: If several of a period, a range and months are given, or two different
            ones of one kind.
    """
    given: dict[str, list[_Given]] = {}
    errors: list[QueryError] = []
    for parameter, value in args:
        name = FILTER_SPELLINGS.get(fold(parameter))
        if name is None or name not in accepted.filters:
            errors.append(UnknownParameter(parameter, accepted))
        elif fold(value):
            given.setdefault(name, []).append(_Given(parameter, value))
    held = {dimension["name"]: _texts(dimension["values"]) for dimension in catalogue["dimensions"]}
    selection: dict[str, list[str]] = {}
    pairs = [(name, pair) for name in given if name in DIMENSION_NAMES for pair in given[name]]
    for dimension, pair in pairs:
        allowed = held.get(dimension, ())
        try:
            selection.setdefault(dimension, []).extend(_values_of(pair, dimension, allowed, catalogue))
        except QueryError as error:
            errors.append(error)
    if not given.keys().isdisjoint((PERIOD, FROM, TO)):
        try:
            time = _time(given, held.get(MONTH.name, ()), catalogue)
            selection.update({name: list(values) for name, values in time.items()})
        except QueryError as error:
            errors.append(error)
    if errors:
        raise _first_of(errors)
    return Filter.of(selection)


def _first_of(errors: Sequence[QueryError]) -> QueryError:
    """The first of several errors, which names the others once each."""
    first, *others = {(error.parameter, error.value): error for error in errors}.values()
    first.others = tuple(others)
    return first


def _texts(values: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(held["value"] for held in values)


def _values_of(
    given: _Given, dimension: str, allowed: tuple[str, ...], catalogue: Mapping[str, Any]
) -> Sequence[str]:
    """The values of a dimension that a parameter selects: its own, or those of a group."""
    if given.value in allowed:
        return (given.value,)
    folded = fold(given.value)
    for held in allowed:
        if fold(held) == folded:
            return (held,)
    groups = [group for group in catalogue["groups"] if group["dimension"] == dimension]
    if (group := _named(folded, groups)) is not None:
        return tuple(group["values"])
    if dimension == MONTH.name and _MONTH_TEXT.fullmatch(folded) is None:
        raise InvalidMonth(*given, allowed)
    raise QueryError(given.parameter, given.value, (*allowed, *(group["name"] for group in groups)))


def _time(
    given: Mapping[str, list[_Given]], months: tuple[str, ...], catalogue: Mapping[str, Any]
) -> dict[str, Sequence[str]]:
    """What a period or a range selects."""
    month, age = (next(iter(given.get(name, ())), None) for name in (MONTH.name, ISSUED_AGE.name))
    period, first, last = (_only(given.get(name, ())) for name in (PERIOD, FROM, TO))
    times = [time for time in (month, period, first or last) if time is not None]
    if len(times) > 1:
        raise _conflict(times[0], times[1])
    if period is None:
        return {MONTH.name: _range(first, last, months)}
    declared = _named(fold(period.value), catalogue["periods"])
    if declared is None:
        raise QueryError(*period, tuple(known["name"] for known in catalogue["periods"]))
    if declared["dimension"] is None:
        return {}
    if declared["dimension"] == ISSUED_AGE.name and age is not None:
        raise _conflict(age, period)
    return {declared["dimension"]: declared["values"]}


def _only(repeated: Sequence[_Given]) -> _Given | None:
    """The single value of a parameter that cannot have several; None when it was not given."""
    if not repeated:
        return None
    first = repeated[0]
    for other in repeated[1:]:
        if fold(other.value) != fold(first.value):
            raise FilterConflict(other.parameter, first.parameter, (first.value, other.value))
    return first


def _range(first: _Given | None, last: _Given | None, months: tuple[str, ...]) -> tuple[str, ...]:
    """The months of a range; a bound that is not given does not limit it."""
    low = None if first is None else _month(first, months)
    high = None if last is None else _month(last, months)
    bounded = tuple(
        month for month in months if (low is None or low <= month) and (high is None or month <= high)
    )
    if not bounded:
        raise NoMonths(first, last, months)
    return bounded


def _month(bound: _Given, months: tuple[str, ...]) -> str:
    text = fold(bound.value)
    if _MONTH_TEXT.fullmatch(text) is None:
        raise InvalidMonth(*bound, months)
    return text


def _named(folded: str, declared: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The declaration that has a name or a spelling, folded."""
    for entry in declared:
        if any(fold(spelling) == folded for spelling in (entry["name"], *entry["spellings"])):
            return entry
    return None


def _conflict(first: _Given, second: _Given) -> FilterConflict:
    return FilterConflict(second.parameter, first.parameter, (first.parameter, second.parameter))

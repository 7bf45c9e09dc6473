"""Reads the query parameters of the list of certificates: those that are no filter."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Protocol

from kpi_pipeline.cache.reading.listing.query import DayRange, Order
from kpi_pipeline.model.filter_parameters import FILTER_SPELLINGS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.forecast import NEXT_DAYS_NAME, NEXT_DAYS_SPANISH
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_work import LISTED_WORK
from kpi_pipeline.model.listing import (
    FIRST_DAY,
    LAST_DAY,
    LIST_COLUMN_NAMES,
    LIST_EVENTS,
    LIST_REASONS,
    ListColumn,
)
from kpi_pipeline.model.moments import written_day
from serving.dates import day_text, month_text
from serving.listing.request import (
    COLUMN_SEPARATOR,
    COLUMNS,
    CURRENCY,
    DEFAULT_LIMIT,
    EXPECTED_IN,
    EXPECTED_ORDERS,
    FROM_DAY,
    LARGEST_LIMIT,
    LARGEST_OFFSET,
    LIMIT,
    LIST_PARAMETERS,
    LONGEST_REASON,
    LONGEST_SEARCH,
    OFFSET,
    ORDERS,
    SEARCH,
    SORT,
    STANDING,
    TO_DAY,
    URGENT_ORDERS,
    WORK_LIST,
    ListRequest,
    derived_columns,
    usual_columns,
    usual_order,
)
from serving.parameter_problems import only_value, value_problem
from serving.problem_types.figures import INVALID_LIST_PARAMETER
from serving.problems import Problem

FaultOf = Callable[[str, str, Sequence[str]], Problem]
Parameters = Sequence[tuple[str, str]]

_CODE_LENGTH: Final = 3


def read_list_request(parameters: Iterable[tuple[str, str]]) -> tuple[ListRequest, list[tuple[str, str]]]:
    """Take the parameters of the list out of others; an empty value sets none.

    Returns:
        The request, and the other parameters.

    Raises:
        Problem: If a value is none that is allowed, or there are several where one can be.
    """
    given, others = LIST_PARAMETERS.taken_from(parameters)
    standings = {_labelled(*pair, LIST_STANDINGS) for pair in given.get(STANDING, ())}
    sort, expected = _only(given.get(SORT, ())), _month(_only(given.get(EXPECTED_IN, ())))
    work_list = _work_list(_only(given.get(WORK_LIST, ())), expected)
    derived = derived_columns(expected, work_list)
    orders = (*ORDERS, *(EXPECTED_ORDERS if expected else ()), *(URGENT_ORDERS if work_list else ()))
    request = ListRequest(
        standings=tuple(one.name for one in LIST_STANDINGS if one.name in standings),
        search=_bounded(_only(given.get(SEARCH, ())), LONGEST_SEARCH),
        days=tuple(one for event in LIST_EVENTS if (one := _days(event.name, given)) is not None),
        currency=read_currency(_only(given.get(CURRENCY, ())), _quoting_fault),
        reasons=tuple(
            (reason.name, value)
            for reason in LIST_REASONS
            if (value := _bounded(_only(given.get(reason.name, ())), LONGEST_REASON))
        ),
        expected=expected,
        work_list=work_list,
        order=usual_order(expected, work_list) if sort is None else Order.of(_named(*sort, orders)),
        columns=_columns(given.get(COLUMNS, ()), derived, usual_columns(work_list)),
        offset=read_number(_only(given.get(OFFSET, ())), 0, 0, LARGEST_OFFSET, _quoting_fault),
        limit=read_number(_only(given.get(LIMIT, ())), DEFAULT_LIMIT, 1, LARGEST_LIMIT, _quoting_fault),
    )
    return request, others


def canonical_parameters(parameters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same query parameters, the columns as one value, without fields that are empty.

    A form that is sent without scripts repeats the columns, and has all of its fields.

    Raises:
        Problem: As `read_list_request` does.
    """
    asked, _ = read_list_request(parameters)
    columns = [pair for pair in asked.parameters() if pair[0] == COLUMNS]
    names = {**FILTER_SPELLINGS, **LIST_PARAMETERS.spellings}
    canonical: list[tuple[str, str]] = []
    for parameter, value in parameters:
        name = names.get(fold(parameter))
        if name == COLUMNS:
            canonical += columns
            columns = []
        elif name is None or value.strip():
            canonical.append((parameter, value))
    return canonical


def _days(event: str, given: Mapping[str, Parameters]) -> DayRange | None:
    """In which days an event lies; None where nothing says."""
    pairs = [_only(given.get(name.format(event), ())) for name in (FROM_DAY, TO_DAY)]
    if pairs == [None, None]:
        return None
    first, last = (None if pair is None else _day(*pair) for pair in pairs)
    if first is not None and last is not None and last < first and pairs[1] is not None:
        raise _day_fault(*pairs[1], first)
    return DayRange(event, first, last)


def _day(parameter: str, value: str) -> date:
    day, shown = written_day(value), value[:LONGEST_SEARCH]
    if day is None:
        named = LIST_PARAMETERS.named(parameter)
        cause = Text(
            f"{named.es} debe ser un día que exista, escrito AAAA-MM-DD; no «{shown}».",
            f'{named.en} must be a day that exists, written as YYYY-MM-DD; not "{shown}".',
        )
        raise _day_fault(parameter, shown, FIRST_DAY, cause)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _day_fault(parameter, shown, FIRST_DAY)
    return day


def _day_fault(parameter: str, value: str, first: date, cause: Text | None = None) -> Problem:
    """The problem of what is no day from a first one on."""
    begin, end = day_text(first), day_text(LAST_DAY)
    label = Text(f"{begin.es} - {end.es}", f"{begin.en} - {end.en}")
    return _fault(parameter, value, (f"{first} - {LAST_DAY}",), (label,), cause)


def _columns(given: Parameters, derived: Sequence[ListColumn], usual: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that are named; of those derived, which are shown anyway, the first where no other is."""
    allowed = (*LIST_COLUMN_NAMES, *(column.name for column in derived))
    named = {_named(parameter, name, allowed) for parameter, value in given for name in _column_names(value)}
    alone = (derived[0].name,) if named and derived else usual
    return tuple(name for name in LIST_COLUMN_NAMES if name in named) or alone


def _column_names(value: str) -> list[str]:
    return [name for part in value.split(COLUMN_SEPARATOR) if (name := part.strip())]


def _month(given: tuple[str, str] | None) -> str:
    """The month that a parameter names, or the next days; empty where none is given."""
    if given is None:
        return ""
    parameter, value = given
    if fold(value) in (NEXT_DAYS_NAME, NEXT_DAYS_SPANISH):
        return NEXT_DAYS_NAME
    if written_day(f"{value}-01") is None:
        labels = _stretch_text(NEXT_DAYS_NAME), Text("AAAA-MM", "YYYY-MM")
        raise _fault(parameter, value[:LONGEST_SEARCH], (NEXT_DAYS_NAME, "YYYY-MM"), labels)
    return value


def _work_list(given: tuple[str, str] | None, expected: str) -> str:
    """The work list that a parameter names; empty where none is given."""
    if given is None:
        return ""
    if expected:
        cause = Text(
            "Una lista de trabajo no muestra lo que se espera cobrar: pida una de las dos cosas.",
            "A work list does not show what is expected: request one of the two.",
        )
        raise _fault(*given, (), cause=cause)
    return _labelled(*given, tuple(LISTED_WORK.values()))


def _stretch_text(stretch: str) -> Text:
    """A month or the next days as an address names them."""
    return Text(NEXT_DAYS_SPANISH if stretch == NEXT_DAYS_NAME else stretch, stretch)


def require_expected(expected: str, stretches: Sequence[str]) -> None:
    """Check that amounts are expected in a month.

    Args:
        expected: The month that is requested, or the next days; empty for none.
        stretches: Those of the forecast.

    Raises:
        Problem: If it is none of them.
    """
    if expected and expected not in stretches:
        months = [one for one in stretches if one != NEXT_DAYS_NAME]
        asked, begin, end = map(month_text, (expected, months[0], months[-1]))
        cause = Text(
            f"El pronóstico no tiene el mes «{asked.es}»: va de {begin.es} a {end.es}.",
            f'The forecast does not have the month "{asked.en}": it goes from {begin.en} to {end.en}.',
        )
        labels = tuple(map(_stretch_text, stretches))
        raise _fault_of(EXPECTED_IN, expected, stretches, labels, cause)


def refuse_of_today(request: ListRequest) -> None:
    """Check that a list of the past is neither to be of what is expected nor a work list.

    Raises:
        Problem: If it is.
    """
    if request.expected:
        cause = Text(
            "Lo que se espera cobrar es solo de la lista de hoy.",
            "What is expected is of today's list only.",
        )
        raise _fault_of(EXPECTED_IN, request.expected, cause=cause)
    if request.work_list:
        cause = Text("Las listas de trabajo son solo de hoy.", "Work lists are of today only.")
        raise _fault_of(WORK_LIST, request.work_list, cause=cause)


def require_currency(currency: str, known: Sequence[str]) -> None:
    """Check that the data have a currency.

    Args:
        currency: That which is requested; empty for all.
        known: Those of the data.

    Raises:
        Problem: If it is none of them.
    """
    if currency and currency not in known:
        raise _fault_of(CURRENCY, currency, known)


class _Labelled(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> Text: ...


def _labelled(parameter: str, value: str, entries: Sequence[_Labelled]) -> str:
    """The name of the entry that a value names, by its name or its label in either language."""
    folded = fold(value)
    for one in entries:
        if folded in (one.name, fold(one.label.es), fold(one.label.en)):
            return str(one.name)
    labels = tuple(Text(f"{one.label.es} ({one.name})", f"{one.label.en} ({one.name})") for one in entries)
    raise _fault(parameter, value, tuple(str(one.name) for one in entries), labels)


def _named(parameter: str, value: str, allowed: Sequence[str]) -> str:
    folded = fold(value)
    if folded not in allowed:
        raise _fault(parameter, value, allowed)
    return folded


def _bounded(given: tuple[str, str] | None, longest: int) -> str:
    if given is None:
        return ""
    if len(given[1]) > longest:
        label = Text(f"De 1 a {longest} caracteres", f"1 to {longest} characters")
        raise _fault(given[0], given[1][:LONGEST_SEARCH], (f"1-{longest} characters",), (label,))
    return given[1]


def currency_code(text: str) -> str | None:
    """The code of a currency as it is published; None of what is none."""
    code = text.upper()
    return code if len(code) == _CODE_LENGTH and code.isascii() and code.isalpha() else None


def read_currency(given: tuple[str, str] | None, fault: FaultOf) -> str:
    """The currency that a parameter names; empty where none is given.

    Args:
        given: The parameter, by name and value.
        fault: The problem of a value that is not allowed, by name, value and what is allowed.
    """
    if given is None:
        return ""
    code = currency_code(given[1])
    if code is None:
        raise fault(*given, ("ISO 4217",))
    return code


def read_number(given: tuple[str, str] | None, default: int, least: int, largest: int, fault: FaultOf) -> int:
    """The number within bounds that a parameter gives; see `read_currency`."""
    if given is None:
        return default
    parameter, value = given
    is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(largest))
    if not (is_number and least <= int(value) <= largest):
        raise fault(parameter, value, (f"{least}-{largest}",))
    return int(value)


def _quoting_fault(parameter: str, value: str, allowed: Sequence[str]) -> Problem:
    return _fault(parameter, value[:LONGEST_SEARCH], allowed)


def _only(given: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    return only_value(INVALID_LIST_PARAMETER, LIST_PARAMETERS, given)


def _fault_of(
    name: str,
    value: str,
    allowed: Sequence[str] = (),
    labels: Sequence[Text] = (),
    cause: Text | None = None,
) -> Problem:
    """The problem of a parameter by its canonical name, however the address spells it."""
    return value_problem(
        INVALID_LIST_PARAMETER,
        LIST_PARAMETERS,
        name,
        value,
        allowed,
        blamed=lambda parameter, _: LIST_PARAMETERS.spellings.get(fold(parameter)) == name,
        labels=labels,
        cause=cause,
    )


def _fault(
    parameter: str,
    value: str,
    allowed: Sequence[str],
    labels: Sequence[Text] = (),
    cause: Text | None = None,
) -> Problem:
    return value_problem(
        INVALID_LIST_PARAMETER,
        LIST_PARAMETERS,
        parameter,
        value,
        allowed,
        blamed=lambda *pair: pair[0] == parameter and value in (pair[1].strip(), *_column_names(pair[1])),
        labels=labels,
        cause=cause,
    )

"""The query parameters of the list of certificates: those that are no filter."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kpi_pipeline.cache.reading.listing.query import LARGEST_EXPECTED, STANDARD_ORDER, DayRange, Order
from kpi_pipeline.model.filter_parameters import FILTER_NAMES
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.forecast import NEXT_DAYS_NAME, NEXT_DAYS_SPANISH
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.listing import (
    EXPECTED,
    FIRST_DAY,
    IDENTIFYING_COLUMNS,
    LAST_DAY,
    LIST_COLUMN_NAMES,
    LIST_COLUMNS,
    LIST_EVENTS,
    LIST_STANDINGS,
    SUMMED_COLUMNS,
    USUAL_COLUMNS,
    ListColumn,
)
from kpi_pipeline.model.moments import written_day
from kpi_pipeline.model.query_parameters import AcceptedParameters, QueryParameter
from serving.dates import day_text, month_text
from serving.parameter_problems import only_once, value_problem
from serving.problem_types import INVALID_LIST_PARAMETER
from serving.problems import Problem

STANDING: Final = "standing"
SEARCH: Final = "search"
SORT: Final = "sort"
COLUMNS: Final = "columns"
LIMIT: Final = "limit"
OFFSET: Final = "offset"
CURRENCY: Final = "currency"
EXPECTED_IN: Final = "expected_in"

FROM_DAY: Final = "{}_from"
TO_DAY: Final = "{}_to"

PAGE_PARAMETERS: Final = (
    QueryParameter(LIMIT, Text("limite", LIMIT), Text("Filas", "Rows")),
    QueryParameter(OFFSET, Text("desde_fila", OFFSET), Text("Filas anteriores", "Rows before")),
)
"""Which rows of what matches are shown."""

CURRENCY_PARAMETER: Final = QueryParameter(CURRENCY, Text("moneda", CURRENCY), Text("Moneda", "Currency"))

LIST_PARAMETERS: Final = AcceptedParameters(
    FILTER_NAMES,
    (
        QueryParameter(STANDING, Text("situacion", STANDING), Text("Situación", "Standing")),
        QueryParameter(SEARCH, Text("buscar", SEARCH), Text("Contiene", "Contains")),
        *(
            QueryParameter(
                name.format(event.name),
                Text(spanish.format(event.spanish), name.format(event.name)),
                Text(f"{event.label.es}, {bound.es}", f"{event.label.en}, {bound.en}"),
            )
            for event in LIST_EVENTS
            for name, spanish, bound in (
                (FROM_DAY, "{}_desde", Text("desde", "from")),
                (TO_DAY, "{}_hasta", Text("hasta", "until")),
            )
        ),
        CURRENCY_PARAMETER,
        QueryParameter(
            EXPECTED_IN, Text("esperado_en", EXPECTED_IN), Text("Se espera cobrar en", "Expected in")
        ),
        QueryParameter(SORT, Text("orden", SORT), Text("Orden", "Order")),
        QueryParameter(COLUMNS, Text("columnas", COLUMNS), Text("Columnas", "Columns")),
        *PAGE_PARAMETERS,
    ),
)
"""What the address of the list accepts."""

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 1_000
LARGEST_OFFSET: Final = 100_000_000
FaultOf = Callable[[str, str, Sequence[str]], Problem]

LONGEST_SEARCH: Final = 100
"""Characters of a search."""

_CODE_LENGTH: Final = 3

ORDERS: Final = tuple(f"{sign}{name}" for name in LIST_COLUMN_NAMES for sign in ("", "-"))
EXPECTED_ORDERS: Final = (EXPECTED.name, f"-{EXPECTED.name}")
"""Further orders of a list of what is expected."""

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ListRequest:
    """How a reader wants to see the list, besides the filter.

    Attributes:
        standings: As of `Selection`.
        search: As of `Selection`.
        days: As of `Selection`.
        currency: As of `Selection`.
        expected: As of `Selection`.
        order: How it is sorted.
        columns: Names of the columns that are shown, in the order of the model; the usual ones where none is
            named, and only `EXPECTED` where that alone is.
        offset: How many certificates come before the page.
        limit: How many it has at most.
    """

    standings: tuple[str, ...] = ()
    search: str = ""
    days: tuple[DayRange, ...] = ()
    currency: str = ""
    expected: str = ""
    order: Order = STANDARD_ORDER
    columns: tuple[str, ...] = USUAL_COLUMNS
    offset: int = 0
    limit: int = DEFAULT_LIMIT

    @property
    def shown(self) -> list[ListColumn]:
        """The columns that are shown; what is expected, where that is requested, behind what identifies."""
        chosen = [column for column in LIST_COLUMNS if column.name in self.columns]
        if not self.expected:
            return chosen
        # A line has no room for all amounts, and the balance is what remains of these.
        left_out = ("proposed", "approved") if self.columns == USUAL_COLUMNS else ()
        shown = [column for column in chosen if column.name not in left_out]
        place = sum(column.name in IDENTIFYING_COLUMNS for column in shown)
        return [*shown[:place], EXPECTED, *shown[place:]]

    @property
    def summed(self) -> tuple[str, ...]:
        """The columns that its totals sum."""
        return (*SUMMED_COLUMNS, EXPECTED.name) if self.expected else SUMMED_COLUMNS

    @property
    def without_expected(self) -> "ListRequest":
        """The same without what is expected, from its first row."""
        order = STANDARD_ORDER if self.order.column == EXPECTED.name else self.order
        columns = USUAL_COLUMNS if self.columns == (EXPECTED.name,) else self.columns
        return replace(self, expected="", order=order, columns=columns, offset=0)

    def parameters(self) -> list[tuple[str, str]]:
        """It as query parameters; what is as usual has none."""
        pairs = [(STANDING, name) for name in self.standings]
        if self.search:
            pairs.append((SEARCH, self.search))
        pairs += [pair for one in self.days for pair in day_parameters(one)]
        if self.currency:
            pairs.append((CURRENCY, self.currency))
        if self.expected:
            pairs.append((EXPECTED_IN, self.expected))
        if self.order != _usual_order(self.expected):
            pairs.append((SORT, str(self.order)))
        if self.columns != USUAL_COLUMNS:
            pairs += [(COLUMNS, name) for name in self.columns]
        if self.limit != DEFAULT_LIMIT:
            pairs.append((LIMIT, str(self.limit)))
        if self.offset:
            pairs.append((OFFSET, str(self.offset)))
        return pairs

    def sorted_by(self, column: str) -> "ListRequest":
        """The same from its first row, by a column; the other way round where it is sorted so already."""
        turned = self.order.column == column and not self.order.descending
        return replace(self, order=Order(column, turned), offset=0)

    def at(self, offset: int) -> "ListRequest":
        """Another page of it."""
        return replace(self, offset=offset)


def read_list_request(parameters: Iterable[tuple[str, str]]) -> tuple[ListRequest, list[tuple[str, str]]]:
    """Take the parameters of the list out of others; an empty value sets none.

    Returns:
        The request, and the other parameters.

    Raises:
        Problem: If a value is none that is allowed, or there are several where one can be.
    """
    given: dict[str, list[tuple[str, str]]] = {}
    others: list[tuple[str, str]] = []
    for parameter, value in parameters:
        name = LIST_PARAMETERS.spellings.get(fold(parameter))
        if name is None:
            others.append((parameter, value))
        elif value.strip():
            given.setdefault(name, []).append((parameter, value.strip()))
    standings = {_standing(*pair) for pair in given.get(STANDING, ())}
    sort, expected = _only(given.get(SORT, ())), _month(_only(given.get(EXPECTED_IN, ())))
    orders = (*ORDERS, *EXPECTED_ORDERS) if expected else ORDERS
    request = ListRequest(
        standings=tuple(one.name for one in LIST_STANDINGS if one.name in standings),
        search=_search(_only(given.get(SEARCH, ()))),
        days=tuple(one for event in LIST_EVENTS if (one := _days(event.name, given)) is not None),
        currency=read_currency(_only(given.get(CURRENCY, ())), _quoting_fault),
        expected=expected,
        order=_usual_order(expected) if sort is None else Order.of(_named(*sort, orders)),
        columns=_columns(given.get(COLUMNS, ()), expected),
        offset=read_number(_only(given.get(OFFSET, ())), 0, 0, LARGEST_OFFSET, _quoting_fault),
        limit=read_number(_only(given.get(LIMIT, ())), DEFAULT_LIMIT, 1, LARGEST_LIMIT, _quoting_fault),
    )
    return request, others


def day_parameters(days: DayRange) -> list[tuple[str, str]]:
    """The days of an event as query parameters."""
    ends = ((FROM_DAY, days.first), (TO_DAY, days.last))
    return [(name.format(days.event), day.isoformat()) for name, day in ends if day is not None]


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


def _columns(given: Parameters, expected: str) -> tuple[str, ...]:
    """The columns that are named; what is expected, which is shown anyway, only where it is alone."""
    allowed = (*LIST_COLUMN_NAMES, EXPECTED.name) if expected else LIST_COLUMN_NAMES
    named = {_named(*pair, allowed) for pair in given}
    alone = (EXPECTED.name,) if named else USUAL_COLUMNS
    return tuple(name for name in LIST_COLUMN_NAMES if name in named) or alone


def _usual_order(expected: str) -> Order:
    """How a list is sorted unless otherwise requested, given of which month amounts are expected."""
    return LARGEST_EXPECTED if expected else STANDARD_ORDER


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
        raise value_problem(
            INVALID_LIST_PARAMETER,
            LIST_PARAMETERS,
            EXPECTED_IN,
            expected,
            stretches,
            blamed=lambda *pair: LIST_PARAMETERS.spellings.get(fold(pair[0])) == EXPECTED_IN,
            labels=tuple(map(_stretch_text, stretches)),
            cause=cause,
        )


def require_currency(currency: str, known: Sequence[str]) -> None:
    """Check that the data have a currency.

    Args:
        currency: That which is requested; empty for all.
        known: Those of the data.

    Raises:
        Problem: If it is none of them.
    """
    if currency and currency not in known:
        raise value_problem(
            INVALID_LIST_PARAMETER,
            LIST_PARAMETERS,
            CURRENCY,
            currency,
            known,
            blamed=lambda *pair: LIST_PARAMETERS.spellings.get(fold(pair[0])) == CURRENCY,
        )


def _standing(parameter: str, value: str) -> str:
    folded = fold(value)
    for standing in LIST_STANDINGS:
        if folded in (standing.name, fold(standing.label.es), fold(standing.label.en)):
            return standing.name
    names = tuple(standing.name for standing in LIST_STANDINGS)
    labels = tuple(
        Text(f"{one.label.es} ({one.name})", f"{one.label.en} ({one.name})") for one in LIST_STANDINGS
    )
    raise _fault(parameter, value, names, labels)


def _named(parameter: str, value: str, allowed: Sequence[str]) -> str:
    folded = fold(value)
    if folded not in allowed:
        raise _fault(parameter, value, allowed)
    return folded


def _search(given: tuple[str, str] | None) -> str:
    if given is None:
        return ""
    if len(given[1]) > LONGEST_SEARCH:
        raise _fault(given[0], given[1][:LONGEST_SEARCH], (f"1-{LONGEST_SEARCH} characters",))
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
    if not given:
        return None
    first = given[0]
    for parameter, value in given[1:]:
        if value != first[1]:
            raise _fault(parameter, value, (first[1],), cause=only_once(LIST_PARAMETERS, parameter))
    return first


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
        blamed=lambda *pair: pair[0] == parameter and pair[1].strip() == value,
        labels=labels,
        cause=cause,
    )

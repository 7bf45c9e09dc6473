"""How a reader wants to see the list of certificates, and the query parameters that say so."""

from dataclasses import dataclass, replace
from typing import Final

from kpi_pipeline.cache.reading.listing.query import (
    LARGEST_EXPECTED,
    MOST_URGENT,
    STANDARD_ORDER,
    DayRange,
    Order,
)
from kpi_pipeline.model.filter_parameters import FILTER_NAMES
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.listed_work import LISTED_WORK, URGENCY
from kpi_pipeline.model.listing import (
    EXPECTED,
    IDENTIFYING_COLUMNS,
    LIST_COLUMN_NAMES,
    LIST_COLUMNS,
    LIST_EVENTS,
    LIST_LABELS,
    LIST_REASONS,
    SUMMED_COLUMNS,
    USUAL_COLUMNS,
    ListColumn,
)
from kpi_pipeline.model.query_parameters import AcceptedParameters, QueryParameter
from serving.as_of import AS_OF_PARAMETER

STANDING: Final = "standing"
SEARCH: Final = "search"
SORT: Final = "sort"
COLUMNS: Final = "columns"
LIMIT: Final = "limit"
OFFSET: Final = "offset"
CURRENCY: Final = "currency"
EXPECTED_IN: Final = "expected_in"
WORK_LIST: Final = "work_list"

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
        *(
            QueryParameter(reason.name, Text(reason.spanish, reason.name), LIST_LABELS[reason.column])
            for reason in LIST_REASONS
        ),
        QueryParameter(
            EXPECTED_IN, Text("esperado_en", EXPECTED_IN), Text("Se espera cobrar en", "Expected in")
        ),
        QueryParameter(WORK_LIST, Text("lista_de_trabajo", WORK_LIST), Text("Lista de trabajo", "Work list")),
        QueryParameter(SORT, Text("orden", SORT), Text("Orden", "Order")),
        QueryParameter(COLUMNS, Text("columnas", COLUMNS), Text("Columnas", "Columns")),
        *PAGE_PARAMETERS,
        AS_OF_PARAMETER,
    ),
)
"""What the address of the list accepts."""

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 1_000
LARGEST_OFFSET: Final = 100_000_000

COLUMN_SEPARATOR: Final = ","
"""Stands between the names of columns in one value."""

LONGEST_SEARCH: Final = 100
"""Characters of a search."""

LONGEST_REASON: Final = 1_000
"""Characters of a reason."""

ORDERS: Final = tuple(f"{sign}{name}" for name in LIST_COLUMN_NAMES for sign in ("", "-"))
EXPECTED_ORDERS: Final = (EXPECTED.name, f"-{EXPECTED.name}")
"""Further orders of a list of what is expected."""

URGENT_ORDERS: Final = (URGENCY, f"-{URGENCY}")
"""Those of a work list."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """How a reader wants to see the list, besides the filter.

    Attributes:
        standings: As of `Selection`.
        search: As of `Selection`.
        days: As of `Selection`.
        currency: As of `Selection`.
        reasons: As of `Selection`.
        expected: As of `Selection`.
        work_list: As of `Selection`; not with what is expected.
        order: How it is sorted.
        columns: Names of the columns that are shown, in the order of the model; the usual ones where none is
            named, and only the first of `derived` where those alone are.
        offset: How many certificates come before the page.
        limit: How many it has at most.
    """

    standings: tuple[str, ...] = ()
    search: str = ""
    days: tuple[DayRange, ...] = ()
    currency: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    expected: str = ""
    work_list: str = ""
    order: Order = STANDARD_ORDER
    columns: tuple[str, ...] = USUAL_COLUMNS
    offset: int = 0
    limit: int = DEFAULT_LIMIT

    @property
    def derived(self) -> tuple[ListColumn, ...]:
        """The columns that are shown in any case."""
        return derived_columns(self.expected, self.work_list)

    @property
    def shown(self) -> list[ListColumn]:
        """The columns that are shown; the first of `derived` behind what identifies, the others last."""
        chosen = [column for column in LIST_COLUMNS if column.name in self.columns]
        # A line has no room for all amounts, and the balance is what remains of these.
        left_out = ("proposed", "approved") if self.expected and self.columns == USUAL_COLUMNS else ()
        shown = [column for column in chosen if column.name not in left_out]
        place = sum(column.name in IDENTIFYING_COLUMNS for column in shown)
        return [*shown[:place], *self.derived[:1], *shown[place:], *self.derived[1:]]

    @property
    def summed(self) -> tuple[str, ...]:
        """The columns that its totals sum."""
        return (*SUMMED_COLUMNS, EXPECTED.name) if self.expected else SUMMED_COLUMNS

    @property
    def without_derived(self) -> "ListRequest":
        """The same list without what is expected, or of all work, from its first row."""
        of_derived = {column.name for column in self.derived}
        order = STANDARD_ORDER if self.order.column in of_derived else self.order
        is_usual = self.columns == self.usual or of_derived.issuperset(self.columns)
        columns = USUAL_COLUMNS if is_usual else self.columns
        return replace(self, expected="", work_list="", order=order, columns=columns, offset=0)

    @property
    def usual(self) -> tuple[str, ...]:
        """Names of the columns that are shown unless others are chosen."""
        return usual_columns(self.work_list)

    def parameters(self) -> list[tuple[str, str]]:
        """It as query parameters; what is as usual has none."""
        pairs = [(STANDING, name) for name in self.standings]
        if self.search:
            pairs.append((SEARCH, self.search))
        pairs += [pair for one in self.days for pair in day_parameters(one)]
        if self.currency:
            pairs.append((CURRENCY, self.currency))
        pairs += self.reasons
        if self.expected:
            pairs.append((EXPECTED_IN, self.expected))
        if self.work_list:
            pairs.append((WORK_LIST, self.work_list))
        if self.order != usual_order(self.expected, self.work_list):
            pairs.append((SORT, str(self.order)))
        if self.columns != self.usual:
            pairs.append((COLUMNS, COLUMN_SEPARATOR.join(self.columns)))
        if self.limit != DEFAULT_LIMIT:
            pairs.append((LIMIT, str(self.limit)))
        if self.offset:
            pairs.append((OFFSET, str(self.offset)))
        return pairs

    def at(self, offset: int) -> "ListRequest":
        """Another page of it."""
        return replace(self, offset=offset)


def day_parameters(days: DayRange) -> list[tuple[str, str]]:
    """The days of an event as query parameters."""
    ends = ((FROM_DAY, days.first), (TO_DAY, days.last))
    return [(name.format(days.event), day.isoformat()) for name, day in ends if day is not None]


def usual_order(expected: str, work_list: str) -> Order:
    """How a list is sorted unless otherwise requested.

    Args:
        expected: Of which month amounts are expected; empty for none.
        work_list: Which work list it is; empty for none.
    """
    if work_list:
        return MOST_URGENT
    return LARGEST_EXPECTED if expected else STANDARD_ORDER


def derived_columns(expected: str, work_list: str) -> tuple[ListColumn, ...]:
    """The columns of a list that are shown in any case: what is expected, or what a work list says.

    Arguments are those of `usual_order`.
    """
    if expected:
        return (EXPECTED,)
    return LISTED_WORK[work_list].columns if work_list else ()


def usual_columns(work_list: str) -> tuple[str, ...]:
    """Names of the columns of a list that are shown unless others are chosen; see `usual_order`."""
    return LISTED_WORK[work_list].usual if work_list else USUAL_COLUMNS

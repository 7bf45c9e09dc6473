"""The list of certificates as its template shows it: totals, heads that sort, written rows and the pager."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kpi_pipeline.cache.reading.listing.certificates import is_marked, value_of
from kpi_pipeline.cache.reading.listing.matching import Totals
from kpi_pipeline.cache.reading.listing.query import MOST_URGENT
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.certificate_details import RETAINED
from kpi_pipeline.model.labels import NUMBERS, Counted, Kind
from kpi_pipeline.model.list_standings import LIST_STANDINGS, ListStanding
from kpi_pipeline.model.listed_work import LISTED_WORK, SAID_BY_WHY, URGENCY, WHY
from kpi_pipeline.model.listing import (
    EVENT_LABELS,
    EXPECTED,
    LIST_COLUMNS,
    LIST_LABELS,
    REASON_COLUMNS,
    ListColumn,
)
from serving.as_of import AS_OF
from serving.listing.look_up import ListResult
from serving.listing.request import ListRequest
from serving.pages.addresses import with_query
from serving.pages.certificates.day_fields import DAY_PARAMETERS, DayFields, day_fields, without_days
from serving.pages.certificates.values import detail_url, value_text
from serving.pages.context import PageContext
from serving.pages.downloads.about import column_label, days_text, stretch_text, why_text
from serving.pages.filters.form import Chip, Choice, Option
from serving.pages.formats import NO_DATA
from serving.pages.selection import parameters_of
from serving.pages.writing import NamedLink

_IN_FORM: Final = frozenset({"standing", "search", "columns", "offset"}) | DAY_PARAMETERS
"""Parameters that the form has fields for, or leaves out."""

_NUMBER: Final = "number"
_OF_DIMENSION: Final = frozenset({Kind.NAME, Kind.STATE, Kind.MONTH})


@dataclass(frozen=True, slots=True)
class ListHead:
    """The head of a column.

    Attributes:
        name: Of the column.
        label: As it is shown.
        is_number: Whether it stands over numbers.
        sort_url: The list sorted by it; empty where it cannot be.
        sort_label: What that does.
        sorted: How the list is sorted by it: `ascending`, `descending`, or not: empty.
    """

    name: str
    label: str
    is_number: bool
    sort_url: str
    sort_label: str
    sorted: str


@dataclass(frozen=True, slots=True)
class ListCell:
    """One value.

    Attributes:
        name: Of its column.
        head: The label of its column.
        text: As it is shown.
        is_number: Whether it is a number.
        url: Where it leads; empty where it does not.
        profile: The page of the client or project that it names; None of others.
    """

    name: str
    head: str
    text: str
    is_number: bool
    url: str = ""
    profile: NamedLink | None = None


@dataclass(frozen=True, slots=True)
class ListTotal:
    """The sums of a currency: its code, and a label, a short and an exact text for each."""

    currency: str
    sums: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link of the pager; without an address it leads nowhere."""

    label: str
    url: str
    rel: str = ""


@dataclass(frozen=True, slots=True)
class ListView:
    """All that the template shows of the list.

    Attributes:
        heads: Of the columns.
        rows: Their cells.
        count: How many certificates there are.
        credit_notes: How many of them are credit notes; empty where none is.
        totals: By currency.
        range: Which of them are shown.
        pager: Links to other pages.
        works: Links to the work lists, the one that is shown without an address.
        workbook_url: All of them as a workbook.
        csv_url: The same as CSV.
        columns: Names and meanings of the columns that are shown.
        note: How the amounts are to be understood; empty where they speak for themselves.
        search: What is searched for.
        days: The fields of its days.
        days_clear_url: The list whatever the days; empty where none is chosen.
        kept: Parameters that the form of filters keeps.
    """

    heads: list[ListHead]
    rows: list[list[ListCell]]
    count: str
    credit_notes: str
    totals: list[ListTotal]
    range: str
    pager: list[PageLink]
    works: list[PageLink]
    workbook_url: str
    csv_url: str
    columns: list[tuple[str, str]]
    note: str
    search: str
    days: DayFields
    days_clear_url: str
    kept: list[tuple[str, str]]


class ListWriter:
    """Writes the list.

    Args:
        result: The list.
        context: What the page is written with; its address has no parameters of the list.
        files: The address of the files, to which the ending is added.
    """

    def __init__(self, result: ListResult, context: PageContext, files: str) -> None:
        self._result = result
        self._request = result.request
        self._context = context
        self._files = files
        self._language = context.language
        self._shown = [column for column in result.request.shown if column.name not in SAID_BY_WHY]

    def url(self, request: ListRequest) -> str:
        """The address of the list, seen in another way."""
        filters = parameters_of(self._context.catalogue, self._context.selection)
        return replace(self._context.address, kept=()).of([*filters, *request.parameters()])

    def choices(self) -> list[Choice]:
        """What can be chosen besides the filter: standings and columns."""
        texts, request = self._context.texts, self._request
        standings = [
            Option(one.name, one.label.into(self._language), "", one.name in request.standings)
            for one in LIST_STANDINGS
        ]
        columns = [
            Option(one.name, one.label.into(self._language), "", one.name in request.columns)
            for one in LIST_COLUMNS
        ]
        chosen = [option.label for option in standings if option.chosen]
        several = texts["several_chosen"].format(count=len(chosen))
        are_usual = request.columns == request.usual
        return [
            Choice(
                "standing",
                texts["list_standing"],
                standings,
                several if len(chosen) > 1 else "".join(chosen) or texts["all_values"],
                self.url(replace(request, standings=(), offset=0)) if chosen else None,
            ),
            Choice(
                "columns",
                texts["list_columns"],
                columns,
                texts["list_columns_usual"]
                if are_usual
                else texts["columns_chosen"].format(count=Counted(len(request.columns))),
                None if are_usual else self.url(replace(request, columns=request.usual)),
            ),
        ]

    def chips(self) -> list[Chip]:
        """What is chosen besides the filter."""
        texts, request = self._context.texts, self._request
        found = [
            Chip(
                texts["list_standing"],
                standing.label.into(self._language),
                self.url(replace(request, standings=_without(request.standings, standing), offset=0)),
            )
            for standing in LIST_STANDINGS
            if standing.name in request.standings
        ]
        found += [
            Chip(
                EVENT_LABELS[days.event].into(self._language),
                days_text(days, self._context.writer),
                self.url(replace(request, days=tuple(one for one in request.days if one != days), offset=0)),
            )
            for days in request.days
        ]
        if request.currency:
            without = self.url(replace(request, currency="", offset=0))
            found.append(Chip(texts["sheet_currency"], request.currency, without))
        found += [
            Chip(
                LIST_LABELS[REASON_COLUMNS[name]].into(self._language),
                value_text(self._context, Kind.REASON, reason, ""),
                self.url(
                    replace(
                        request, reasons=tuple(one for one in request.reasons if one[0] != name), offset=0
                    )
                ),
            )
            for name, reason in request.reasons
        ]
        if request.expected:
            month = stretch_text(request.expected, self._context.writer)
            found.append(Chip(texts["list_expected"], month, self.url(request.without_derived)))
        if request.work_list:
            label = LISTED_WORK[request.work_list].label.into(self._language)
            found.append(Chip(texts["list_work"], label, self.url(request.without_derived)))
        if request.search:
            without = self.url(replace(request, search="", offset=0))
            found.append(Chip(texts["list_searched"], request.search, without))
        return found

    def view(self) -> ListView:
        """The list as it is shown."""
        request, texts = self._request, self._context.texts
        page = self._result.page()
        totals, formats = page.totals, self._context.formats
        count, first = formats.count(totals.count), request.offset + 1
        last = request.offset + len(page.rows)
        credit_notes = Counted(formats.count(totals.credit_notes))
        as_of = self._context.address.as_of
        dated = [] if as_of is None else [(AS_OF, as_of.isoformat())]
        parameters = [*self._filters(), *request.at(0).parameters(), *dated, ("lang", self._language)]
        return ListView(
            heads=[self._head(column) for column in self._shown],
            rows=[self._row(row) for row in page.rows],
            count=texts["certificate_count"].format(count=Counted(count)),
            credit_notes=texts["list_credit_notes"].format(count=credit_notes) if totals.credit_notes else "",
            totals=self._totals(totals),
            range=texts["list_range"].format(
                first=formats.count(first), last=formats.count(last), count=count
            ),
            pager=self._pager(totals.count),
            works=self._works(),
            workbook_url=with_query(f"{self._files}.xlsx", parameters),
            csv_url=with_query(f"{self._files}.csv", parameters),
            columns=[(self._label(one), one.meaning.into(self._language)) for one in self._shown],
            note=self._note(),
            search=request.search,
            days=day_fields(request, self._context),
            days_clear_url=self.url(without_days(request)) if request.days else "",
            kept=[pair for pair in request.parameters() if pair[0] not in _IN_FORM],
        )

    def _note(self) -> str:
        expected, context = self._request.expected, self._context
        if self._request.work_list:
            return LISTED_WORK[self._request.work_list].note.into(self._language)
        if not expected:
            return ""
        month = stretch_text(expected, context.writer, in_full=True)
        return context.texts["list_expected_note"].format(month=month)

    def _label(self, column: ListColumn) -> str:
        return column_label(column, self._request, self._context.writer)

    def _filters(self) -> Sequence[tuple[str, str]]:
        return parameters_of(self._context.catalogue, self._context.selection)

    def _head(self, column: ListColumn) -> ListHead:
        order = self._request.order
        label = self._label(column)
        is_here = order.column == column.name
        # Numbers and days are first looked at from the largest.
        is_down = not order.descending if is_here else column.kind in NUMBERS or column.kind is Kind.DAY
        wanted = replace(order, column=column.name, descending=is_down)
        # Of what is derived, it is sorted by one alone.
        is_sorted = column not in self._request.derived or column.name in (EXPECTED.name, URGENCY)
        text = self._context.texts["list_sort_down" if is_down else "list_sort"]
        way = "descending" if order.descending else "ascending"
        return ListHead(
            column.name,
            label,
            column.kind in NUMBERS,
            self.url(replace(self._request, order=wanted, offset=0)) if is_sorted else "",
            text.format(column=label),
            way if is_here else "",
        )

    def _row(self, row: Row) -> list[ListCell]:
        currency = str(value_of(row, "currency"))
        return [self._cell(column, row, currency) for column in self._shown]

    def _cell(self, column: ListColumn, row: Row, currency: str) -> ListCell:
        value = value_of(row, column.name)
        if column.name == WHY:
            return ListCell(
                column.name, self._label(column), why_text(row, self._request, self._context.writer), False
            )
        text = NO_DATA if value is None else value_text(self._context, column.kind, value, currency)
        if column.name == "due_on" and value is not None and is_marked(row, "due_assumed"):
            text = self._context.texts["list_due_assumed"].format(day=text)
        url, profile = "", None
        if column.kind in _OF_DIMENSION and isinstance(value, str):
            url = self._context.writer.drill_down_url(column.name, value)
            profile = self._context.writer.profile(column.name, value)
        if column.name == _NUMBER:
            url = detail_url(row, self._context.address)
        label = self._label(column)
        return ListCell(column.name, label, text, column.kind in NUMBERS, url, profile)

    def _works(self) -> list[PageLink]:
        """The work lists of what is chosen; there are none in the past."""
        if self._context.address.as_of is not None:
            return []
        request = self._request.without_derived
        # A work list says itself how its certificates stand, and which columns are of use.
        request = replace(request, standings=(), order=MOST_URGENT)
        return [
            PageLink(
                one.label.into(self._language),
                ""
                if name == self._request.work_list
                else self.url(replace(request, work_list=name, columns=one.usual)),
            )
            for name, one in LISTED_WORK.items()
        ]

    def _totals(self, totals: Totals) -> list[ListTotal]:
        summed = [
            (one.name, self._label(one))
            for one in (*LIST_COLUMNS, EXPECTED)
            if one.name in self._request.summed
        ]
        money = self._context.formats.money
        return [
            ListTotal(
                code,
                [
                    (label, (written := money(sums[name], code)).short, written.full)
                    for name, label in summed
                    # Most clients retain nothing.
                    if name in sums and (name != RETAINED or sums[name])
                ],
            )
            for code, sums in sorted(totals.amounts.items())
        ]

    def _pager(self, count: int) -> list[PageLink]:
        request, texts = self._request, self._context.texts
        last = max(count - 1, 0) // request.limit * request.limit
        at: Mapping[str, tuple[int, str]] = {
            "list_first": (0, "first"),
            "list_previous": (max(request.offset - request.limit, 0), "prev"),
            "list_next": (min(request.offset + request.limit, last), "next"),
            "list_last": (last, "last"),
        }
        if not last and not request.offset:
            return []
        return [
            PageLink(texts[name], "" if offset == request.offset else self.url(request.at(offset)), rel)
            for name, (offset, rel) in at.items()
        ]


def _without(standings: tuple[str, ...], standing: ListStanding) -> tuple[str, ...]:
    return tuple(name for name in standings if name != standing.name)

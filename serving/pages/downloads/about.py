"""What every file says of its figures: of which day and reading they are, what to know of them, its name."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.listing.certificates import value_of
from kpi_pipeline.cache.reading.listing.query import DayRange
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.components import NEXT_DAYS
from kpi_pipeline.model.forecast import NEXT_DAYS_NAME
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_work import LISTED_WORK
from kpi_pipeline.model.listing import EVENT_LABELS, EXPECTED, LIST_LABELS, REASON_COLUMNS, ListColumn
from serving.access.identity import current_identity
from serving.cache_access import Connection
from serving.catalogue import Page
from serving.listing.look_up import ListResult
from serving.listing.request import ListRequest
from serving.lookup_result import LookupResult
from serving.pages.live_state import live_state
from serving.pages.page_data import filter_label
from serving.pages.reading_notices import reading_notices
from serving.pages.source_notices import failing_notice, held_notice, refused_notices
from serving.pages.writing import Writer

_LONGEST_FILTER: Final = 80
"""Characters of a filter in the name of a file; what is longer is cut there."""

_OF_SENTENCES: Final = ("age_days", "rejection_reason")
"""Columns of every list that sentences of work lists name."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Of which filter, day and computation figures are, and what readers should know of them.

    Attributes:
        filtered: The filter, as people read it.
        entry: The generation.
        notices: Sentences.
        writer: Has the texts.
        subjects: Labels and texts of what else they are of; they stand first.
        compared: The days between which they compare; none where they do not.
    """

    filtered: str
    entry: ManifestEntry
    notices: Sequence[str]
    writer: Writer
    subjects: Sequence[tuple[str, str]] = ()
    compared: Sequence[date] = ()

    def columns(self) -> list[tuple[str, str]]:
        """For programs, as heads and texts: days and moments in ISO 8601, and the reading of the source."""
        computed_at = datetime.fromtimestamp(self.entry.computed_at, ZoneInfo(self.writer.formats.timezone))
        return self._facts(date.isoformat, computed_at.isoformat(timespec="seconds"), (self._reading(),))

    def rows(self) -> list[tuple[str, str]]:
        """For people, as labels and texts: days and moments as pages write them."""
        formats = self.writer.formats
        return self._facts(formats.day, formats.moment(self.entry.computed_at))

    def about(self, title: str) -> list[tuple[str, str]]:
        """The first sheet of a workbook: `rows`, and the generation, by which support finds the figures.

        Args:
            title: Of the page.
        """
        texts = self.writer.texts
        return [
            self.page_row(title),
            *self.rows(),
            (texts["about_generation"], self.entry.generation),
        ]

    def page_row(self, title: str) -> tuple[str, str]:
        """Of which page the figures are."""
        return self.writer.texts["about_page"], f"{title} · {self.writer.texts['product_name']}"

    def _reading(self) -> tuple[str, str]:
        return self.writer.texts["about_reading"], self.entry.reading

    def _facts(
        self, written: Callable[[date], str], computed_at: str, further: Iterable[tuple[str, str]] = ()
    ) -> list[tuple[str, str]]:
        texts, scope = self.writer.texts, current_identity().scope_label
        days = " / ".join(map(written, self.compared))
        return [
            *self.subjects,
            *([(texts["bridge_comparison"], days)] if days else []),
            (texts["about_filter"], self.filtered),
            *([] if scope is None else [(texts["about_scope"], scope.into(self.writer.language))]),
            (texts["about_as_of"], written(self.entry.as_of)),
            (texts["about_computed_at"], computed_at),
            *further,
            (texts["about_notice"], " ".join(self.notices)),
        ]


def notices_of(
    connection: Connection, product: str, pages: Sequence[Page], result: LookupResult, writer: Writer
) -> list[str]:
    """What a page warns of, as sentences: a file outlives the page that it is from."""
    if result.state is AnswerState.HISTORIC:
        return [writer.texts["state_historic"]]
    notices = [] if result.reachable else [writer.texts["state_offline"]]
    if result.state is AnswerState.STALE:
        notices.append(live_state(result, None, writer).label)
    source = connection.reader.readings()
    notices += [
        *reading_notices(result.readings, product, pages, writer),
        held_notice(source, writer),
        failing_notice(source, result.entry.verified_at, writer),
    ]
    if result.entry.rolled_back_at is None:
        notices += refused_notices(source, writer)
    return [f"{notice.rstrip('.')}." for notice in notices if notice]


def list_label(result: ListResult, writer: Writer) -> str:
    """Which certificates a list has, as people read it; its title says of which work list."""
    texts, request = writer.texts, result.request
    parts = []
    if result.figures.answered:
        parts.append(filter_label(writer.catalogue, result.figures.answered, writer))
    standings = [one.label.into(writer.language) for one in LIST_STANDINGS if one.name in request.standings]
    if standings:
        parts.append(f"{texts['list_standing']}: {', '.join(standings)}")
    parts += [
        f"{EVENT_LABELS[days.event].into(writer.language)}: {days_text(days, writer)}"
        for days in request.days
    ]
    if request.currency:
        parts.append(f"{texts['sheet_currency']}: {request.currency}")
    parts += [
        f"{LIST_LABELS[REASON_COLUMNS[name]].into(writer.language)}: {writer.text(Kind.REASON, reason, '')}"
        for name, reason in request.reasons
    ]
    if request.expected:
        parts.append(column_label(EXPECTED, request, writer))
    if request.search:
        parts.append(f"{texts['list_searched']}: {request.search}")
    return ", ".join(parts) or texts["everything"]


def column_label(column: ListColumn, request: ListRequest, writer: Writer) -> str:
    """The head of a column of a list: that of what is expected names the month."""
    if column == EXPECTED:
        return writer.texts["list_expected_in"].format(month=stretch_text(request.expected, writer))
    return column.label.into(writer.language)


def list_title(request: ListRequest, writer: Writer) -> str:
    """What a list is called."""
    if request.work_list:
        return LISTED_WORK[request.work_list].label.into(writer.language)
    return writer.texts["certificate_list"]


def why_text(row: Row, request: ListRequest, writer: Writer) -> str:
    """Why a certificate is in a work list, as a sentence."""
    names = [*(column.name for column in request.derived), "currency", *_OF_SENTENCES]
    return writer.why({name: value_of(row, name) for name in names})


def stretch_text(stretch: str, writer: Writer, *, in_full: bool = False) -> str:
    """A month of the forecast or the next days, as people read it within a sentence."""
    if stretch == NEXT_DAYS_NAME:
        return writer.texts["within_next_days"].format(days=NEXT_DAYS)
    return writer.formats.month_in_full(stretch) if in_full else writer.formats.month(stretch)


def days_text(days: DayRange, writer: Writer) -> str:
    """The days of an event, as people read them."""
    first, last = (None if day is None else writer.formats.day(day) for day in (days.first, days.last))
    if first is None or last is None:
        name = "list_days_until" if first is None else "list_days_since"
        return writer.texts[name].format(day=first or last)
    return first if first == last else writer.texts["list_days"].format(first=first, last=last)


def file_name(titles: Iterable[str], days: Iterable[date], filtered: str = "") -> str:
    """The name of a file without its ending; what comes twice is named once.

    Args:
        titles: What it holds.
        days: Of which days its figures are.
        filtered: The filter, as `filter_in_name` gives it.
    """
    of_filter = _plain(filtered)[:_LONGEST_FILTER].strip("-")
    parts = dict.fromkeys(["edp", *map(_plain, titles), of_filter, *(day.isoformat() for day in days)])
    return "-".join(filter(None, parts))


def filter_in_name(filtered: str, writer: Writer) -> str:
    """A filter, as people read it, for the name of a file; that of everything is not named."""
    return "" if filtered == writer.texts["everything"] else filtered


def _plain(title: str) -> str:
    """A title as part of the name of a file: without accents, signs and spaces."""
    letters = unicodedata.normalize("NFD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")

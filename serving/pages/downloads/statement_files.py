"""The statement of account of a client as a PDF and as a workbook: clean, to be sent to the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from flask import Blueprint, Response, render_template, request

from kpi_pipeline.cache.open_items import CurrencyBalance, OpenItem
from kpi_pipeline.model.account_statement import (
    PAST_DUE,
    STATEMENT_BUCKETS,
    STATEMENT_COLUMNS,
    USUAL_BUCKETS,
)
from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.labels import NUMBERS
from kpi_pipeline.model.listing import LISTED_WITH
from serving.cache_access import current_connection, current_settings
from serving.kept.unkept import file_answer
from serving.pages.downloads.about import file_name
from serving.pages.downloads.documents import MIMETYPE as PDF
from serving.pages.downloads.documents import NoDocuments, laid_out, paper_sheet
from serving.pages.downloads.sheets import Sheet, SheetCell
from serving.pages.downloads.workbooks import MIMETYPE, workbook
from serving.pages.formats import NO_DATA
from serving.pages.tables.view import Head
from serving.pages.writing import Cell, Writer, writer_for
from serving.problem_types.figures import NO_DOCUMENTS
from serving.problems import DOWNLOADS_PATH, Problem
from serving.profile.look_up import profile_path
from serving.profile.statement import AccountStatement, look_up_statement
from serving.responses import LANGUAGE_PARAMETER, reader_language

STATEMENT_FILES: Final = f"{DOWNLOADS_PATH}/clients/<path:name>/statement"

_ASSUMED: Final = "due_assumed"
_AMOUNTS: Final = ("approved", "open")
_DAYS: Final = ("issued_on", "due_on")

routes: Final = Blueprint("statement_files", __name__)


def statement_path(client: str) -> str:
    """The address of the files of a client's statement, to which the ending is added."""
    return f"{profile_path(DOWNLOADS_PATH, 'client', client)}/statement"


@dataclass(frozen=True, slots=True)
class CurrencyView:
    """What a client owes in one currency, as the template shows it.

    Attributes:
        currency: Its code.
        summary: Labels and amounts: all of it, what is past due, and each bucket.
        heads: Of the columns of its items.
        rows: Their cells.
        total: Their sum.
    """

    currency: str
    summary: list[tuple[str, str]]
    heads: list[Head]
    rows: list[list[Cell]]
    total: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement as the template shows it."""

    client: str
    day: str
    currencies: list[CurrencyView]
    has_assumed: bool


@dataclass(frozen=True, slots=True)
class _File:
    """What the files of a statement are written from."""

    statement: AccountStatement
    writer: Writer

    @classmethod
    def of_request(cls, name: str) -> "_File":
        """That of the present request."""
        language, connection = reader_language(), current_connection()
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != LANGUAGE_PARAMETER]
        statement = look_up_statement(connection, name, pairs)
        catalogue = connection.catalogues.of(LISTED_WITH)
        return cls(statement, writer_for(language, catalogue, current_settings().timezone))

    @property
    def title(self) -> str:
        return self.writer.texts["account_statement"]

    def view(self) -> StatementView:
        """It as the template shows it."""
        items = self.statement.items
        return StatementView(
            self.statement.client,
            self.writer.formats.day(self.statement.day),
            [self._of_currency(balance) for balance in self.statement.balances],
            any(item.is_due_assumed for item in items),
        )

    def sheets(self) -> list[Sheet]:
        """It as sheets: the items, and what they sum to."""
        texts = self.writer.texts
        items = Sheet(
            "items",
            texts["account_statement_items"],
            [self._label(column) for column in STATEMENT_COLUMNS],
            [
                [self._sheet_cell(column, item) for column in STATEMENT_COLUMNS]
                for item in self.statement.items
            ],
        )
        summary = Sheet(
            "summary",
            texts["account_statement_summary"],
            [texts["sheet_currency"], *(label for label, _ in self._amounts(None))],
            [
                [
                    SheetCell(balance.currency),
                    *(self._amount(amount, balance.currency) for _, amount in self._amounts(balance)),
                ]
                for balance in self.statement.balances
            ],
        )
        return [summary, items]

    def answer(self, body: bytes, mimetype: str, ending: str) -> Response:
        """The answer with the file."""
        day = self.statement.day
        name = file_name([self.title], [day], self.statement.client)
        return file_answer(self.statement.figures, body, mimetype, f"{name}.{ending}", day)

    def _of_currency(self, balance: CurrencyBalance) -> CurrencyView:
        code = balance.currency
        columns = [one for one in STATEMENT_COLUMNS if one.name not in ("currency", _ASSUMED)]
        money = self.writer.formats.money
        return CurrencyView(
            code,
            [(label, money(amount, code).full) for label, amount in self._amounts(balance)],
            [Head(self._label(column), column.kind in NUMBERS) for column in columns],
            [
                [self._cell(column, item) for column in columns]
                for item in self.statement.items
                if item.currency == code
            ],
            money(balance.open, code).full,
        )

    def _amounts(self, balance: CurrencyBalance | None) -> list[tuple[str, int]]:
        """Labels and amounts of a summary; of an unusual bucket only where something is in it."""
        texts, language = self.writer.texts, self.writer.language
        buckets: Mapping[str, int] = {} if balance is None else balance.buckets
        shown = {*USUAL_BUCKETS, *(name for one in self.statement.balances for name in one.buckets)}
        return [
            (texts["statement_total"], balance.open if balance else 0),
            (PAST_DUE.into(language), balance.overdue if balance else 0),
            *(
                (label.into(language), buckets.get(name, 0))
                for name, label in STATEMENT_BUCKETS.items()
                if name in shown
            ),
        ]

    def _cell(self, column: Column, item: OpenItem) -> Cell:
        value = _value(column, item)
        if value is None:
            return Cell(NO_DATA, is_number=column.kind in NUMBERS)
        if column.name in _AMOUNTS:
            return Cell(self.writer.formats.money(int(value), item.currency).full, is_number=True)
        cell = self.writer.cell(column.kind, value, item.currency)
        if column.name == "due_on" and item.is_due_assumed:
            return cell._replace(text=self.writer.texts["list_due_assumed"].format(day=cell.text))
        return cell

    def _sheet_cell(self, column: Column, item: OpenItem) -> SheetCell:
        if column.name == _ASSUMED:
            return SheetCell(
                self.writer.texts["account_statement_yes" if item.is_due_assumed else "account_statement_no"]
            )
        value = _value(column, item)
        if column.name in _AMOUNTS:
            return SheetCell(None) if value is None else self._amount(int(value), item.currency)
        if column.name in _DAYS:
            return SheetCell(getattr(item, column.name), "day")
        return SheetCell(value, "days" if column.name == "days_overdue" else "text")

    def _amount(self, minor: int, currency: str) -> SheetCell:
        decimals = self.writer.formats.decimals(currency)
        value = Decimal(minor).scaleb(-decimals) if decimals else minor
        return SheetCell(value, "money", decimals, self.writer.formats.sign(currency))

    def _label(self, column: Column) -> str:
        return column.label.into(self.writer.language)


@routes.get(f"{STATEMENT_FILES}.pdf")
def as_document(name: str) -> Response:
    """The statement as a PDF."""
    file = _File.of_request(name)
    view = file.view()
    foot = " · ".join((file.title, view.client, view.day))
    text = render_template(
        "account_statement.html", statement=view, language=file.writer.language, sheet=paper_sheet(foot)
    )
    try:
        return file.answer(laid_out(text), PDF, "pdf")
    except NoDocuments as error:
        raise Problem(NO_DOCUMENTS) from error


@routes.get(f"{STATEMENT_FILES}.xlsx")
def as_workbook(name: str) -> Response:
    """The statement as a workbook."""
    file = _File.of_request(name)
    texts, statement = file.writer.texts, file.statement
    about = [
        (texts["account_statement_client"], statement.client),
        (texts["account_statement_as_of"], file.writer.formats.day(statement.day)),
    ]
    created = datetime.fromtimestamp(statement.figures.entry.computed_at, UTC).replace(tzinfo=None)
    return file.answer(workbook(file.title, about, file.sheets(), created), MIMETYPE, "xlsx")


def _value(column: Column, item: OpenItem) -> str | int | None:
    """A value as writers take it: days as texts."""
    value: str | int | date | None = getattr(item, column.name)
    return value.isoformat() if isinstance(value, date) else value

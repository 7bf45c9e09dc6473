"""The rows of tables as they are published, checked against the kinds of their columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from kpi_pipeline.model.labels import Kind
from serving.catalogue import Catalogue, Page, Table
from serving.pages.published.kpi_values import CurrencyCode, MonthText
from serving.pages.published.value_checks import is_of

Rows = Sequence[Mapping[str, Any]]
"""The values of each row by the name of their column."""

_BEYOND: Final = ("later", "unknown", "receivable")
"""Amounts of a forecast that are of no month."""


class ForecastTest(BaseModel, strict=True, frozen=True):
    """What the back-test of a forecast found; a share is None where nothing was measured."""

    months: int
    error_share: float | None
    naive_error_share: float | None
    coverage_50: float | None
    coverage_90: float | None
    client_coverage_50: float | None
    client_coverage_90: float | None


class ForecastBasis(BaseModel, strict=True, frozen=True):
    """Which rule a forecast shows, and what its back-test found; None with too little history."""

    rule: Literal["model", "naive", "none"]
    test: ForecastTest | None

    @model_validator(mode="after")
    def _test_is_known(self) -> Self:
        if (self.rule == "none") != (self.test is None):
            raise ValueError("a forecast is shown without a test, or tested and not shown")
        return self


@dataclass(frozen=True, slots=True)
class TableFigures:
    """One table of one filter, checked.

    Attributes:
        table: Its declaration.
        rows: Its rows; one a month and currency where it is published by month.
        by_currency: What a table by month holds beyond them: the totals of a statement, or the amounts
            beyond the months of a forecast and its `ForecastBasis` as `basis`. A currency without a
            forecast has no rows.
    """

    table: Table
    rows: Rows
    by_currency: Mapping[str, Mapping[str, Any]]


class _Months(BaseModel, strict=True, frozen=True):
    """Rows by month: of each currency a list a column, one value a month."""

    class Line(BaseModel, strict=True, frozen=True, extra="allow"):
        """The columns of one currency."""

        currency: CurrencyCode

    months: Annotated[list[MonthText], Field(min_length=1)]
    lines: list[Line]


def read_tables(page: Page, catalogue: Catalogue, data: Mapping[str, Any]) -> list[TableFigures]:
    """Check the tables of a page, in its order.

    Args:
        page: Which tables it shows.
        catalogue: What they consist of.
        data: The payload; it holds tables itself or under `tables`.

    Raises:
        ValueError: If a table or a value is missing, or of another kind than its column.
    """
    together = data.get("tables", {})
    if not isinstance(together, Mapping):
        raise ValueError("tables: not an object")  # noqa: TRY004 - one kind of error for all malformed data
    held = {**data, **together}
    return [
        _read(table, held.get(table.name) if block == table.name else _part(held.get(block), table), data)
        for block in page.tables
        for table in tables_in(catalogue, block)
    ]


def tables_in(catalogue: Catalogue, block: str) -> list[Table]:
    """The tables under one name of a page.

    Raises:
        ValueError: If there is none.
    """
    if tables := [table for table in catalogue.tables if table.block == block]:
        return tables
    raise ValueError(f"table {block} is unknown")


def _part(block: Any, table: Table) -> Any:
    return block.get(table.name) if isinstance(block, Mapping) else None


def _read(table: Table, published: Any, data: Mapping[str, Any]) -> TableFigures:
    if published is None:
        raise ValueError(f"table {table.name} is missing")
    if table.layout == "rows":
        if not isinstance(published, list):
            raise ValueError(f"table {table.name} has no rows")
        return TableFigures(table, [_row(table, row) for row in published], {})
    if not isinstance(published, Mapping):
        raise ValueError(f"table {table.name} has no months")  # noqa: TRY004
    by_month = _Months.model_validate(published)
    rows = [row for line in by_month.lines for row in _rows_of_months(table, by_month.months, line)]
    lines = [line.model_dump() for line in by_month.lines]
    if table.layout == "forecast":
        return _forecast(table, rows, lines)
    totals = data.get("totals")
    if not isinstance(totals, list):
        raise ValueError(f"table {table.name} has no totals")  # noqa: TRY004
    # A total is a row of no month.
    checked = {row["currency"]: row for row in (_row(table, total, by_month.months[0]) for total in totals)}
    if list(checked) != [line["currency"] for line in lines]:
        raise ValueError(f"table {table.name}: lines and totals are not of the same currencies")
    return TableFigures(table, rows, checked)


def _forecast(table: Table, rows: Rows, lines: Sequence[dict[str, Any]]) -> TableFigures:
    by_currency = {}
    for line in lines:
        basis = ForecastBasis.model_validate(line.get("basis"))
        needed = _BEYOND if basis.test else ("receivable",)
        if not all(isinstance(line.get(name), int) for name in needed):
            raise ValueError(f"table {table.name} lacks amounts beyond its months")
        by_currency[line["currency"]] = line | {"basis": basis}
    shown = [row for row in rows if by_currency[row["currency"]]["basis"].test]
    return TableFigures(table, shown, by_currency)


def _rows_of_months(table: Table, months: Sequence[str], line: _Months.Line) -> Iterator[Mapping[str, Any]]:
    columns: dict[str, Any] = {"month": months, "currency": [line.currency] * len(months)}
    for column in table.columns:
        values = columns.setdefault(column.name, getattr(line, column.name, None))
        if not isinstance(values, list) or len(values) != len(months):
            raise ValueError(f"table {table.name}: {column.name} has not one value a month")
    for row in zip(*columns.values(), strict=True):
        yield _row(table, dict(zip(columns, row, strict=True)))


def _row(table: Table, row: Any, month: str = "") -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise ValueError(f"table {table.name} has a row that is no object")  # noqa: TRY004
    values = {"month": month, **row} if month else dict(row)
    for column in table.columns:
        value = values.get(column.name)
        if column.kind is Kind.MONEY and isinstance(value, Mapping):
            # An amount that is a quotient is shown to the minor unit.
            value = values[column.name] = _rounded(value.get("value"))
        if column.name not in values or not is_of(column.kind)(value):
            raise ValueError(f"table {table.name}: {column.name} is no {column.kind}")
    return values


def _rounded(quotient: Any) -> int | None:
    return round(quotient) if isinstance(quotient, int | float) else None

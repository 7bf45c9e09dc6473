"""What a table is: its words, its columns, and where its rows come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.kpis.formulas import Ratio, Total, terms_of
from kpi_pipeline.model.labels import Text


@dataclass(frozen=True, slots=True)
class ByDimension:
    """A row for each currency and value of a dimension, which the table's first column names.

    Attributes:
        dimension: Whose values; not the month.
        values: Column to the formula of its values, over the filter.
        ranked_by: The column whose largest values come first, within each currency.
        top: Rows of each currency at most.
        by_size: Whether the ranking ignores the sign.
    """

    dimension: str
    values: Mapping[str, Total | Ratio]
    ranked_by: str
    top: int
    by_size: bool = False

    def ranking(self) -> Total:
        """The formula by which rows are ranked."""
        formula = self.values[self.ranked_by]
        if isinstance(formula, Ratio):
            raise ValueError(f"a table is ranked by a total; {self.ranked_by!r} is a ratio")  # noqa: TRY004
        return formula

    def components(self) -> tuple[str, ...]:
        """The components of its formulas, each once."""
        terms = (term for formula in self.values.values() for term in terms_of(formula))
        return tuple(dict.fromkeys(term.component for term in terms))


@dataclass(frozen=True, slots=True)
class ByKey:
    """A row for each currency and key of a breakdown, which the table's first column names.

    Attributes:
        breakdown: One of the roll-up's breakdowns.
        ranked_by: What the largest come first of, then by key: "count" or "amount".
        top: Rows of each currency at most.
    """

    breakdown: str
    ranked_by: tuple[Literal["count", "amount"], ...]
    top: int = 10


@dataclass(frozen=True, slots=True)
class WorkList:
    """A row for each certificate of the roll-up's work list of the table's name, the most urgent first.

    Attributes:
        top: Rows of each currency at most.
    """

    top: int = 20


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: Its key in payloads and downloads.
        title: Its title.
        note: What a reader must know about it.
        nothing: Shown instead where it has no rows.
        columns: Its columns, in order.
        rows: How its rows are computed; None where a builder of its name does.
        block: The name under which pages and payloads hold it with others; empty: its own.
        layout: How its rows are published: as rows, or as one list a month for each column and currency
            ("forecast", "statement"). A statement is shown with its columns as lines.
        needs_costs: It shows costs, or what is made of them: it is for fewer eyes.
    """

    name: str
    title: Text
    note: Text
    nothing: Text
    columns: tuple[Column, ...]
    rows: ByDimension | ByKey | WorkList | None = None
    block: str = ""
    layout: Literal["rows", "forecast", "statement"] = "rows"
    needs_costs: bool = False

    @property
    def held_in(self) -> str:
        """The name under which pages and payloads hold it."""
        return self.block or self.name

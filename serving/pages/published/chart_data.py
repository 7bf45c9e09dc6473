"""The data of charts as they are published, checked against what the catalogue says of their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from pydantic import BaseModel

from serving.catalogue import Chart, Column
from serving.pages.published.kpi_values import CurrencyCode, Number
from serving.pages.published.value_checks import Value, is_of

Row = Mapping[str, Any]
"""The values of one row by the name of their column; each is of its column's kind, numbers may be None."""


class Sentence(BaseModel, strict=True, frozen=True):
    """One sentence: its name and its values."""

    sentence: str
    values: dict[str, Number | str]
    currency: CurrencyCode | None = None


class ChartFigures(BaseModel, strict=True, frozen=True):
    """One chart of one filter as it is published."""

    columns: dict[str, list[Value]]
    empty: bool
    says: list[Sentence]


@dataclass(frozen=True, slots=True)
class ChartData:
    """One chart of one filter, checked.

    Attributes:
        chart: Its words.
        rows: Its data; none where there is nothing to draw.
        sentences: Its sentences.
    """

    chart: Chart
    rows: Sequence[Row]
    sentences: Sequence[Sentence]

    def columns(self, *kinds: str) -> list[Column]:
        """Its columns of some kinds, in order."""
        return [column for column in self.chart.columns if column.kind in kinds]


def chart_data(chart: Chart, figures: ChartFigures) -> ChartData:
    """Check a chart's data against the kinds of its columns.

    Raises:
        ValueError: If a column is missing, too short or of another kind, or a sentence lacks a value.
    """
    lengths = set()
    for column in chart.columns:
        if column.name not in figures.columns:
            raise ValueError(f"charts.{chart.name}: column {column.name} is missing")
        values = figures.columns[column.name]
        lengths.add(len(values))
        if not all(map(is_of(column.kind), values)):
            raise ValueError(
                f"charts.{chart.name}: column {column.name} has values that are no {column.kind}"
            )
    if len(lengths) != 1:
        raise ValueError(f"charts.{chart.name}: columns differ in length")
    for sentence in figures.says:
        _check_sentence(chart, sentence)
    names = [column.name for column in chart.columns]
    columns = [figures.columns[name] for name in names]
    rows = [] if figures.empty else [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return ChartData(chart, rows, figures.says)


def _check_sentence(chart: Chart, sentence: Sentence) -> None:
    template = chart.sentences.get(sentence.sentence)
    if template is None:
        raise ValueError(f"charts.{chart.name}: no sentence {sentence.sentence!r}")
    for text in (template.es, template.en):
        for _, name, kind, _ in Formatter().parse(text):
            if name is None:
                continue
            value = sentence.values.get(name)
            if value is None or not is_of(kind or "")(value):
                raise ValueError(f"charts.{chart.name}: {sentence.sentence} has no {kind} {name!r}")

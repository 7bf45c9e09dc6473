"""What specifications share: axes, series, words and numbers in one language, panels by currency."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import altair as alt
import orjson
from babel import Locale

from kpi_pipeline.model.charts import Chart
from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.drawings import Drawing
from kpi_pipeline.model.labels import LABELS, Kind, Language, Text
from kpi_pipeline.model.palette import SERIES

WIDTH: Final = 560
"""Width of a plot in pixels."""

HEIGHT: Final = 220
ROW: Final = 34
"""Height of one row where names stand one below the other."""

NO_BREAK: Final = "\N{NO-BREAK SPACE}"
"""Between a number and its sign."""

_NAME_WIDTH: Final = 190

Drawn = Any
"""A mark, layers or panels: Altair's own types forget which it is as soon as it is changed."""

_LOCALES: Final[dict[Language, Locale]] = {"es": Locale("es", "CL"), "en": Locale("en")}


def quoted(text: str) -> str:
    """A text as a literal of a Vega expression."""
    return orjson.dumps(text).decode()


def worded(field: str, words: Mapping[str, Text], language: Language) -> str:
    """A Vega expression for the words of a field's value; a value without words stands for itself."""
    cases = (
        f"{field} === {quoted(value)} ? {quoted(text.into(language))} : " for value, text in words.items()
    )
    return "".join(cases) + field


def month_words(field: str, language: Language) -> str:
    """A Vega expression for a month given as YYYY-MM: ene 24."""
    names = _LOCALES[language].months["format"]["abbreviated"]
    months = orjson.dumps([names[number] for number in range(1, 13)]).decode()
    return f"{months}[toNumber(slice({field}, 5)) - 1] + ' ' + slice({field}, 2, 4)"


def tick_money(field: str) -> str:
    """A Vega expression for an amount on an axis: in millions, as the books are kept, unless it is small."""
    # From a tenth of a million, so that the ticks of one axis rarely mix both ways of writing. Six
    # significant digits: ticks are round, and what floats add beyond is noise.
    return f"abs({field}) >= 1e5 ? format({field} / 1e6, ',.6~r') + '{NO_BREAK}M' : format({field}, ',.2~f')"


def full_money(field: str) -> str:
    """A Vega expression for an amount in full, with cents if it has any; no text where there is none."""
    return f"isValid({field}) ? format({field}, {field} === floor({field}) ? ',.0f' : ',.2f') : ''"


def percent(field: str) -> str:
    """A Vega expression for a share in percent."""
    return f"isValid({field}) ? format({field} * 100, ',.1f') + '%' : ''"


def number(field: str) -> str:
    """A Vega expression for a number to the tenth."""
    return f"isValid({field}) ? format({field}, ',.1~f') : ''"


def count(field: str) -> str:
    """A Vega expression for a whole number."""
    return f"isValid({field}) ? format({field}, ',d') : ''"


_WRITTEN: Final = {
    Kind.MONEY: full_money,
    Kind.SHARE: percent,
    Kind.DAYS: number,
    Kind.COUNT: count,
    Kind.READING: number,
}


def of_series(name: str) -> alt.ColorDatum:
    """The colour of one series, in a layer beside one that has the legend."""
    return alt.ColorDatum(name, type="nominal", title=None)


def independent(*channels: str) -> alt.Resolve:
    """Scales that each layer or panel has for itself."""
    scales: dict[str, Any] = dict.fromkeys(channels, "independent")
    return alt.Resolve(scale=alt.ScaleResolveMap(**scales))


class SpecificationBuilder:
    """The parts of one chart's specification in one language.

    A drawing is given all that it has when it is made: each change copies all of it.

    Args:
        chart: The chart.
        language: The language of its words.
    """

    def __init__(self, chart: Chart, language: Language) -> None:
        self._chart = chart
        self.language = language

    @property
    def data(self) -> alt.NamedData:
        """The data, to be given under the chart's name."""
        return alt.NamedData(name=self._chart.name)

    @property
    def described(self) -> dict[str, str]:
        """What the whole drawing is told of the chart."""
        return {"description": self._chart.description.into(self.language)}

    @property
    def drawing(self) -> Drawing:
        """How the chart is drawn."""
        return self._chart.drawing

    def word(self, es: str, en: str) -> str:
        """A text of this specification."""
        return Text(es, en).into(self.language)

    def label(self, column: str) -> str:
        """The label of a column."""
        return self._column(column).label.into(self.language)

    def fields(
        self, *, calculated: Mapping[str, str] | None = None, folded: Iterable[str] = ()
    ) -> list[alt.CalculateTransform | alt.FoldTransform]:
        """What makes the further fields of the data, the same ones for all layers.

        Each column gets a field `<column>_text` in the language's writing.

        Args:
            calculated: Fields by name, each with its Vega expression.
            folded: Columns of which each gives a row of its own, `series` its name, `amount` its value.
        """
        texts = {f"{column.name}_text": self._text_of(column.name) for column in self._chart.fields}
        transforms: list[alt.CalculateTransform | alt.FoldTransform] = [*_calculated(texts)]
        if folded:
            transforms.append(alt.FoldTransform(**{"fold": list(folded), "as": ["series", "amount"]}))
            transforms += _calculated(
                {
                    "series_text": worded("datum.series", self._series_labels(), self.language),
                    "amount_text": full_money("datum.amount"),
                }
            )
        return [*transforms, *_calculated(calculated or {})]

    def months(self) -> alt.X:
        """The axis of months."""
        axis = alt.Axis(
            labelExpr=month_words("datum.value", self.language),
            labelAngle=0,
            labelOverlap="parity",
            labelSeparation=4,
        )
        return alt.X(f"{self.drawing.across or self.drawing.category}:O", title=None, axis=axis)

    def names(self) -> alt.Y:
        """The axis of categories, one below the other, in the order of the data."""
        column = self.drawing.category
        words = worded("datum.value", LABELS[self._column(column).kind], self.language)
        axis = alt.Axis(labelExpr=words, labelLimit=_NAME_WIDTH, ticks=False, domain=False)
        return alt.Y(f"{column}:N", sort=None, title=None, axis=axis)

    def colour(self, *shown: str, field: str = "series") -> alt.Color:
        """The colour of a field's series, the same one in every chart, with a legend of those shown."""
        words = worded("datum.label", self._series_labels(), self.language)
        legend = alt.Legend(values=list(shown), symbolType="square", labelExpr=words)
        return alt.Color(f"{field}:N", title=None, scale=alt.Scale(domain=list(SERIES)), legend=legend)

    def tooltip(self, *columns: str) -> list[alt.Tooltip]:
        """The values of a mark: columns in the language's writing."""
        return [alt.Tooltip(f"{column}_text:N", title=self.label(column)) for column in columns]

    def series_tooltip(self, *columns: str) -> list[alt.Tooltip]:
        """The same for a mark of a series."""
        own = [
            alt.Tooltip("series_text:N", title=self.word("Serie", "Series")),
            alt.Tooltip("amount_text:N", title=self.word("Monto", "Amount")),
        ]
        return [*self.tooltip(*columns), *own, *self.tooltip("currency")]

    def by_currency(self, drawn: Drawn, *own: str) -> Drawn:
        """Panels one below the other, one a currency, each with its own scales of amounts.

        Args:
            drawn: What a panel holds.
            own: Channels whose scale is each panel's own.
        """
        header = alt.Header(
            labelExpr=f"{quoted(self.word('En ', 'In '))} + datum.value",
            labelOrient="top",
            labelAnchor="start",
            labelAngle=0,
        )
        row = alt.Row("currency:N", sort=None, title=None, header=header)
        return drawn.facet(row=row, data=self.data, spacing=28, resolve=independent(*own), **self.described)

    def _series_labels(self) -> Mapping[str, Text]:
        """The labels of what is drawn: of columns, or of the values that a column splits rows by."""
        drawing = self._chart.drawing
        if drawing.split:
            return LABELS[self._column(drawing.split).kind]
        return {name: self._column(name).label for name in (*drawing.series, drawing.line) if name}

    def _column(self, name: str) -> Column:
        return next(column for column in self._chart.fields if column.name == name)

    def _text_of(self, name: str) -> str:
        kind, field = self._column(name).kind, f"datum.{name}"
        if kind in LABELS:
            return worded(field, LABELS[kind], self.language)
        if kind is Kind.MONTH:
            return month_words(field, self.language)
        return _WRITTEN[kind](field) if kind in _WRITTEN else field


def _calculated(fields: Mapping[str, str]) -> list[alt.CalculateTransform]:
    """Fields by name, each with its Vega expression."""
    return [
        alt.CalculateTransform(**{"calculate": expression, "as": name}) for name, expression in fields.items()
    ]


def money(channel: type[alt.X] | type[alt.Y], field: str, *, stacked: bool = False) -> Any:
    """The axis of amounts.

    Args:
        channel: Which axis.
        field: The field of amounts.
        stacked: Put marks at the same place one upon the other.
    """
    axis = alt.Axis(
        labelExpr=tick_money("datum.value"),
        tickCount=5,
        labelFlush=False,
        labelOverlap="parity",
        labelSeparation=6,
    )
    return channel(f"{field}:Q", title=None, axis=axis, stack="zero" if stacked else None)

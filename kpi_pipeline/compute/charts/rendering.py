"""Charts drawn without a browser."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

import vl_convert
from babel.numbers import get_currency_precision

from kpi_pipeline.compute.charts.specifications import specification
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES, Theme
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.labels import Language

Columns = Mapping[str, Sequence[Any]]

_PIXEL_RATIO: Final = 2


def rows_of(name: str, columns: Columns, decimals: Mapping[str, int]) -> list[dict[str, Any]]:
    """Join the columns of a variant into the rows that a specification draws.

    Args:
        name: One of `model.charts.CHARTS`.
        columns: A variant's data columns of that chart, amounts in minor units.
        decimals: Decimals of each currency.

    Returns:
        One row a data point, amounts in whole units of their currency.

    Raises:
        KeyError: If there is no such chart, or a currency has no decimals.
    """
    amounts = CHARTS[name].amounts
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for row in rows:
        for amount in amounts:
            if row[amount] is not None:
                row[amount] /= 10 ** decimals[row["currency"]]
    return rows


def render_svg(name: str, columns: Columns, language: Language, theme: Theme) -> str:
    """Draw a chart as an SVG picture with a title and a description for those who do not see it.

    Args:
        name: One of `model.charts.CHARTS`.
        columns: A variant's data columns of that chart, amounts in minor units.
        language: The language of its words and numbers.
        theme: Its colours.
    """
    drawn: str = vl_convert.vegalite_to_svg(
        _with_data(name, columns, language), config=dict(THEMES[theme]), format_locale=dict(NUMBERS[language])
    )
    chart = CHARTS[name]
    head, body = drawn.split(">", 1)
    title, description = (escape(text.into(language)) for text in (chart.title, chart.description))
    return f'{head} role="img"><title>{title}</title><desc>{description}</desc>{body}'


def render_png(name: str, columns: Columns, language: Language, theme: Theme) -> bytes:
    """Draw a chart as a PNG picture under its title.

    Args:
        name: One of `model.charts.CHARTS`.
        columns: A variant's data columns of that chart, amounts in minor units.
        language: The language of its words and numbers.
        theme: Its colours.
    """
    spec = {**_with_data(name, columns, language), "title": CHARTS[name].title.into(language)}
    picture: bytes = vl_convert.vegalite_to_png(
        spec, scale=_PIXEL_RATIO, config=dict(THEMES[theme]), format_locale=dict(NUMBERS[language])
    )
    return picture


def _with_data(name: str, columns: Columns, language: Language) -> dict[str, Any]:
    codes = {code for code in columns.get("currency", ()) if code}
    rows = rows_of(name, columns, {code: get_currency_precision(code) for code in codes})
    return {**specification(name, language), "datasets": {name: rows}}

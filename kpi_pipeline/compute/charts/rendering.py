"""Pictures of charts for readers outside the page, drawn without a browser."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import vl_convert
from babel.numbers import get_currency_precision

from kpi_pipeline.compute.charts.specifications import specification
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.palette import Theme

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


def render_png(name: str, columns: Columns, language: Language, theme: Theme) -> bytes:
    """Draw a chart as a PNG picture under its title.

    Args:
        name: One of `model.charts.CHARTS`.
        columns: A variant's data columns of that chart, amounts in minor units.
        language: The language of its words and numbers.
        theme: Its colours.
    """
    picture: bytes = vl_convert.vegalite_to_png(
        titled_specification(name, columns, language),
        scale=_PIXEL_RATIO,
        config=dict(THEMES[theme]),
        format_locale=dict(NUMBERS[language]),
    )
    return picture


def titled_specification(name: str, columns: Columns, language: Language) -> dict[str, Any]:
    """The specification of a chart with its title and its data; the arguments are those of `render_png`."""
    codes = {code for code in columns.get("currency", ()) if code}
    rows = rows_of(name, columns, {code: get_currency_precision(code) for code in codes})
    title = CHARTS[name].title.into(language)
    return {**specification(name, language), "title": title, "datasets": {name: rows}}

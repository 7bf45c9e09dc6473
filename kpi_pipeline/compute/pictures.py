"""Charts drawn without a browser."""

from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert
from babel.numbers import get_currency_precision

from kpi_pipeline.model.charts import CHARTS, specification


def render_png(name: str, columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Draw a chart as a PNG picture, with its Spanish title.

    Args:
        name: One of `model.charts.CHARTS`.
        columns: A variant's data columns of that chart, amounts in minor units.
    """
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for row in rows:
        row["amount"] /= 10 ** get_currency_precision(row["currency"])
    spec = {**specification(name), "datasets": {name: rows}, "title": CHARTS[name].title_es}
    picture: bytes = vl_convert.vegalite_to_png(spec, scale=1)
    return picture

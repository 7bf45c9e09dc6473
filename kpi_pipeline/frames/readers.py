"""What analysts call: KPIs, charts and tables as DataFrames."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from kpi_pipeline.frames.published import require
from kpi_pipeline.frames.sources import FilterValue, OnMissing, read
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.pages import CHARTS_PRODUCT, COMPOSED, charts_of_product

_CHART_PRODUCTS: Final = {
    name: product for product in (*PRODUCTS, CHARTS_PRODUCT) for name in charts_of_product(product)
}
_TABLE_PRODUCTS: Final = {name: page.product for page in COMPOSED for name in page.tables}
_KPI_VALUES: Final = dict.fromkeys(("value", "previous", "change", "target"), Kind.READING)
_KPI_KINDS: Final[Mapping[str, str]] = {
    "kpi": Kind.KPI,
    "currency": Kind.CURRENCY,
    "group": Kind.NAME,
    "label": Kind.TEXT,
    "unit": Kind.NAME,
    "direction": Kind.NAME,
    **_KPI_VALUES,
    "change_share": Kind.SHARE,
    "trend": Kind.NAME,
}
_KPI_MONTH_KINDS: Final[Mapping[str, str]] = {
    "kpi": Kind.KPI,
    "currency": Kind.CURRENCY,
    "unit": Kind.NAME,
    "month": Kind.MONTH,
    "value": Kind.READING,
}


def kpis(
    *,
    source: str | None = None,
    as_of: date | str | None = None,
    on_missing: OnMissing = "raise",
    by_month: bool = False,
    **filters: FilterValue,
) -> pd.DataFrame:
    """Every KPI, one row for each KPI and currency.

    Args:
        source: Where figures are read; see the module's documentation.
        as_of: The newest month end on or before this date, YYYY-MM-DD; None for the live figures.
        on_missing: Whether a filter that is not precomputed raises, or gives the figures of the nearest
            `wider` filter, with the state `missing` in `attrs`.
        by_month: One row for each KPI, currency and month of its trend instead.
        filters: Names and values as the HTTP API takes them.

    Returns:
        `kpi`, `currency` (missing where the KPI covers all currencies), `group`, `label`, `unit`,
        `direction`, `value`, what it was on the day compared with and the change since (`previous`,
        `change`, `change_share`), `trend` and `target`. By month: `kpi`, `currency`, `unit`, `month` and
        `value`.

    Raises:
        QueryError: If a filter or its value is unknown; names those that are allowed.
        ValueError: If `source`, `as_of` or `on_missing` cannot be what it is.
        Unavailable: If there are no figures.
    """
    result = read(source, "kpis", filters, as_of, on_missing)
    kinds = _KPI_MONTH_KINDS if by_month else _KPI_KINDS
    rows: list[dict[str, Any]] = []
    for kpi in result.catalogue["kpis"]:
        described = {"kpi": kpi["name"], "label": kpi["label_en"], **kpi}
        for values in result.data["kpis"].get(kpi["name"], ()):
            row = {**described, "currency": "", **values}
            rows += _months_of(row, result.data["months"]) if by_month else [row]
    return result.frame([{column: row[column] for column in kinds} for row in rows], kinds)


def chart(
    name: str,
    *,
    source: str | None = None,
    as_of: date | str | None = None,
    on_missing: OnMissing = "raise",
    **filters: FilterValue,
) -> pd.DataFrame:
    """The data of a chart; arguments and errors are those of `kpis`.

    An empty name stands for all beyond the first ten together. `kpi_trend` has the `unit` of each KPI.

    `name` is one of `kpi_pipeline.model.charts.CHARTS`.

    Raises:
        ValueError: If there is no such chart; names those that there are.
    """
    require(name, CHARTS, "chart")
    result = read(source, _CHART_PRODUCTS[name], filters, as_of, on_missing)
    (declared,) = (entry for entry in result.catalogue["charts"] if entry["name"] == name)
    kinds = {column["name"]: column["kind"] for column in declared["columns"]}
    values = result.data["charts"][name]["columns"]
    rows = [dict(zip(kinds, row, strict=True)) for row in zip(*(values[one] for one in kinds), strict=True)]
    if Kind.READING in kinds.values():
        units = {kpi["name"]: kpi["unit"] for kpi in result.catalogue["kpis"]}
        rows = [{**row, "unit": units[row["kpi"]]} for row in rows]
        kinds["unit"] = Kind.NAME
    return result.frame(rows, kinds)


def table(
    name: str,
    *,
    source: str | None = None,
    as_of: date | str | None = None,
    on_missing: OnMissing = "raise",
    **filters: FilterValue,
) -> pd.DataFrame:
    """The rows of a table; arguments and errors are those of `kpis`.

    `statement` and `forecast` have one row for each currency and month; `profitability` has a column
    `dimension`, for it ranks projects, clients and project managers.

    `name` is one of the tables of `kpi_pipeline.model.pages.COMPOSED`.

    Raises:
        ValueError: If there is no such table; names those that there are.
    """
    require(name, _TABLE_PRODUCTS, "table")
    result = read(source, _TABLE_PRODUCTS[name], filters, as_of, on_missing)
    published = result.data["tables"][name] if name in result.data.get("tables", ()) else result.data[name]
    declared = [entry for entry in result.catalogue["tables"] if entry["block"] == name]
    kinds = {column["name"]: column["kind"] for column in declared[0]["columns"]}
    if len(declared) > 1:
        kinds = {"dimension": Kind.NAME, **kinds}
    return result.frame(
        [{column: _plain(row[column]) for column in kinds} for row in _rows(published)], kinds
    )


def _rows(published: Any) -> Iterator[dict[str, Any]]:
    """The rows of a table as it is published: a list, lists by dimension, or lines over months."""
    if isinstance(published, list):
        yield from published
    elif "months" in published:
        for line in published["lines"]:
            for at, month in enumerate(published["months"]):
                monthly = {name: values[at] for name, values in line.items() if isinstance(values, list)}
                yield {"currency": line["currency"], "month": month, **monthly}
    else:
        for dimension, rows in published.items():
            yield from ({"dimension": dimension, **row} for row in rows)


def _months_of(row: dict[str, Any], months: list[str]) -> list[dict[str, Any]]:
    return [
        {**row, "month": month, "value": value} for month, value in zip(months, row["spark"], strict=True)
    ]


def _plain(value: Any) -> Any:
    """A value without the numerator and denominator that a quotient has beside it."""
    return value["value"] if isinstance(value, dict) else value

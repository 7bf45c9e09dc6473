"""The page of what dashboards show: filters, pages, tables and charts, generated from their declarations."""

from collections.abc import Iterable

from docs.generate.markdown import generated_from, table
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import DIMENSIONS
from kpi_pipeline.model.pages import COMPOSED
from kpi_pipeline.model.tables import TABLES


def page() -> str:
    """The page, in Markdown."""
    filters = [
        (
            f"`{dimension.name}`",
            ", ".join(f"`{alias}`" for alias in dimension.aliases),
            dimension.label.es,
            dimension.label.en,
            "a column of the source" if dimension.is_column else "derived",
        )
        for dimension in DIMENSIONS
    ]
    pages = [
        (
            f"`{page.name}`",
            page.label.es,
            page.label.en,
            page.product,
            str(len(page.kpis)),
            _names(page.charts),
            _names(page.tables),
        )
        for page in COMPOSED
    ]
    tables = [
        (
            f"`{declared.name}`",
            declared.held_in,
            declared.title.es,
            declared.title.en,
            _names(column.name for column in declared.columns),
        )
        for declared in TABLES.values()
    ]
    charts = [
        (f"`{chart.name}`", chart.title.es, chart.title.en, _names(column.name for column in chart.fields))
        for chart in CHARTS.values()
    ]
    sections = (
        ("Filters", ("Parameter", "Also", "Español", "English", "Value"), filters),
        ("Pages", ("Name", "Español", "English", "Product", "KPIs", "Charts", "Tables"), pages),
        ("Tables", ("Name", "Part of", "Español", "English", "Columns"), tables),
        ("Charts", ("Name", "Español", "English", "Columns"), charts),
    )
    head = f"# Filters, pages, tables and charts\n\n{generated_from('kpi_pipeline/model')}\n"
    return "\n".join([head, *(f"## {title}\n\n{table(heads, rows)}" for title, heads, rows in sections)])


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)

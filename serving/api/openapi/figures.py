"""The schemas of the figures of each product: KPIs, charts, tables and the blocks beside them."""

from collections.abc import Iterable, Mapping
from typing import Final

from kpi_pipeline.model.ageing import DUE_BUCKETS
from kpi_pipeline.model.charts import CHARTS, Chart
from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, PRODUCTS
from kpi_pipeline.model.forecast import ForecastReason, ForecastRule
from kpi_pipeline.model.kpis import KPIS, TREND_MONTHS, Kpi, Unit
from kpi_pipeline.model.kpis.descriptions import formula_text, meaning_of
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    CountBack,
    PaymentQuantile,
    Ratio,
    ShareOfAll,
    TopShare,
    Total,
    ValuesWhere,
)
from kpi_pipeline.model.labels import STAGES, Kind
from kpi_pipeline.model.pages import (
    EXPECTED,
    charts_of_product,
    kpis_of_product,
    leads_with_expected,
    tables_of_product,
)
from kpi_pipeline.model.tables import Table, tables_in
from kpi_pipeline.model.thresholds import Thresholds
from serving.api.openapi.json_schema import (
    BOOLEAN,
    CURRENCY,
    DAY,
    INTEGER,
    MONTH,
    NUMBER,
    OF_KIND,
    Schema,
    described,
    list_of,
    map_of,
    object_of,
    one_of,
    or_null,
    ref,
)

_QUOTIENTS: Final = (Ratio, TopShare, ShareOfAll, CountBack, AgainstTarget)
_WHOLE: Final = (Total, ValuesWhere)
_UNITS: Final = {
    Unit.MONEY: "minor units of the currency",
    Unit.COUNT: "a count",
    Unit.DAYS: "days",
    Unit.SHARE: "a share: 0.93 is 93%",
}
_TRENDS: Final = ("improving", "stable", "declining")
_KPIS: Final[Mapping[str, Kpi]] = {kpi.name: kpi for kpi in KPIS}
_DEFAULTS: Final = Thresholds()


def figure_schemas() -> dict[str, Schema]:
    """Every schema of figures by name: `data_<product>`, `kpi_<name>`, `chart_<name>`, `table_<name>`."""
    return {
        **{_data_name(product): _data(product) for product in PRODUCTS},
        **{f"kpi_{kpi.name}": _kpi(kpi) for kpi in KPIS},
        **{f"chart_{chart.name}": _chart(chart) for chart in CHARTS.values()},
        **{
            name: schema
            for product in PRODUCTS
            for block in tables_of_product(product)
            for name, schema in _tables(block).items()
        },
    }


def data_of(product: str) -> Schema:
    """The `data` of a product's answers."""
    return ref(_data_name(product))


def heads(*names: str) -> dict[str, Schema]:
    """Some of what every answer begins with."""
    return {name: _HEADS[name] for name in names}


def _data_name(product: str) -> str:
    return f"data_{product}"


def _data(product: str) -> Schema:
    drawn = charts_of_product(product)
    tables = {block: ref(f"table_{block}") for block in tables_of_product(product)}
    properties = {
        **heads("currencies", "months", "comparison", "cohort"),
        "options": described(
            object_of(dict.fromkeys(DIMENSION_NAMES, list_of(INTEGER)), optional=DIMENSION_NAMES),
            "Certificates of each value of every dimension that the filter leaves free, in the order of the "
            "catalogue.",
        ),
        "kpis": object_of({name: ref(f"kpi_{name}") for name in kpis_of_product(product)}),
    }
    if leads_with_expected(product):
        properties[EXPECTED] = NEXT_DAYS
    if drawn:
        properties["charts"] = object_of({name: ref(f"chart_{name}") for name in drawn})
    if product == "kpis":
        properties |= {"ageing": _AGEING, "stages": _STAGES}
    if product == "financials":
        properties |= tables
        if "statement" in tables:
            properties["totals"] = _totals()
    elif tables:
        properties["tables"] = object_of(tables)
    return object_of(properties)


def _kpi(kpi: Kpi) -> Schema:
    value = or_null(INTEGER if isinstance(kpi.formula, _WHOLE) else NUMBER)
    point = or_null(INTEGER if kpi.unit in (Unit.MONEY, Unit.COUNT) else NUMBER)
    properties = {"currency": CURRENCY} if kpi.per_currency else {}
    properties["value"] = described(value, f"In {_UNITS[kpi.unit]}; null where there is none.")
    if isinstance(kpi.formula, _QUOTIENTS):
        properties["numerator"] = described(or_null(INTEGER), "What was divided.")
        properties["denominator"] = described(or_null(INTEGER), "By what.")
    if isinstance(kpi.formula, Ratio) and kpi.formula.times_days:
        properties["window_days"] = described(INTEGER, "Days that the quotient was multiplied by.")
    if isinstance(kpi.formula, PaymentQuantile):
        properties["payments"] = described(
            INTEGER, "Payments that it is estimated from, beside what is not paid yet."
        )
    properties |= {
        "previous": described(value, "As it stood on the day compared with."),
        "change": value,
        "change_share": described(or_null(NUMBER), "The change as part of the previous value."),
        "trend": described(
            or_null(one_of(_TRENDS)), "Whether the change is good; null where neither way is."
        ),
        "spark": described(
            list_of(point, minItems=TREND_MONTHS, maxItems=TREND_MONTHS),
            "As it stood at the end of each month; the last is that of the day.",
        ),
    }
    meaning = meaning_of(kpi, _DEFAULTS).en
    items = "One value a currency." if kpi.per_currency else "One value, of all certificates."
    return list_of(
        object_of(properties),
        title=kpi.label.en,
        description=f"{meaning} {items} Formula: `{formula_text(kpi)}`. Good: {kpi.direction.value}.",
        **({} if kpi.per_currency else {"minItems": 1, "maxItems": 1}),
    )


def _chart(chart: Chart) -> Schema:
    sentence = object_of(
        {
            "currency": CURRENCY,
            "sentence": one_of(chart.sentences),
            "values": map_of({"type": ["string", "number"]}),
        },
        optional=("currency",),
    )
    columns = {column.name: list_of(_column(column)) for column in chart.fields}
    return object_of(
        {
            "columns": described(object_of(columns), "Its data by column, all of the same length."),
            "empty": described(BOOLEAN, "Whether there is nothing to draw."),
            "says": described(
                list_of(sentence), "What it shows in words: sentences of the catalogue and their values."
            ),
        },
        title=chart.title.en,
        description=chart.description.en,
    )


def _column(column: Column) -> Schema:
    schema = OF_KIND[column.kind]
    return {"title": column.label.en, **schema}


def _tables(block: str) -> dict[str, Schema]:
    """What payloads hold under one name, and each table of it where there are several."""
    held = {table.name: _table(table) for table in tables_in(block)}
    if list(held) == [block]:
        return {f"table_{block}": held[block]}
    parts = {f"table_{block}_{name}": schema for name, schema in held.items()}
    return {f"table_{block}": object_of({name: ref(f"table_{block}_{name}") for name in held}), **parts}


def _table(table: Table) -> Schema:
    about = {"title": table.title.en, "description": table.note.en}
    match table.layout:
        case "rows":
            row = {column.name: _column(column) for column in table.columns}
            if table.name == "working_capital":
                row["daily_billing"] = _QUOTIENT
            return {**list_of(object_of(row)), **about}
        case "statement":
            line = {"currency": CURRENCY, **_by_month(table)}
            return {**_lines(line), **about}
        case "forecast":
            line = {"currency": CURRENCY, **_by_month(table, items=FORECAST_MONTHS), **_BEYOND}
            return {**_lines({**line, "basis": _BASIS}), **about}


def _lines(line: Mapping[str, Schema]) -> Schema:
    return object_of({"months": list_of(MONTH, minItems=1), "lines": list_of(object_of(line))})


def _by_month(table: Table, items: int | None = None) -> dict[str, Schema]:
    size = {} if items is None else {"minItems": items, "maxItems": items}
    return {column.name: list_of(_column(column), **size) for column in _values(table)}


def _totals() -> Schema:
    (statement,) = tables_in("statement")
    total = {"currency": CURRENCY, **{column.name: _column(column) for column in _values(statement)}}
    return described(list_of(object_of(total)), "The totals of the statement.")


def _values(table: Table) -> Iterable[Column]:
    return (column for column in table.columns if column.kind not in (Kind.MONTH, Kind.CURRENCY))


def _buckets(labels: Iterable[str]) -> Schema:
    bucket = {
        "bucket": one_of(labels),
        "amount": described(INTEGER, "In minor units."),
        "count": INTEGER,
        "share": or_null(NUMBER),
    }
    return list_of(object_of(bucket))


_HEADS: Final[Mapping[str, Schema]] = {
    "currencies": described(list_of(CURRENCY), "Currencies of the money under this filter."),
    "months": described(list_of(MONTH, minItems=1), "Months of the trends, the oldest first."),
    "comparison": described(
        or_null(object_of({"day": DAY, "previous_day": DAY})),
        "The days that KPIs compare; null under a filter by month.",
    ),
    "cohort": described(
        or_null(object_of({"certificates": INTEGER, "open": INTEGER})),
        "Under a filter by month, how many certificates it has and how many are still open; else null.",
    ),
}
_QUOTIENT: Final = described(
    object_of({"value": or_null(NUMBER), "numerator": INTEGER, "denominator": INTEGER}),
    "In minor units a day.",
)
_AGEING: Final = described(
    list_of(
        object_of(
            {"currency": CURRENCY, "by_issue": _buckets(DUE_BUCKETS[1:-1]), "by_due": _buckets(DUE_BUCKETS)}
        )
    ),
    "Receivables by days since issue and by days past their due date.",
)
_STAGES: Final = described(
    object_of(
        {
            "stages": list_of(
                object_of({"stage": one_of(STAGES), "days": or_null(NUMBER), "count": INTEGER})
            ),
            "bottleneck": or_null(one_of(STAGES)),
        }
    ),
    "The mean days of each stage, and the slowest.",
)
_BEYOND: Final = {
    "later": described(or_null(INTEGER), "Expected after these months."),
    "unknown": described(or_null(INTEGER), "Without history to estimate it from."),
    "receivable": INTEGER,
}
NEXT_DAYS: Final = described(
    list_of(
        object_of(
            {
                "currency": CURRENCY,
                "days": described(INTEGER, "How many days after the business date."),
                "until": described(DAY, "The last of them."),
                "amount": described(INTEGER, "In minor units."),
                "low_90": INTEGER,
                "high_90": INTEGER,
                "coverage_90": described(
                    or_null(NUMBER),
                    "Share of past forecasts whose 90% interval held: of everything, under a filter of "
                    "single clients.",
                ),
            }
        )
    ),
    "What is expected in the next days, of what is issued; none of a currency without a forecast.",
)
_TEST: Final = object_of(
    {
        "months": described(INTEGER, "Past forecasts that were compared with collections."),
        "error_share": or_null(NUMBER),
        "naive_error_share": or_null(NUMBER),
        **dict.fromkeys(("coverage_50", "coverage_90"), or_null(NUMBER)),
        **dict.fromkeys(("client_coverage_50", "client_coverage_90"), or_null(NUMBER)),
    }
)
_BASIS: Final = described(
    object_of(
        {
            "rule": one_of(rule.value for rule in ForecastRule),
            "reason": one_of(reason.value for reason in ForecastReason),
            "test": or_null(_TEST),
        }
    ),
    "On what the forecast rests, for all certificates in the currency.",
)

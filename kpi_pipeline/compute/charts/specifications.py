"""The Vega-Lite specification of each chart: named data, no colour, words of one language."""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import altair as alt
import orjson

from kpi_pipeline.compute.charts.specification_builder import (
    HEIGHT,
    NO_BREAK,
    ROW,
    WIDTH,
    Drawing,
    Drawn,
    money,
    number,
    of_series,
    percent,
    quoted,
    tick_money,
    worded,
)
from kpi_pipeline.model.charts.declarations import CHARTS
from kpi_pipeline.model.charts.words import KPIS_DRAWN, WORDS
from kpi_pipeline.model.labels import Kind, Language


@cache
def specification(name: str, language: Language) -> Mapping[str, Any]:
    """The Vega-Lite specification of a chart, its data left to be given under the chart's name.

    Args:
        name: One of `CHARTS`.
        language: The language of its words. Numbers follow the locale that the drawing is given.

    Raises:
        KeyError: If there is no such chart.
    """
    chart = CHARTS[name]
    drawn = _DRAWN[name](Drawing(chart, language)).properties(description=chart.description.into(language))
    spec: Mapping[str, Any] = drawn.to_dict()
    return spec


def specification_digest(name: str, language: Language) -> str:
    """The content hash by which a chart's specification is addressed: 32 hexadecimal characters."""
    text = orjson.dumps(specification(name, language), option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _monthly_trend(draw: Drawing) -> Drawn:
    series = ("proposed", "approved", "paid")
    columns = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=draw.months(),
            xOffset=alt.XOffset("series:N", sort=list(series)),
            y=money(alt.Y, "amount"),
            color=draw.colour(*series, "dso"),
            tooltip=draw.series_tooltip("month"),
        )
    )
    axis = alt.Axis(orient="right", grid=False, tickCount=5)
    line = (
        alt.Chart()
        .transform_filter(f"datum.series === '{series[0]}'")  # one row a month, as before folding
        .mark_line(point=True)
        .encode(
            x=draw.months(),
            y=alt.Y("dso:Q", title=draw.word("DSO (días)", "DSO (days)"), axis=axis),
            color=of_series("dso"),
            tooltip=draw.tooltip("month", "dso", "currency"),
        )
    )
    layers = draw.prepared(alt.layer(columns, line).resolve_scale(y="independent"), folded=series)
    return draw.by_currency(layers.properties(width=WIDTH, height=HEIGHT), "y")


def _ageing(draw: Drawing) -> Drawn:
    words = worded("datum.value", WORDS[Kind.BUCKET], draw.language)
    base = alt.Chart().encode(
        # `sort=None` keeps the order of the data: buckets by age, states by stage, names by amount.
        x=alt.X("bucket:N", sort=None, title=None, axis=alt.Axis(labelExpr=words, labelAngle=0)),
        tooltip=draw.tooltip("bucket", "amount", "count", "share", "currency"),
    )
    columns = base.mark_bar().encode(
        y=money(alt.Y, "amount"), color=alt.Color("bucket:O", sort=None, legend=None)
    )
    shares = base.mark_text(baseline="bottom", dy=-4).encode(y=money(alt.Y, "top"), text="share_text:N")
    layers = draw.prepared(alt.layer(columns, shares), calculated={"top": "max(datum.amount, 0)"})
    return draw.by_currency(layers.properties(width=WIDTH, height=HEIGHT), "y")


def _states(draw: Drawing) -> Drawn:
    base = alt.Chart().encode(
        y=draw.names("state"), tooltip=draw.tooltip("state", "amount", "count", "currency")
    )
    bars = base.mark_bar().encode(x=money(alt.X, "amount"))
    counts = f"format(datum.count, ',d') + {quoted(draw.word(' certificados', ' certificates'))}"
    layers = draw.prepared(alt.layer(bars, _beside(base)), calculated={"beside": counts})
    return draw.by_currency(layers.properties(width=WIDTH, height=alt.Step(ROW)), "x", "y")


def _beside(base: alt.Chart) -> Drawn:
    """The field `beside`, at the right of each row."""
    return base.mark_text(align="left", baseline="middle", dx=10).encode(
        x=alt.value("width"), text="beside:N"
    )


def _bars_by_name(draw: Drawing, name: str, series: tuple[str, ...], beside: str, told: str) -> Drawn:
    """Bars of several series for each name, and at its right a figure of which `told` is the column."""
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            y=draw.names(name),
            yOffset=alt.YOffset("series:N", sort=list(series)),
            x=money(alt.X, "amount"),
            color=draw.colour(*series),
            tooltip=draw.series_tooltip(name),
        )
    )
    base = alt.Chart().encode(y=draw.names(name), tooltip=draw.tooltip(name, told, "currency"))
    # Written once for all the series of a name, and not at all where there is no figure.
    once = f"datum.series === '{series[0]}' && isValid(datum.{told}) ? {beside} : ''"
    layers = draw.prepared(alt.layer(bars, _beside(base)), calculated={"beside": once}, folded=series)
    step = alt.Step(ROW, **{"for": "position"})
    return draw.by_currency(layers.properties(width=WIDTH, height=step), "x", "y", "yOffset")


def _client_performance(draw: Drawing) -> Drawn:
    days = quoted(draw.word(" días al pago", " days to pay"))
    written = f"format(datum.payment_days, ',.0f') + {days}"
    return _bars_by_name(draw, "client", ("approved", "receivable", "overdue"), written, "payment_days")


def _manager_performance(draw: Drawing) -> Drawn:
    written = f"datum.approval_rate_text + {quoted(draw.word(' aprobado', ' approved'))}"
    series = ("approved", "receivable", "overdue")
    return _bars_by_name(draw, "project_manager", series, written, "approval_rate")


def _margin_by_project(draw: Drawing) -> Drawn:
    written = f"{quoted(draw.word('margen ', 'margin '))} + datum.margin_share_text"
    return _bars_by_name(draw, "project", ("revenue", "cost", "margin"), written, "margin_share")


def _concentration(draw: Drawing) -> Drawn:
    base = alt.Chart().encode(
        y=draw.names("client"),
        tooltip=draw.tooltip("client", "receivable", "cumulative_share", "currency"),
    )
    bars = base.mark_bar().encode(
        x=money(alt.X, "receivable"), color=draw.colour("receivable", "cumulative_share")
    )
    tenths = f"format(datum.value * 100, ',.0f') + '{NO_BREAK}%'"
    axis = alt.Axis(orient="top", grid=False, labelExpr=tenths, tickCount=5)
    line = base.mark_line(point=True).encode(
        x=alt.X("cumulative_share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis),
        order=alt.Order("cumulative_share:Q"),
        color=of_series("cumulative_share"),
    )
    layers = draw.prepared(
        alt.layer(bars, line).resolve_scale(x="independent"), calculated={"series": quoted("receivable")}
    )
    return draw.by_currency(layers.properties(width=WIDTH, height=alt.Step(26)), "x", "y")


def _cash_flow(draw: Drawing) -> Drawn:
    told = ("month", "kind", "amount", "low_50", "high_50", "low_90", "high_90", "currency")
    base = alt.Chart().encode(
        x=draw.months(),
        color=draw.colour("collected", "expected", field="kind"),
        tooltip=draw.tooltip(*told),
    )
    cases = {
        "90": draw.word("9 de cada 10 casos", "9 cases of 10"),
        "50": draw.word("5 de cada 10 casos", "5 cases of 10"),
    }
    label = "".join(f"datum.label === '{band}' ? {quoted(said)} : " for band, said in cases.items())
    opacity = alt.Opacity(
        "band:O",
        title=None,
        scale=alt.Scale(domain=list(cases), range=[0.2, 0.4]),
        legend=alt.Legend(labelExpr=f"{label}''", symbolType="square"),
    )
    bands = [
        base.transform_calculate(band=quoted(band))
        .mark_area(interpolate="monotone")
        .encode(y=money(alt.Y, f"low_{band}"), y2=f"high_{band}", opacity=opacity)
        for band in cases
    ]
    columns = base.mark_bar().encode(y=money(alt.Y, "collected"))
    line = base.mark_line(point=True).encode(y=money(alt.Y, "expected"))
    flows = {flow: f"datum.kind === '{flow}' ? datum.amount : null" for flow in ("collected", "expected")}
    layers = draw.prepared(alt.layer(columns, *bands, line), calculated=flows)
    return draw.by_currency(layers.properties(width=WIDTH, height=HEIGHT), "y")


def _opex_capex(draw: Drawing) -> Drawn:
    series = ("opex", "capex")
    columns = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=draw.months(),
            y=money(alt.Y, "amount", stacked=True),
            color=draw.colour(*series),
            order=alt.Order("series:N", sort="descending"),  # operating expense below
            tooltip=draw.series_tooltip("month"),
        )
    )
    drawn = draw.prepared(columns, folded=series)
    return draw.by_currency(drawn.properties(width=WIDTH, height=HEIGHT), "y")


def _stages(draw: Drawing) -> Drawn:
    base = alt.Chart().encode(
        y=draw.names("stage"), tooltip=draw.tooltip("stage", "start", "end", "days", "count")
    )
    bars = base.mark_bar().encode(
        x=alt.X("start:Q", title=draw.word("Días desde la emisión", "Days since issue")), x2="end"
    )
    lengths = base.mark_text(align="left", baseline="middle", dx=6).encode(x="end:Q", text="length:N")
    length = f"format(datum.days, ',.1f') + {quoted(draw.word(' días', ' days'))}"
    layers = draw.prepared(alt.layer(bars, lengths, data=draw.data), calculated={"length": length})
    return layers.properties(width=WIDTH, height=alt.Step(44))


def _payment_heatmap(draw: Drawing) -> Drawn:
    legend = alt.Legend(labelExpr=tick_money("datum.value"), gradientLength=200, tickCount=3)
    cells = (
        alt.Chart()
        .mark_rect()
        .encode(
            x=draw.months(),
            y=draw.names("client"),
            color=alt.Color("amount:Q", title=None, scale=alt.Scale(zero=True), legend=legend),
            tooltip=draw.tooltip("client", "month", "amount", "currency"),
        )
    )
    drawn = draw.prepared(cells).properties(width=WIDTH, height=alt.Step(26))
    return draw.by_currency(drawn, "y", "color")


def _kpi_trend(draw: Drawing) -> Drawn:
    shares = " || ".join(f"datum.kpi === '{kpi}'" for kpi, kind in KPIS_DRAWN.items() if kind is Kind.SHARE)
    order = "".join(f"datum.kpi === '{kpi}' ? '{place}' : " for place, kpi in enumerate(KPIS_DRAWN))
    fields = {
        "reading": f"isValid(datum.value) && ({shares}) ? datum.value * 100 : datum.value",
        "value_text": f"({shares}) ? {percent('datum.value')} : {number('datum.value')}",
        # Panels are in the order of this text: the KPI's place, then the currency.
        "panel": f"({order}'') + datum.currency",
    }
    units = [" (%)" if kind is Kind.SHARE else "" for kind in KPIS_DRAWN.values()]
    words = [WORDS[Kind.KPI][kpi].into(draw.language) for kpi in KPIS_DRAWN]
    titles = orjson.dumps([word + unit for word, unit in zip(words, units, strict=True)]).decode()
    said = f"{titles}[toNumber(slice(datum.value, 0, 1))]"
    currency = "slice(datum.value, 1)"
    header = alt.Header(
        labelExpr=f"{said} + ({currency} ? ' · ' + {currency} : '')", labelAnchor="start", labelOrient="top"
    )
    line = (
        alt.Chart()
        .mark_line(point=True)
        .encode(
            x=draw.months(),
            y=alt.Y("reading:Q", title=None, axis=alt.Axis(tickCount=4)),
            tooltip=draw.tooltip("kpi", "month", "value", "currency"),
        )
    )
    # The panel of a row is a field of the row: fields are calculated before the panels are formed.
    panels = line.properties(width=(WIDTH - 60) // 2, height=110).facet(
        facet=alt.Facet("panel:N", title=None, header=header),
        columns=2,
        data=draw.data,
        spacing={"row": 72, "column": 60},
        bounds="flush",
    )
    return (
        draw.prepared(panels, calculated=fields).resolve_scale(y="independent").resolve_axis(x="independent")
    )


_DRAWN: Final[dict[str, Callable[[Drawing], Drawn]]] = {
    "monthly_trend": _monthly_trend,
    "ageing": _ageing,
    "states": _states,
    "client_performance": _client_performance,
    "manager_performance": _manager_performance,
    "concentration": _concentration,
    "cash_flow": _cash_flow,
    "opex_capex": _opex_capex,
    "margin_by_project": _margin_by_project,
    "stages": _stages,
    "payment_heatmap": _payment_heatmap,
    "kpi_trend": _kpi_trend,
}

"""The Vega-Lite specification of each chart: named data, no colour, words of one language."""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import altair as alt
import orjson

from kpi_pipeline.compute.charts.specification_builder import (
    HEIGHT,
    ROW,
    WIDTH,
    Drawn,
    SpecificationBuilder,
    money,
    number,
    of_series,
    percent,
    quoted,
    tick_money,
    worded,
)
from kpi_pipeline.model.charts.declarations import CHARTS
from kpi_pipeline.model.labels import KPIS_DRAWN, LABELS, Kind, Language

_OPACITIES: Final = [0.2, 0.4]  # of bands, the wider first


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
    drawn = _BUILDERS[name](SpecificationBuilder(chart, language)).properties(
        description=chart.description.into(language)
    )
    spec: Mapping[str, Any] = drawn.to_dict()
    return spec


def specification_digest(name: str, language: Language) -> str:
    """The content hash by which a chart's specification is addressed: 32 hexadecimal characters."""
    text = orjson.dumps(specification(name, language), option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _monthly_trend(draw: SpecificationBuilder) -> Drawn:
    series = draw.series
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


def _ageing(draw: SpecificationBuilder) -> Drawn:
    words = worded("datum.value", LABELS[Kind.BUCKET], draw.language)
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


def _states(draw: SpecificationBuilder) -> Drawn:
    base = alt.Chart().encode(
        y=draw.names("state"), tooltip=draw.tooltip("state", "amount", "count", "currency")
    )
    bars = base.mark_bar().encode(x=money(alt.X, "amount"))
    counts = f"format(datum.count, ',d') + {quoted(draw.word(' certificados', ' certificates'))}"
    layers = draw.prepared(alt.layer(bars, _remarks(base)), calculated={"remark": counts})
    return draw.by_currency(layers.properties(width=WIDTH, height=alt.Step(ROW)), "x", "y")


def _remarks(base: alt.Chart) -> Drawn:
    """The field `remark`, at the right of each row."""
    return base.mark_text(align="left", baseline="middle", dx=10).encode(
        x=alt.value("width"), text="remark:N"
    )


def _bars_by_name(draw: SpecificationBuilder, name: str, remark: str, column: str) -> Drawn:
    """Bars of several series for each name, and at its right a remark on the value of a column."""
    series = draw.series
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
    base = alt.Chart().encode(y=draw.names(name), tooltip=draw.tooltip(name, column, "currency"))
    # Written once for all the series of a name, and not at all where there is no figure.
    once = f"datum.series === '{series[0]}' && isValid(datum.{column}) ? {remark} : ''"
    layers = draw.prepared(alt.layer(bars, _remarks(base)), calculated={"remark": once}, folded=series)
    step = alt.Step(ROW, **{"for": "position"})
    return draw.by_currency(layers.properties(width=WIDTH, height=step), "x", "y", "yOffset")


def _client_performance(draw: SpecificationBuilder) -> Drawn:
    days = quoted(draw.word(" días al pago", " days to pay"))
    written = f"format(datum.payment_days, ',.0f') + {days}"
    return _bars_by_name(draw, "client", written, "payment_days")


def _manager_performance(draw: SpecificationBuilder) -> Drawn:
    written = f"datum.approval_rate_text + {quoted(draw.word(' aprobado', ' approved'))}"
    return _bars_by_name(draw, "project_manager", written, "approval_rate")


def _margin_by_project(draw: SpecificationBuilder) -> Drawn:
    written = f"{quoted(draw.word('margen ', 'margin '))} + datum.margin_share_text"
    return _bars_by_name(draw, "project", written, "margin_share")


def _concentration(draw: SpecificationBuilder) -> Drawn:
    base = alt.Chart().encode(
        y=draw.names("client"),
        tooltip=draw.tooltip("client", "receivable", "cumulative_share", "currency"),
    )
    bars = base.mark_bar().encode(
        x=money(alt.X, "receivable"), color=draw.colour("receivable", "cumulative_share")
    )
    tenths = "format(datum.value * 100, ',.0f') + '%'"
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


def _cash_flow(draw: SpecificationBuilder) -> Drawn:
    ends = [end for band in draw.bands for end in (band.low, band.high)]
    base = alt.Chart().encode(
        x=draw.months(),
        color=draw.colour(*draw.series, field="kind"),
        tooltip=draw.tooltip("month", "kind", "amount", *ends, "currency"),
    )
    names = [band.low for band in draw.bands]
    labels = {band.low: band.label for band in draw.bands}
    opacity = alt.Opacity(
        "band:O",
        title=None,
        scale=alt.Scale(domain=names, range=_OPACITIES),
        legend=alt.Legend(labelExpr=worded("datum.label", labels, draw.language), symbolType="square"),
    )
    bands = [
        base.transform_calculate(band=quoted(band.low))
        .mark_area(interpolate="monotone")
        .encode(y=money(alt.Y, band.low), y2=band.high, opacity=opacity)
        for band in draw.bands
    ]
    columns = base.mark_bar().encode(y=money(alt.Y, "collected"))
    line = base.mark_line(point=True).encode(y=money(alt.Y, "expected"))
    flows = {flow: f"datum.kind === '{flow}' ? datum.amount : null" for flow in draw.series}
    layers = draw.prepared(alt.layer(columns, *bands, line), calculated=flows)
    return draw.by_currency(layers.properties(width=WIDTH, height=HEIGHT), "y")


def _opex_capex(draw: SpecificationBuilder) -> Drawn:
    series = draw.series
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


def _stages(draw: SpecificationBuilder) -> Drawn:
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


def _payment_heatmap(draw: SpecificationBuilder) -> Drawn:
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


def _kpi_trend(draw: SpecificationBuilder) -> Drawn:
    shares = " || ".join(f"datum.kpi === '{kpi}'" for kpi, kind in KPIS_DRAWN.items() if kind is Kind.SHARE)
    order = "".join(f"datum.kpi === '{kpi}' ? '{place}' : " for place, kpi in enumerate(KPIS_DRAWN))
    fields = {
        "reading": f"isValid(datum.value) && ({shares}) ? datum.value * 100 : datum.value",
        "value_text": f"({shares}) ? {percent('datum.value')} : {number('datum.value')}",
        # Panels are in the order of this text: the KPI's place, then the currency.
        "panel": f"({order}'') + datum.currency",
    }
    units = [" (%)" if kind is Kind.SHARE else "" for kind in KPIS_DRAWN.values()]
    words = [LABELS[Kind.KPI][kpi].into(draw.language) for kpi in KPIS_DRAWN]
    titles = orjson.dumps([word + unit for word, unit in zip(words, units, strict=True)]).decode()
    title = f"{titles}[toNumber(slice(datum.value, 0, 1))]"
    currency = "slice(datum.value, 1)"
    header = alt.Header(
        labelExpr=f"{title} + ({currency} ? ' · ' + {currency} : '')", labelAnchor="start", labelOrient="top"
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


_BUILDERS: Final[dict[str, Callable[[SpecificationBuilder], Drawn]]] = {
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

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
    independent,
    money,
    number,
    of_series,
    percent,
    quoted,
    tick_money,
    worded,
)
from kpi_pipeline.model.charts.declarations import CHARTS
from kpi_pipeline.model.drawings import Shape
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
    drawn = _BUILDERS[chart.drawing.shape](SpecificationBuilder(chart, language))
    # What a chart says does not depend on data: the tests validate it, not every process.
    spec: Mapping[str, Any] = drawn.to_dict(validate=False)
    return spec


def specification_digest(name: str, language: Language) -> str:
    """The content hash by which a chart's specification is addressed: 32 hexadecimal characters."""
    text = orjson.dumps(specification(name, language), option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _columns(draw: SpecificationBuilder) -> Drawn:
    """Columns of several series by month, and a line on an axis of its own."""
    category, series, name = draw.drawing.category, draw.drawing.series, draw.drawing.line
    columns = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=draw.months(),
            xOffset=alt.XOffset("series:N", sort=list(series)),
            y=money(alt.Y, "amount"),
            color=draw.colour(*series, *([name] if name else ())),
            tooltip=draw.series_tooltip(category),
        )
    )
    layers = [columns]
    if name:
        axis = alt.Axis(orient="right", grid=False, tickCount=5)
        line = (
            alt.Chart()
            .transform_filter(f"datum.series === '{series[0]}'")  # once a month, as before folding
            .mark_line(point=True)
            .encode(
                x=draw.months(),
                y=alt.Y(f"{name}:Q", title=draw.label(name), axis=axis),
                color=of_series(name),
                tooltip=draw.tooltip(category, name, "currency"),
            )
        )
        layers.append(line)
    own = independent("y")
    drawn = alt.layer(*layers, transform=draw.fields(folded=series), resolve=own, width=WIDTH, height=HEIGHT)
    return draw.by_currency(drawn, "y")


def _stacked(draw: SpecificationBuilder) -> Drawn:
    """Columns on one another by month; with bands, the last series is their middle line."""
    if draw.drawing.bands:
        return _with_bands(draw)
    series = draw.drawing.series
    columns = (
        alt.Chart(transform=draw.fields(folded=series), width=WIDTH, height=HEIGHT)
        .mark_bar()
        .encode(
            x=draw.months(),
            y=money(alt.Y, "amount", stacked=True),
            color=draw.colour(*series),
            order=alt.Order("series:N", sort="descending"),  # the first series below
            tooltip=draw.series_tooltip(draw.drawing.category),
        )
    )
    return draw.by_currency(columns, "y")


def _with_bands(draw: SpecificationBuilder) -> Drawn:
    drawing = draw.drawing
    past, ahead = drawing.series
    ends = [end for band in drawing.bands for end in (band.low, band.high)]
    base = alt.Chart().encode(
        x=draw.months(),
        color=draw.colour(past, ahead, field=drawing.split),
        tooltip=draw.tooltip(drawing.category, drawing.split, drawing.value, *ends, "currency"),
    )
    labels = {band.low: band.label for band in drawing.bands}
    opacity = alt.Opacity(
        "band:O",
        title=None,
        scale=alt.Scale(domain=list(labels), range=_OPACITIES),
        legend=alt.Legend(labelExpr=worded("datum.label", labels, draw.language), symbolType="square"),
    )
    bands = [
        base.transform_calculate(band=quoted(band.low))
        .mark_area(interpolate="monotone")
        .encode(y=money(alt.Y, band.low), y2=band.high, opacity=opacity)
        for band in drawing.bands
    ]
    columns = base.mark_bar().encode(y=money(alt.Y, past))
    line = base.mark_line(point=True).encode(y=money(alt.Y, ahead))
    flows = {
        flow: f"datum.{drawing.split} === '{flow}' ? datum.{drawing.value} : null" for flow in (past, ahead)
    }
    fields = draw.fields(calculated=flows)
    drawn = alt.layer(columns, *bands, line, transform=fields, width=WIDTH, height=HEIGHT)
    return draw.by_currency(drawn, "y")


def _bars(draw: SpecificationBuilder) -> Drawn:
    """Bars by name, and details at the right of each row."""
    drawing = draw.drawing
    category, series, several = drawing.category, drawing.series, len(drawing.series) > 1
    bars = alt.Chart().mark_bar().encode(y=draw.names())
    if several:
        bars = bars.encode(
            yOffset=alt.YOffset("series:N", sort=list(series)),
            x=money(alt.X, "amount"),
            color=draw.colour(*series),
            tooltip=draw.series_tooltip(category),
        )
    else:
        bars = bars.encode(
            x=money(alt.X, series[0]), tooltip=draw.tooltip(category, *series, *drawing.details, "currency")
        )
    if drawing.ages:
        bars = bars.encode(color=alt.Color(f"{category}:O", sort=None, legend=None))
    remarks = (
        alt.Chart()
        .mark_text(align="left", baseline="middle", dx=10)
        .encode(
            y=draw.names(),
            x=alt.value("width"),
            text="remark:N",
            tooltip=draw.tooltip(category, *drawing.details, "currency"),
        )
    )
    details = " + ' · ' + ".join(
        f"{quoted(draw.label(name) + ': ')} + datum.{name}_text" for name in drawing.details
    )
    known = [f"isValid(datum.{name})" for name in drawing.details]
    # Written once for all the series of a name, and not at all where there is no figure.
    once = " && ".join([f"datum.series === '{series[0]}'", *known] if several else known)
    fields = draw.fields(
        calculated={"remark": f"{once} ? {details} : ''"} if details else {"remark": "''"},
        folded=series if several else (),
    )
    step = alt.Step(ROW, **{"for": "position"}) if several else alt.Step(ROW)
    offset = ("yOffset",) if several else ()
    drawn = alt.layer(bars, remarks, transform=fields, width=WIDTH, height=step)
    return draw.by_currency(drawn, "x", "y", *offset)


def _pareto(draw: SpecificationBuilder) -> Drawn:
    """Bars by name from the largest down, and the cumulative share as a line."""
    (series,), share = draw.drawing.series, draw.drawing.line
    base = alt.Chart().encode(
        y=draw.names(), tooltip=draw.tooltip(draw.drawing.category, series, share, "currency")
    )
    bars = base.mark_bar().encode(x=money(alt.X, series), color=draw.colour(series, share))
    tenths = "format(datum.value * 100, ',.0f') + '%'"
    axis = alt.Axis(orient="top", grid=False, labelExpr=tenths, tickCount=5)
    line = base.mark_line(point=True).encode(
        x=alt.X(f"{share}:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis),
        order=alt.Order(f"{share}:Q"),
        color=of_series(share),
    )
    fields, own = draw.fields(calculated={"series": quoted(series)}), independent("x")
    drawn = alt.layer(bars, line, transform=fields, resolve=own, width=WIDTH, height=alt.Step(26))
    return draw.by_currency(drawn, "x", "y")


def _waterfall(draw: SpecificationBuilder) -> Drawn:
    """Bars of days each of which begins where the one before it ends."""
    (days,), (start, end) = draw.drawing.series, draw.drawing.span
    base = alt.Chart().encode(
        y=draw.names(),
        tooltip=draw.tooltip(draw.drawing.category, start, end, days, *draw.drawing.details),
    )
    bars = base.mark_bar().encode(x=alt.X(f"{start}:Q", title=draw.label(end)), x2=end)
    lengths = base.mark_text(align="left", baseline="middle", dx=6).encode(x=f"{end}:Q", text="length:N")
    length = f"format(datum.{days}, ',.1f') + {quoted(draw.word(' días', ' days'))}"
    fields, height = draw.fields(calculated={"length": length}), alt.Step(44)
    return alt.layer(
        bars, lengths, data=draw.data, transform=fields, width=WIDTH, height=height, **draw.described
    )


def _heat(draw: SpecificationBuilder) -> Drawn:
    """Cells by name and month."""
    drawing = draw.drawing
    legend = alt.Legend(labelExpr=tick_money("datum.value"), gradientLength=200, tickCount=3)
    colour = alt.Color(f"{drawing.value}:Q", title=None, scale=alt.Scale(zero=True), legend=legend)
    cells = (
        alt.Chart(transform=draw.fields(), width=WIDTH, height=alt.Step(26))
        .mark_rect()
        .encode(
            x=draw.months(),
            y=draw.names(),
            color=colour,
            tooltip=draw.tooltip(drawing.category, drawing.across, drawing.value, "currency"),
        )
    )
    return draw.by_currency(cells, "y", "color")


def _lines(draw: SpecificationBuilder) -> Drawn:
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
        alt.Chart(width=(WIDTH - 60) // 2, height=110)
        .mark_line(point=True)
        .encode(
            x=draw.months(),
            y=alt.Y("reading:Q", title=None, axis=alt.Axis(tickCount=4)),
            tooltip=draw.tooltip("kpi", "month", "value", "currency"),
        )
    )
    # The panel of a row is a field of the row: fields are calculated before the panels are formed.
    return line.facet(
        facet=alt.Facet("panel:N", title=None, header=header),
        columns=2,
        data=draw.data,
        transform=draw.fields(calculated=fields),
        spacing={"row": 72, "column": 60},
        bounds="flush",
        resolve=alt.Resolve(
            scale=alt.ScaleResolveMap(y="independent"), axis=alt.AxisResolveMap(x="independent")
        ),
        **draw.described,
    )


_BUILDERS: Final[dict[Shape, Callable[[SpecificationBuilder], Drawn]]] = {
    Shape.COLUMNS: _columns,
    Shape.STACKED: _stacked,
    Shape.BARS: _bars,
    Shape.PARETO: _pareto,
    Shape.WATERFALL: _waterfall,
    Shape.HEAT: _heat,
    Shape.LINES: _lines,
}

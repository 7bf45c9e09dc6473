"""Drawings as HTML and SVG. A page has hundreds of shapes: here they take half of a template's time."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from markupsafe import Markup

from serving.pages.charts.geometry import FULL, Rect
from serving.pages.charts.shapes import (
    Axis,
    Bar,
    BarRow,
    Bars,
    Heat,
    Legend,
    Mark,
    Month,
    Plot,
    Trend,
    Trends,
)
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.templates import written


def chart_drawing(chart: ChartView, part: ChartPart, place: str) -> Markup:
    """The drawing of a chart in one currency.

    Args:
        chart: Its texts.
        part: What is drawn.
        place: Its name in the page, of which its marks are named.
    """
    name = chart.title + (f" ({part.currency})" if part.currency else "")
    drawing, texts = part.drawing, (written(name), written(chart.description))
    match drawing:
        case Plot():
            text = "".join(_plot(drawing, *texts, written(place)))
        case Bars():
            text = "".join(_bars(drawing, *texts, written(place)))
        case Trends():
            text = "".join(_trends(drawing, written(place)))
        case Heat():
            text = "".join(_heat(drawing, *texts, written(place)))
        case _:
            assert_never(drawing)
    # Every text in it is escaped.
    return Markup(text)  # noqa: S704


def _mark(mark: Mark, group: str, place: int | str, element: str, kind: str = "") -> str:
    """The opening tag of a mark: a link, or a picture that can be focused.

    Args:
        mark: What it says, and where it leads.
        group: The marks of which the Tab key stops at one.
        place: Its name among these: the number of its category, with its series where it is of one.
        element: Of a picture.
        kind: Its other classes.
    """
    tag, leads = ("a", f' href="{written(mark.url)}"') if mark.url else (element, ' role="img"')
    return (
        f'<{tag} class="chart-mark{kind}"{leads} aria-label="{written(mark.label)}" '
        f'data-focus="{group} {place}" tabindex="{-1 if place else 0}">\n'
    )


def _end(mark: Mark, element: str) -> str:
    return "</a>" if mark.url else f"</{element}>"


def _legend(entries: Sequence[Legend]) -> str:
    if not entries:
        return ""
    items = "".join(
        f'  <li><svg class="swatch series-{written(entry.series)}" viewBox="0 0 10 10">{_swatch(entry)}</svg>'
        f"{written(entry.label)}</li>\n"
        for entry in entries
    )
    return f'<ul class="legend" aria-hidden="true">\n{items}</ul>\n'


def _swatch(entry: Legend) -> str:
    if entry.shape == "whisker":
        return '<line class="whisker" x1="5" x2="5" y1="0" y2="10"/>'
    if entry.shape == "line":
        return '<path class="line" d="M0 5h10"/><circle class="point" cx="5" cy="5" r="2.5"/>'
    return f'<rect class="{entry.shape}" width="10" height="10" rx="2"/>'


def _axis(axis: Axis, height: int, across: str) -> str:
    ticks = "".join(
        f'  <text class="tick" {across} y="{tick.at}" dy="4">{written(tick.label)}</text>\n'
        for tick in axis.ticks
    )
    return f'<svg class="axis" width="{axis.width}" height="{height}" aria-hidden="true">\n{ticks}</svg>\n'


def _plot(drawing: Plot, name: str, description: str, place: str) -> Iterator[str]:
    """Lines and bands are stretched to the width of the plot; forms and texts are placed in percent."""
    axis, second, height, line = drawing.axis, drawing.second_axis, drawing.height, drawing.line
    first_axis = _axis(axis, height, f'x="{axis.width - 8}" text-anchor="end"')
    yield (
        f'{_legend(drawing.legend)}\n<div class="plot{" has-second-axis" if second else ""}">\n'
        f'  {first_axis}\n  <svg class="canvas" width="100%" height="{height}" role="group" '
        f'aria-labelledby="title-{place} text-{place}" data-marks>\n'
        f'    <title id="title-{place}">{name}</title>\n    <desc id="text-{place}">{description}</desc>\n'
    )
    for tick in axis.ticks:
        yield f'    <line class="grid" x1="0" x2="100%" y1="{tick.at}" y2="{tick.at}"/>\n'
    for at, month in enumerate(drawing.months):
        yield _columns(month, place, at, height)
    yield (
        f'    <svg class="over" viewBox="0 0 100 {height}" width="100%" height="{height}" '
        'preserveAspectRatio="none">\n'
    )
    series, parts, points = (written(line.series), line.parts, line.points) if line else ("", [], [])
    for part in parts:
        yield f'      <polyline class="line series-{series}" points="{part}"/>\n'
    yield "    </svg>\n"
    for band, whiskers in drawing.whiskers:
        opening = f'    <line class="whisker series-{written(band)}"'
        yield "".join(
            f'{opening} x1="{x}%" x2="{x}%" y1="{top}" y2="{bottom}"/>\n' for x, top, bottom in whiskers
        )
    for x, y in points:
        yield f'    <circle class="point series-{series}" cx="{x}%" cy="{y}" r="3"/>\n'
    yield f'    <line class="baseline" x1="0" x2="100%" y1="{drawing.zero}" y2="{drawing.zero}"/>\n'
    for month in drawing.months:
        yield _month_label(month, height)
    second_axis = _axis(second, height, 'x="8"') if second else ""
    yield f"  </svg>\n{second_axis}</div>\n"


def _columns(month: Month, place: str, at: int, height: int) -> str:
    """A month: its mark, and above it those of single columns, within one group."""
    columns = "".join(_column(rect) for rect in month.columns)
    whole = (
        f"    {_mark(month.mark, place, at, 'g')}\n"
        f'      <rect class="hit" x="{month.slot.x}%" width="{month.slot.width}%" height="{height}"/>\n'
        f"{columns}    {_end(month.mark, 'g')}\n"
    )
    if not month.parts:
        return whole
    parts = "".join(_part(rect, mark, place, at) for rect, mark in month.parts)
    return f"    <g>\n{whole}{parts}    </g>\n"


def _part(rect: Rect, mark: Mark, place: str, at: int) -> str:
    opening = _mark(mark, place, f"{at}.{written(rect.series)}", "g", " part")
    return f"{opening}{_column(rect)}{_end(mark, 'g')}\n"


def _column(rect: Rect) -> str:
    return (
        f'      <rect class="column series-{written(rect.series)}" x="{rect.x}%" y="{rect.y}" '
        f'width="{rect.width}%" height="{rect.height}"/>\n'
    )


def _month_label(month: Month, height: int) -> str:
    steps, middle = "".join(f" step-{step}" for step in month.steps), month.slot.middle
    text = (
        f'    <text class="tick month{steps}" x="{middle}%" y="{height - 22}" text-anchor="middle">'
        f"{written(month.label)}</text>\n"
    )
    if not month.year:
        return text
    return (
        f'{text}    <text class="tick year" x="{middle}%" y="{height - 7}" text-anchor="middle">'
        f"{written(month.year)}</text>\n"
    )


def _bars(drawing: Bars, name: str, description: str, place: str) -> Iterator[str]:
    joined = " joined" if drawing.line else ""
    several = " several" if len(drawing.rows[0].bars) > 1 else ""
    yield (
        f'{_legend(drawing.legend)}\n<div class="bar-rows{joined}{several}" role="group" '
        f'aria-label="{name}. {description}" data-marks>\n'
    )
    grid = "".join(
        f'      <line class="grid" x1="{tick.at}%" x2="{tick.at}%" y1="0" y2="100%"/>\n'
        for tick in (drawing.ticks if drawing.line else ())
    )
    for at, row in enumerate(drawing.rows):
        if any(bar.mark for bar in row.bars):
            yield from _parted_row(row, drawing, place, at)
        else:
            yield from _bar_row(row, drawing, grid, f"  {_mark(row.mark, place, at, 'div', ' bar-row')}")
    if drawing.ticks:
        ticks = "".join(
            f'    <text class="tick" x="{tick.at}%" y="13" text-anchor="middle">'
            f"{written(tick.label)}</text>\n"
            for tick in drawing.ticks
        )
        yield f'  <svg class="bar-axis" width="100%" height="18" aria-hidden="true">\n{ticks}  </svg>\n'
    yield "</div>\n"


def _bar_row(row: BarRow, drawing: Bars, grid: str, opening: str) -> Iterator[str]:
    line, zero = written(drawing.line), drawing.zero
    yield (
        f'{opening}\n    <span class="bar-label">{written(row.label)}</span>\n'
        f'    <span class="bars"><svg width="100%" height="100%" aria-hidden="true">\n{grid}'
    )
    for bar in row.bars:
        yield _bar(bar, drawing.thickness, has_track=not line)
    if zero:
        yield f'<line class="baseline" x1="{zero}%" x2="{zero}%" y1="0" y2="100%"/>'
    for x1, y1, x2, y2 in row.joins:
        yield f'      <line class="line series-{line}" x1="{x1}%" y1="{y1}%" x2="{x2}%" y2="{y2}%"/>\n'
    if row.point is not None:
        yield f'<circle class="point series-{line}" cx="{row.point}%" cy="50%" r="3.5"/>'
    values = "".join(f'      <span class="bar-value">{written(bar.value.text)}</span>\n' for bar in row.bars)
    share = f'<span class="bar-value bar-share">{written(row.share)}</span>' if row.share else ""
    details = f'<span class="bar-details">{written(row.details)}</span>' if row.details else ""
    yield (
        f'    </svg></span>\n    <span class="bar-values">\n{values}{share}    </span>\n'
        f"{details}  {_end(row.mark, 'div')}\n"
    )


def _parted_row(row: BarRow, drawing: Bars, place: str, at: int) -> Iterator[str]:
    """A row whose bars have marks: its own is its name, which covers what of the row no other mark does."""
    yield (
        f'  <div class="bar-row parted">\n{_mark(row.mark, place, at, "span", " bar-label")}'
        f'{written(row.label)}{_end(row.mark, "span")}\n    <span class="bar-parts">\n'
    )
    zero = drawing.zero
    baseline = f'<line class="baseline" x1="{zero}%" x2="{zero}%" y1="0" y2="100%"/>' if zero else ""
    for bar in row.bars:
        name, mark = f"{at}.{written(bar.series)}", bar.mark
        opening = _mark(mark, place, name, "span", " part bar-part") if mark else '<span class="bar-part">\n'
        drawn = _bar(bar._replace(middle=FULL / 2), drawing.thickness, has_track=True)
        yield (
            f'{opening}<span class="bars"><svg width="100%" height="100%" aria-hidden="true">\n{drawn}'
            f'{baseline}</svg></span>\n<span class="bar-values"><span class="bar-value">'
            f"{written(bar.value.text)}</span></span>{_end(mark, 'span') if mark else '</span>'}\n"
        )
    details = f'<span class="bar-details">{written(row.details)}</span>' if row.details else ""
    yield f"    </span>\n{details}  </div>\n"


def _bar(bar: Bar, thickness: int, *, has_track: bool) -> str:
    place = f'y="{bar.middle}%" height="{thickness}" rx="2"'
    track = f'<rect class="bar-track" width="100%" {place}/>' if has_track else ""
    return (
        f'      <g transform="translate(0 {-thickness / 2})">\n{track}        '
        f'<rect class="column series-{written(bar.series)}" x="{bar.x}%" width="{bar.width}%" {place}/>\n'
        "      </g>\n"
    )


def _trends(drawing: Trends, place: str) -> Iterator[str]:
    yield '<ul class="trends">\n'
    for at, trend in enumerate(drawing.trends, 1):
        yield from _trend(trend, drawing.height, f"{place}-{at}")
    yield "</ul>\n"


def _trend(trend: Trend, height: int, group: str) -> Iterator[str]:
    label, last = written(trend.label), len(trend.months) - 1
    yield (
        f'  <li>\n    <div class="trend-label">{label}</div>\n'
        f'    <svg class="canvas" width="100%" height="{height}" role="group" aria-label="{label}" '
        f"data-marks>\n"
        f'      <svg class="over" viewBox="0 0 100 {height}" width="100%" height="{height}" '
        'preserveAspectRatio="none">\n'
    )
    for points in trend.line.parts:
        yield f'        <polyline class="line" points="{points}"/>\n'
    yield "      </svg>\n"
    for at, (slot, mark, y) in enumerate(trend.months):
        end = "" if 0 < at < last else " end"
        yield (
            f"      {_mark(mark, group, at, 'g')}\n"
            f'        <rect class="hit" x="{slot.x}%" width="{slot.width}%" height="{height}"/>\n'
            f'        <circle class="point{end}" cx="{slot.middle}%" cy="{y}" r="3"/>\n'
            f"      {_end(mark, 'g')}\n"
        )
    foot = height - 0.5
    (first_month, first), (last_month, final) = trend.ends
    yield (
        f'      <line class="grid" x1="0" x2="100%" y1="{foot}" y2="{foot}"/>\n    </svg>\n'
        f'    <div class="trend-ends"><span>{written(first_month)}: {written(first)}</span>'
        f"<span>{written(last_month)}: <strong>{written(final)}</strong></span></div>\n  </li>\n"
    )


def _heat(drawing: Heat, name: str, description: str, place: str) -> Iterator[str]:
    across = len(drawing.heads)
    heads = "".join(f'<th scope="col" class="number">{written(head)}</th>' for head in drawing.heads)
    yield (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{name}">\n  <table class="heat">\n'
        f'    <caption class="unseen">{name}. {description}</caption>\n'
        f'    <thead><tr><th scope="col">{written(drawing.corner)}</th>{heads}</tr></thead>\n'
        f'    <tbody data-marks data-across="{across}">\n'
    )
    for row, (label, own) in enumerate(drawing.rows):
        cells = "".join(
            f'<td class="number heat-{cell.level}">{_mark(cell.mark, place, row * across + at, "span")}'
            f"{written(cell.text)}{_end(cell.mark, 'span')}</td>"
            for at, cell in enumerate(own)
        )
        yield f'      <tr><th scope="row">{written(label)}</th>{cells}</tr>\n'
    levels = "".join(f'<span class="heat-{level}"></span>' for level in range(1, drawing.levels + 1))
    yield (
        '    </tbody>\n  </table>\n</div>\n<ul class="legend heat-legend" aria-hidden="true">\n  <li>0</li>\n'
        f'  <li class="heat-scale">{levels}</li>\n  <li>{written(drawing.most)}</li>\n</ul>\n'
    )

"""How charts look: colours, fonts and axes of the light and of the dark theme, and numbers of each language.

A theme is a Vega-Lite configuration; a number locale is what d3-format takes. Both are given to whatever
draws a specification, in the browser and on the server.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from kpi_pipeline.model.labels import Language

Theme = Literal["light", "dark"]

_FONT: Final = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, DejaVu Sans, sans-serif"


def _theme(
    *,
    ground: str,
    line: str,
    text: str,
    quiet: str,
    mark: str,
    series: tuple[str, ...],
    ages: list[str],
    heat: list[str],
) -> Mapping[str, Any]:
    """A configuration.

    Args:
        ground: Behind everything.
        line: Grid lines.
        text: Titles.
        quiet: Labels.
        mark: Marks that belong to no series.
        series: Colours in the order of `model.charts.drawing.SERIES`.
        ages: Ageing buckets, the youngest first.
        heat: Cells, from nothing to the most.
    """
    label = {"labelColor": quiet, "titleColor": quiet, "labelFontSize": 11.5, "titleFontSize": 12}
    return {
        "background": ground,
        "font": _FONT,
        "padding": 8,
        "view": {"stroke": None},
        "axis": {
            **label,
            "titleFontWeight": "normal",
            "domainColor": line,
            "gridColor": line,
            "tickColor": line,
            "labelPadding": 6,
            "titlePadding": 10,
        },
        "axisBand": {"grid": False, "ticks": False},
        "legend": {
            **label,
            "labelColor": text,
            "orient": "top",
            "direction": "horizontal",
            "columnPadding": 18,
            "labelLimit": 240,
            "symbolSize": 90,
            "symbolBaseFillColor": quiet,
            "layout": {"top": {"direction": "horizontal", "margin": 18, "anchor": "start"}},
            "offset": 12,
        },
        "header": {
            **label,
            "labelColor": text,
            "labelFontSize": 13,
            "labelFontWeight": 600,
            "labelPadding": 8,
        },
        "title": {"color": text, "anchor": "start", "fontSize": 15, "fontWeight": 600, "offset": 14},
        "bar": {"color": mark, "discreteBandSize": {"band": 0.78}},
        "line": {"color": mark, "strokeWidth": 2},
        "point": {"color": mark, "filled": True, "size": 36},
        "text": {"color": text, "fontSize": 12},
        "rect": {"stroke": ground, "strokeWidth": 2},
        "range": {"category": list(series), "ordinal": ages, "heatmap": heat, "ramp": heat},
    }


THEMES: Final[dict[Theme, Mapping[str, Any]]] = {
    "light": _theme(
        ground="#ffffff",
        line="#dde1e7",
        text="#1b2430",
        quiet="#566171",
        mark="#2f6fae",
        series=(
            "#b7c3d2",  # proposed
            "#2f6fae",  # approved
            "#1b8a7a",  # paid
            "#c79a3a",  # receivable
            "#b8423a",  # overdue
            "#6b4fa0",  # dso
            "#6b4fa0",  # cumulative_share
            "#1b8a7a",  # collected
            "#2f6fae",  # expected
            "#4c6a92",  # opex
            "#cc7433",  # capex
            "#2f6fae",  # revenue
            "#cc7433",  # cost
            "#1b8a7a",  # margin
        ),
        ages=["#4c93c9", "#6f8fb0", "#c79a3a", "#cc7433", "#b8423a"],
        heat=["#f1f4f8", "#a9d3cb", "#1b8a7a", "#0b4a41"],
    ),
    "dark": _theme(
        ground="#191f28",
        line="#2c3541",
        text="#e6eaf0",
        quiet="#9aa6b5",
        mark="#5a9bdb",
        series=(
            "#6b7c93",
            "#5a9bdb",
            "#3fb8a4",
            "#d6ad55",
            "#e0695f",
            "#b39ddb",
            "#b39ddb",
            "#3fb8a4",
            "#5a9bdb",
            "#7f9dbd",
            "#de8b4c",
            "#5a9bdb",
            "#de8b4c",
            "#3fb8a4",
        ),
        ages=["#5a9bdb", "#7f9dbd", "#d6ad55", "#de8b4c", "#e0695f"],
        heat=["#222a35", "#1d5f56", "#3fb8a4", "#c4f0e7"],
    ),
}
"""The two themes; colours are in the order of the light one's remarks."""

NUMBERS: Final[dict[Language, Mapping[str, Any]]] = {
    "es": {
        "decimal": ",",
        "thousands": ".",
        "grouping": [3],
        "currency": ["$", ""],
        "minus": "\N{MINUS SIGN}",
        "percent": "\N{NO-BREAK SPACE}%",
    },
    "en": {
        "decimal": ".",
        "thousands": ",",
        "grouping": [3],
        "currency": ["$", ""],
        "minus": "\N{MINUS SIGN}",
        "percent": "\N{NO-BREAK SPACE}%",
    },
}
"""How numbers are written: es as in Chile."""

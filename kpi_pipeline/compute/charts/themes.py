"""How charts look: colours, fonts and axes of the light and of the dark theme, and numbers of each language.

A theme is a Vega-Lite configuration; a number locale is what d3-format takes. Both are given to whatever
draws a specification, in the browser and on the server.
"""

from collections.abc import Mapping
from typing import Any, Final

from kpi_pipeline.model import palette
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.palette import Theme

_FONT: Final = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, DejaVu Sans, sans-serif"


def _theme(theme: Theme) -> Mapping[str, Any]:
    """The configuration of a theme; its category colours are in the order of `palette.SERIES`."""

    def of(*colours: palette.Colour) -> list[str]:
        return [getattr(colour, theme) for colour in colours]

    ground, line, text, quiet, mark = of(
        palette.PANEL, palette.LINE, palette.TEXT, palette.QUIET, palette.MARK
    )
    heat = of(palette.TRACK, *palette.HEAT)
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
        "range": {
            "category": of(*palette.SERIES.values()),
            "ordinal": of(*palette.AGES),
            "heatmap": heat,
            "ramp": heat,
        },
    }


THEMES: Final[dict[Theme, Mapping[str, Any]]] = {theme: _theme(theme) for theme in palette.THEMES}
"""The two themes."""

NUMBERS: Final[dict[Language, Mapping[str, Any]]] = {
    "es": {
        "decimal": ",",
        "thousands": ".",
        "grouping": [3],
        "currency": ["$", ""],
        "minus": "\N{MINUS SIGN}",
        "percent": "%",
    },
    "en": {
        "decimal": ".",
        "thousands": ",",
        "grouping": [3],
        "currency": ["$", ""],
        "minus": "\N{MINUS SIGN}",
        "percent": "%",
    },
}
"""How numbers are written: es as in Chile."""

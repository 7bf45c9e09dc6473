"""Charts ready to be drawn on a page: compiled, in one theme, each filling the box that it is given.

A specification draws a panel a currency at a size of its own, with Vega-Lite. A page draws each currency
in a place of its own, and has to be quick: what Vega-Lite makes of a specification is made here once.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import vl_convert

from kpi_pipeline.compute.charts.specifications import specification
from kpi_pipeline.compute.charts.themes import THEMES, Theme
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.labels import Kind, Language

_PADDING: Final = {"left": 0, "right": 16, "top": 6, "bottom": 0}
"""Room for the second half of the last label of an axis."""

_WORDS_BEHIND: Final = {**_PADDING, "right": 52}
"""Room for a number of days behind the last bar: what marks write does not count when a plot is fitted."""

_SMALL: Final = {"left": 4, "right": 4, "top": 4, "bottom": 4}
"""Room for the points at both ends of a line."""

_BARE: Final = ("x", "y")


def is_plotted(name: str) -> bool:
    """Whether a chart is drawn on pages; one by name and month is a table of cells there, with its values."""
    kinds = {column.kind for column in CHARTS[name].fields}
    return not {Kind.NAME, Kind.MONTH} <= kinds


def plot(name: str, language: Language, theme: Theme) -> Mapping[str, Any]:
    """The Vega specification that draws one currency of a chart, or one KPI of several.

    Whoever draws it gives it `width` and `height`, and rows as the values of the data source that has the
    chart's name.

    Args:
        name: One of `model.charts.CHARTS`.
        language: The language of its words.
        theme: Its colours.
    """
    panel = _panel(specification(name, language))
    kinds = {column.kind for column in CHARTS[name].fields}
    padding = _WORDS_BEHIND if Kind.STAGE in kinds else _PADDING
    if Kind.KPI in kinds:
        padding = _SMALL
        panel["encoding"] = _without_axes(panel["encoding"])
    panel |= {"width": 100, "height": 100, "autosize": {"type": "fit", "contains": "padding"}}
    # A page describes a chart itself, and its data stand in a table beside it.
    config = {**THEMES[theme], "background": None, "padding": padding, "aria": False}
    return cast("Mapping[str, Any]", vl_convert.vegalite_to_vega(panel, config=config))


def _panel(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in each panel of a specification, or all of one without panels."""
    if "facet" not in spec:
        return dict(spec)
    shared = {name: spec[name] for name in ("$schema", "config", "data", "description")}
    inner = spec["spec"]
    transform = [*spec.get("transform", ()), *inner.get("transform", ())]
    return {**shared, **inner, "transform": transform}


def _without_axes(encoding: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a small drawing, of which the words stand beside it."""
    bare = {channel: {**encoding[channel], "axis": None} for channel in _BARE}
    bare["y"] |= {"scale": {"zero": False}}
    return {**encoding, **bare}

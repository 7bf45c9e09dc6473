"""The palette: a colour of each theme for everything that is drawn, and text that can be read on it."""

import re

import pytest

from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.drawings import Shape
from kpi_pipeline.model.palette import (
    AGES,
    HEAT,
    PANEL,
    QUIET,
    SERIES,
    TEXT,
    THEMES,
    Colour,
    custom_properties,
)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_the_panel_and_on_every_degree_of_heat(theme) -> None:
    at = THEMES.index(theme)
    for ground in (PANEL, *HEAT):
        assert contrast(TEXT[at], ground[at]) >= 4.5
    assert contrast(QUIET[at], PANEL[at]) >= 4.5


def test_every_series_that_a_chart_draws_has_a_colour_unless_it_is_the_only_one() -> None:
    for chart in CHARTS.values():
        drawing = chart.drawing
        if len(drawing.series) > 1 or drawing.shape is Shape.PARETO:
            assert set(drawing.series) <= set(SERIES), chart.name
        assert not drawing.line or drawing.line in SERIES
    assert len(AGES) == len(AGEING_BUCKETS)


def test_a_colour_covers_a_share_of_its_ground() -> None:
    black, white = Colour("#000000", "#000000"), Colour("#ffffff", "#ffffff")
    assert black.on(white, 1) == black
    assert black.on(white, 0) == white
    assert black.on(white, 0.5).light == "#808080"


def test_custom_properties_are_colours_of_both_themes() -> None:
    properties = custom_properties()
    assert {"panel", "text", "series-approved", "series-others", "age-5", "heat-5"} <= set(properties)
    assert all(re.fullmatch("#[0-9a-f]{6}", part) for colour in properties.values() for part in colour)

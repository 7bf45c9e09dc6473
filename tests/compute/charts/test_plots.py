"""Plots: every chart of a page compiled for a box, in each language and theme."""

import orjson
import pytest
import vl_convert

from kpi_pipeline.compute.charts.plots import is_plotted, plot
from kpi_pipeline.compute.charts.rendering import rows_of
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES
from kpi_pipeline.model.charts import CHARTS
from tests.serving.payloads import figures

PLOTTED = [name for name in CHARTS if is_plotted(name)]
COLUMNS = {name: one["columns"] for name, one in figures("charts")["charts"].items()}


def drawn(name: str, language: str = "es", theme: str = "light", width: int = 600, height: int = 300) -> str:
    spec = dict(plot(name, language, theme))
    rows = rows_of(name, COLUMNS[name], {"CLP": 0})
    if name == "kpi_trend":
        rows = [row for row in rows if row["kpi"] == "dso"]
    assert [one["name"] for one in spec["data"]].count(name) == 1
    spec["data"] = [{**one, "values": rows} if one["name"] == name else one for one in spec["data"]]
    return vl_convert.vega_to_svg(
        {**spec, "width": width, "height": height}, format_locale=dict(NUMBERS[language])
    )


def test_cells_by_name_and_month_are_a_table_on_pages() -> None:
    assert set(CHARTS) - set(PLOTTED) == {"payment_heatmap"}


@pytest.mark.parametrize("name", PLOTTED)
def test_a_plot_fills_its_box(name) -> None:
    for width, height in ((600, 300), (420, 640)):
        svg = drawn(name, width=width, height=height)
        assert f'width="{width}" height="{height}"' in svg
        assert f'viewBox="0 0 {width} {height}"' in svg
        assert "mark-" in svg


@pytest.mark.parametrize("name", PLOTTED)
def test_a_plot_is_in_its_theme_and_has_no_ground_of_its_own(name) -> None:
    light, dark = (drawn(name, theme=theme) for theme in THEMES)
    assert light != dark
    for svg, theme in ((light, "light"), (dark, "dark")):
        assert THEMES[theme]["background"] not in svg


def test_words_are_of_the_language() -> None:
    assert "Propuesto" in drawn("monthly_trend", "es")
    assert "Proposed" in drawn("monthly_trend", "en")


def test_marks_carry_what_they_stand_for() -> None:
    text = orjson.dumps(dict(plot("states", "es", "light"))).decode()
    assert '"field":"state"' in text
    # Readers hear the page's own words, not one text a mark.
    assert "ariaRoleDescription" not in text


def test_the_lines_of_kpis_stand_without_axes() -> None:
    assert plot("kpi_trend", "es", "light").get("axes", []) == []
    assert plot("monthly_trend", "es", "light")["axes"] != []

"""Charts are drawn without a browser: what they show can be read in the picture."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
import vl_convert

from kpi_pipeline.compute.charts.rendering import render_png, rows_of, titled_specification
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.labels import LANGUAGES, Language
from kpi_pipeline.model.palette import Theme
from tests.compute.charts.samples import columns as sample_columns

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def samples() -> dict[str, dict[str, list[Any]]]:
    return sample_columns()


def drawn(name: str, columns: dict[str, list[Any]], language: Language, theme: Theme) -> str:
    """The picture of `render_png` as SVG, in which words can be read."""
    spec = titled_specification(name, columns, language)
    return vl_convert.vegalite_to_svg(spec, config=dict(THEMES[theme]), format_locale=dict(NUMBERS[language]))


def words_in(svg: str) -> list[str]:
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if text.text]


def columns(name: str, *rows: tuple[Any, ...]) -> dict[str, list[Any]]:
    return {column: [row[place] for row in rows] for place, column in enumerate(CHARTS[name].columns)}


def test_there_are_samples_of_every_chart(samples) -> None:
    assert list(samples) == list(CHARTS)
    assert all(tuple(samples[name]) == chart.columns for name, chart in CHARTS.items())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_a_drawing_says_what_it_is_and_has_no_holes(samples, name: str, language) -> None:
    svg = drawn(name, samples[name], language, "light")
    said = words_in(svg)
    assert CHARTS[name].title.into(language) in said
    assert len(said) > 6
    assert not [text for text in said if re.search(r"NaN|null|undefined|Infinity|\[object", text)]


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_drawn_with_no_row_at_all(name: str) -> None:
    assert CHARTS[name].title.es in words_in(drawn(name, columns(name), "es", "dark"))


def test_a_picture_is_as_large_as_its_rows_need(samples) -> None:
    def size(picture: bytes) -> tuple[int, int]:
        assert picture.startswith(b"\x89PNG\r\n")
        return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")

    given = samples["concentration"]
    few = {column: values[:2] for column, values in given.items()}
    width, height = size(render_png("concentration", given, "es", "light"))
    assert size(render_png("concentration", few, "es", "light"))[1] < height
    assert width > 1000


def test_themes_differ_in_colours_alone(samples) -> None:
    light, dark = (drawn("ageing", samples["ageing"], "es", theme) for theme in THEMES)
    assert light != dark
    assert re.sub("#[0-9a-f]{6}", "", light) == re.sub("#[0-9a-f]{6}", "", dark)


def test_numbers_months_and_words_are_those_of_the_language(samples) -> None:
    spanish = words_in(drawn("monthly_trend", samples["monthly_trend"], "es", "light"))
    english = words_in(drawn("monthly_trend", samples["monthly_trend"], "en", "light"))
    assert {"1.000\N{NO-BREAK SPACE}M", "1,2\N{NO-BREAK SPACE}M", "ene 24", "Propuesto", "En CLP"} <= set(
        spanish
    )
    assert {"1,000\N{NO-BREAK SPACE}M", "1.2\N{NO-BREAK SPACE}M", "Jan 24", "Proposed", "In CLP"} <= set(
        english
    )


def test_values_are_drawn_by_their_words(samples) -> None:
    assert {"En revisión", "Certificados: 1.560"} <= set(
        words_in(drawn("states", samples["states"], "es", "light"))
    )
    assert "over 120 days" in words_in(drawn("ageing", samples["ageing"], "en", "light"))
    managers = words_in(drawn("manager_performance", samples["manager_performance"], "en", "light"))
    assert {"Unassigned", "Approval rate: 97.0%"} <= set(managers)
    assert "Los demás" in words_in(drawn("concentration", samples["concentration"], "es", "light"))


def test_a_share_below_zero_and_a_long_name_can_be_read(samples) -> None:
    ages = words_in(drawn("ageing", samples["ageing"], "es", "light"))
    assert any(text.endswith(": \N{MINUS SIGN}1,9%") for text in ages)
    clients = words_in(drawn("client_performance", samples["client_performance"], "es", "light"))
    assert any(name.startswith("Compañía de Aguas y Sanea") and name.endswith("…") for name in clients)


def test_each_currency_has_a_panel_of_its_own_with_its_own_rows_only() -> None:
    given = columns("concentration", ("A", "CLP", 900, 1.0), ("B", "USD", 5, 1.0))
    said = words_in(drawn("concentration", given, "en", "light"))
    assert sorted(set(said) & {"In CLP", "In USD", "A", "B"}) == ["A", "B", "In CLP", "In USD"]
    assert said.count("A") == said.count("B") == 1


def test_a_name_like_a_piece_of_code_is_a_name() -> None:
    name = """"]+alert(1)//'</text>"""
    svg = drawn("concentration", columns("concentration", (name, "CLP", 900, 1.0)), "en", "light")
    assert name in words_in(svg)


def test_amounts_become_whole_units_of_their_currency_and_nothing_else_changes() -> None:
    given = columns(
        "cash_flow",
        ("2024-01", "CLP", "collected", 5_000, None, None, None, None),
        ("2024-02", "USD", "expected", 12_345, 1, 2, 3, -450),
    )
    clp, usd = rows_of("cash_flow", given, {"CLP": 0, "USD": 2})
    assert clp == {
        "month": "2024-01",
        "currency": "CLP",
        "kind": "collected",
        "amount": 5_000.0,
    } | dict.fromkeys(("low_50", "high_50", "low_90", "high_90"))
    assert (usd["amount"], usd["low_50"], usd["high_90"]) == (123.45, 0.01, -4.5)
    assert given["amount"] == [5_000, 12_345]
    trend = columns("monthly_trend", ("2024-01", "USD", 100, 200, 300, 41.5))
    assert rows_of("monthly_trend", trend, {"USD": 2})[0]["dso"] == 41.5


def test_a_currency_without_decimals_is_an_error() -> None:
    with pytest.raises(KeyError, match="USD"):
        rows_of("ageing", columns("ageing", ("0-30", "USD", 1, 1, 1.0)), {"CLP": 0})

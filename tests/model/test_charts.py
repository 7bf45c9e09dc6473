"""Charts: specifications made once, without data, colours or words of another language."""

import re
from typing import Any

import altair as alt
import orjson
import pytest

from kpi_pipeline.compute.charts.specifications import specification, specification_digest
from kpi_pipeline.compute.charts.themes import THEMES
from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.labels import KPIS_DRAWN, LABELS, LANGUAGES, Kind
from kpi_pipeline.model.palette import SERIES

COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\(|steelblue|\"scheme\"|\"(fill|stroke)\"", re.IGNORECASE)


def parts(spec: Any) -> list[dict[str, Any]]:
    """Every object of a specification."""
    if isinstance(spec, dict):
        return [spec, *(part for value in spec.values() for part in parts(value))]
    return [part for value in spec for part in parts(value)] if isinstance(spec, list) else []


def calculated(spec: Any) -> set[str]:
    """Fields that a specification makes itself."""
    made = [part["as"] for part in parts(spec) if "as" in part]
    return {field for name in made for field in ([name] if isinstance(name, str) else name)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_a_specification_names_its_data_and_uses_its_columns_only(name: str, language) -> None:
    spec = specification(name, language)
    sources = [part["data"] for part in parts(spec) if "data" in part]
    assert sources == [{"name": name}]
    assert "datasets" not in spec
    text = orjson.dumps(spec).decode()
    fields = set(re.findall(r'"field":"(\w+)"', text))
    fields |= set(re.findall(r"datum\.(\w+)", text)) - {"value", "label"}
    assert fields
    assert fields <= set(CHARTS[name].columns) | calculated(spec)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_a_specification_is_valid(name: str, language) -> None:
    spec = dict(specification(name, language))
    assert alt.Chart.from_dict(spec).to_dict(validate=True) == spec


@pytest.mark.parametrize("name", CHARTS)
def test_every_column_is_drawn_or_in_a_tooltip(name: str) -> None:
    text = orjson.dumps(specification(name, "es")).decode()
    shown = re.sub(r'\{"calculate":.*?"as":"\w+_text"\}', "", text)
    missing = [column for column in CHARTS[name].columns if not re.search(rf"\b{column}(_text)?\b", shown)]
    assert missing == []


@pytest.mark.parametrize("name", CHARTS)
def test_colours_belong_to_the_theme(name: str) -> None:
    assert not COLOUR.search(orjson.dumps(specification(name, "es")).decode())


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_has_a_colour_for_every_series_and_every_bucket(theme) -> None:
    colours = THEMES[theme]["range"]
    assert len(colours["category"]) == len(SERIES)
    assert len(colours["ordinal"]) == len(AGEING_BUCKETS)


def test_both_themes_say_the_same_but_for_colours() -> None:
    def without_colours(theme: Any) -> str:
        return re.sub("#[0-9a-f]{6}", "", orjson.dumps(theme).decode())

    assert without_colours(THEMES["light"]) == without_colours(THEMES["dark"])


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_speaks_each_language(name: str) -> None:
    chart = CHARTS[name]
    assert specification(name, "es")["description"] == chart.description.es
    assert specification(name, "en")["description"] == chart.description.en
    assert chart.title.es != chart.title.en
    assert chart.nothing.es != chart.nothing.en
    assert (
        re.search("días|Montos?|Mes|Estado|Cliente|Moneda", orjson.dumps(specification(name, "en")).decode())
        is None
    )


def test_each_chart_has_a_digest_of_its_own_in_each_language_that_stays() -> None:
    digests = {
        (name, language): specification_digest(name, language) for name in CHARTS for language in LANGUAGES
    }
    assert len(set(digests.values())) == 2 * len(CHARTS)
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests.values())
    specification.cache_clear()
    assert digests == {key: specification_digest(*key) for key in digests}


def test_money_columns_are_amounts() -> None:
    assert CHARTS["cash_flow"].amounts == ("amount", "low_50", "high_50", "low_90", "high_90")
    assert CHARTS["monthly_trend"].amounts == ("proposed", "approved", "paid")
    assert CHARTS["stages"].amounts == CHARTS["kpi_trend"].amounts == ()
    assert all("currency" in chart.columns for chart in CHARTS.values() if chart.amounts)


def test_the_kpis_drawn_are_kpis_and_have_words() -> None:
    assert set(KPIS_DRAWN) <= {kpi.name for kpi in KPIS}
    assert set(LABELS[Kind.KPI]) == set(KPIS_DRAWN)


def test_an_unknown_chart_is_an_error() -> None:
    with pytest.raises(KeyError):
        specification("horoscope", "es")

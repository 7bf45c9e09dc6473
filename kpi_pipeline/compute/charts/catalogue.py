"""The charts in the catalogue: all that is needed to draw them and to say what they say."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kpi_pipeline.compute.charts.specifications import specification, specification_digest
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES
from kpi_pipeline.model.charts import CHARTS, Chart
from kpi_pipeline.model.charts.words import WORDS
from kpi_pipeline.model.labels import LANGUAGES, Text


def chart_entries() -> list[dict[str, Any]]:
    """Every chart: its words, its columns with their kinds, its sentences and its specifications' digests."""
    return [_entry(chart) for chart in CHARTS.values()]


def chart_specifications() -> dict[str, Mapping[str, Any]]:
    """The specifications of all charts in all languages, by digest."""
    return {
        specification_digest(name, language): specification(name, language)
        for name in CHARTS
        for language in LANGUAGES
    }


def chart_drawing() -> dict[str, Any]:
    """What all charts share: `themes`, `numbers` by language, and `words` of values by kind."""
    words = {
        kind.value: {value: {"es": text.es, "en": text.en} for value, text in texts.items()}
        for kind, texts in WORDS.items()
    }
    return {"themes": dict(THEMES), "numbers": dict(NUMBERS), "words": words}


def _entry(chart: Chart) -> dict[str, Any]:
    return {
        "name": chart.name,
        **_both("title", chart.title),
        **_both("description", chart.description),
        **_both("nothing", chart.nothing),
        "columns": [
            {"name": column.name, "kind": column.kind.value, **_both("label", column.label)}
            for column in chart.fields
        ],
        "drawing": asdict(chart.drawing),
        "amounts": list(chart.amounts),
        "sentences": {
            name: {"es": sentence.template.es, "en": sentence.template.en}
            for name, sentence in chart.sentences.items()
        },
        **{f"spec_{language}": specification_digest(chart.name, language) for language in LANGUAGES},
    }


def _both(name: str, text: Text) -> dict[str, str]:
    return {f"{name}_es": text.es, f"{name}_en": text.en}

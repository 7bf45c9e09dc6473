"""The charts in the catalogue: all that is needed to draw them and to say what they say."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES
from kpi_pipeline.model.charts import CHARTS, Chart
from kpi_pipeline.model.columns import Column
from kpi_pipeline.model.labels import LANGUAGES, Text


def chart_entries() -> list[dict[str, Any]]:
    """Every chart: its words, its columns with their kinds, its sentences and its specifications' digests."""
    return [_entry(chart) for chart in CHARTS.values()]


def chart_specifications() -> dict[str, Mapping[str, Any]]:
    """The specifications of all charts in all languages, by digest."""
    # Loaded by who writes a catalogue: what draws takes 30 MB, which others can spare.
    from kpi_pipeline.compute.charts.specifications import (  # noqa: PLC0415
        specification,
        specification_digest,
    )

    return {
        specification_digest(name, language): specification(name, language)
        for name in CHARTS
        for language in LANGUAGES
    }


def chart_drawing() -> dict[str, Any]:
    """What all charts share: `themes`, and `numbers` by language."""
    return {"themes": dict(THEMES), "numbers": dict(NUMBERS)}


def _entry(chart: Chart) -> dict[str, Any]:
    from kpi_pipeline.compute.charts.specifications import specification_digest  # noqa: PLC0415

    return {
        "name": chart.name,
        **in_both("title", chart.title),
        **in_both("description", chart.description),
        **in_both("nothing", chart.nothing),
        "columns": column_entries(chart.fields),
        "drawing": asdict(chart.drawing),
        "amounts": list(chart.amounts),
        "sentences": {
            name: {"es": sentence.template.es, "en": sentence.template.en}
            for name, sentence in chart.sentences.items()
        },
        **{f"spec_{language}": specification_digest(chart.name, language) for language in LANGUAGES},
    }


def column_entries(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """Columns of charts or tables."""
    return [
        {
            "name": column.name,
            "kind": column.kind.value,
            "dimension": column.dimension,
            **in_both("label", column.label),
        }
        for column in columns
    ]


def in_both(name: str, text: Text) -> dict[str, str]:
    """A text in both languages, each under its own key."""
    return {f"{name}_es": text.es, f"{name}_en": text.en}

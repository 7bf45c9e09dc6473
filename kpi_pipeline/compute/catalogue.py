"""The catalogue: what a generation can be asked and what its figures mean, in plain JSON values."""

from dataclasses import asdict
from typing import Any

from babel.numbers import get_currency_precision

from kpi_pipeline.compute.charts.catalogue import chart_drawing, chart_entries, chart_specifications
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.components import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.dimensions import DIMENSIONS
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.kpis import KPI_GROUPS
from kpi_pipeline.model.kpis.descriptions import formula_text, target_of
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.periods import PERIODS, TIME_DIMENSIONS, quick_periods


def catalogue(cube: Cube) -> dict[str, Any]:
    """The catalogue of the generation that a cube gives.

    Returns:
        `as_of`; `dimensions` with their parameter names, roles and values, each with how many
        certificates have it; `periods` and `groups`, words for several of these values; `kpis` with
        labels, units, formula, target and meaning; `pages`, each with its product, KPIs, charts and tables;
        `thresholds`; `currencies` with their decimals; `ageing_buckets`, `due_buckets` and `states` in
        order; `charts`, each with its words, columns, sentences and the
        digests of its specifications; `drawing`, what all charts share; and `specs`, the specifications
        by digest.
    """
    return {
        "as_of": cube.frame.as_of.isoformat(),
        "dimensions": [
            {
                "name": dimension.name,
                "parameters": [dimension.name, *dimension.aliases],
                "label_es": dimension.label_es,
                "label_en": dimension.label_en,
                "role": "time" if dimension.name in TIME_DIMENSIONS else "attribute",
                "values": [
                    {"value": value, "count": count} for value, count in cube.value_counts(dimension.name)
                ],
            }
            for dimension in DIMENSIONS
        ],
        "periods": _periods(cube),
        "groups": _groups(cube),
        "kpis": [
            {
                "name": kpi.name,
                "label_es": kpi.label_es,
                "label_en": kpi.label_en,
                "unit": kpi.unit.value,
                "direction": kpi.direction.value,
                "per_currency": kpi.per_currency,
                "group": group,
                "formula": formula_text(kpi),
                "target": target_of(kpi, cube.frame.thresholds),
                "source": kpi.source,
            }
            for group, kpis in KPI_GROUPS.items()
            for kpi in kpis
        ],
        "pages": [asdict(page) for page in PAGES],
        "thresholds": asdict(cube.frame.thresholds),
        "currencies": [
            {"code": code, "decimals": get_currency_precision(code)} for code in cube.frame.currencies
        ],
        "ageing_buckets": [label for label, _, _ in AGEING_BUCKETS],
        "states": [state.value for state in State],
        "due_buckets": list(DUE_BUCKETS),
        "charts": chart_entries(),
        "drawing": chart_drawing(),
        "specs": chart_specifications(),
    }


def _periods(cube: Cube) -> list[dict[str, Any]]:
    selections = quick_periods(cube.frame.as_of, cube.frame.values["month"])
    return [
        {
            "name": period.name,
            "spellings": list(period.spellings),
            "label_es": period.label_es,
            "label_en": period.label_en,
            "dimension": period.dimension,
            "values": [value for values in selections[period.name].values() for value in values],
        }
        for period in PERIODS
        if period.name in selections
    ]


def _groups(cube: Cube) -> list[dict[str, Any]]:
    """The groups with those of their values that there are; none of which there is no value."""
    found = []
    for group in GROUPS:
        held = cube.frame.values[group.dimension]
        if values := [value for value in group.values if value in held]:
            found.append(
                {
                    "dimension": group.dimension,
                    "name": group.name,
                    "spellings": list(group.spellings),
                    "label_es": group.label_es,
                    "label_en": group.label_en,
                    "values": values,
                }
            )
    return found

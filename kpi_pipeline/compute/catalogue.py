"""The catalogue: what a generation can be asked and what its figures mean, in plain JSON values."""

from typing import Any

from babel.numbers import get_currency_precision

from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.charts import CHARTS, specification, specification_digest
from kpi_pipeline.model.components import AGEING_BUCKETS
from kpi_pipeline.model.dimensions import DIMENSIONS
from kpi_pipeline.model.kpis import KPIS, TREND_COMPONENTS


def catalogue(cube: Cube) -> dict[str, Any]:
    """The catalogue of the generation that a cube gives.

    Returns:
        `as_of`; `dimensions` with their parameter names and values, each with how many certificates
        have it; `kpis` with labels, units and meaning; `currencies` with their decimals;
        `ageing_buckets`, `states` and `trend_series` in order; `charts`, each with the digest of its
        specification, and `specs`, those specifications by digest.
    """
    return {
        "as_of": cube.as_of.isoformat(),
        "dimensions": [
            {
                "name": dimension.name,
                "parameters": [dimension.name, *dimension.aliases],
                "label_es": dimension.label_es,
                "label_en": dimension.label_en,
                "values": [
                    {"value": value, "count": count} for value, count in cube.value_counts(dimension.name)
                ],
            }
            for dimension in DIMENSIONS
        ],
        "kpis": [
            {
                "name": kpi.name,
                "label_es": kpi.label_es,
                "label_en": kpi.label_en,
                "unit": kpi.unit.value,
                "direction": kpi.direction.value,
                "per_currency": kpi.per_currency,
                "source": kpi.source,
            }
            for kpi in KPIS
        ],
        "currencies": [{"code": code, "decimals": get_currency_precision(code)} for code in cube.currencies],
        "ageing_buckets": [label for label, _, _ in AGEING_BUCKETS],
        "states": [state.value for state in State],
        "trend_series": list(TREND_COMPONENTS),
        "charts": [
            {
                "name": chart.name,
                "title_es": chart.title_es,
                "title_en": chart.title_en,
                "spec": specification_digest(chart.name),
            }
            for chart in CHARTS.values()
        ],
        "specs": {specification_digest(name): specification(name) for name in CHARTS},
    }

"""The schema of values side by side, of that of the KPIs."""

from typing import Final

from kpi_pipeline.model.compare import COMPARED_DIMENSIONS, COMPARED_WITH, FEWEST_COMPARED, MOST_COMPARED
from kpi_pipeline.model.pages import kpis_of_product
from serving.api.openapi.figures import heads
from serving.api.openapi.json_schema import TEXT, Schema, described, list_of, object_of, one_of, or_null, ref
from serving.api.openapi.system_schemas import FILTER

COMPARISON: Final = "Comparison"


def compare_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    every, everybody = map(kpis_of_product, COMPARED_WITH)
    kpis = object_of(
        {name: ref(f"kpi_{name}") for name in every},
        optional=[name for name in every if name not in everybody],
    )
    figures = {
        **heads("currencies", "months", "comparison", "cohort"),
        "kpis": described(kpis, "Those that the reader may read."),
    }
    value = {
        "value": described(TEXT, "As the data spell it; of months, a quarter or a year too."),
        "filter": FILTER,
        "figures": described(or_null(object_of(figures)), "Null while they are being computed."),
    }
    data = {
        "dimension": one_of(COMPARED_DIMENSIONS),
        "values": list_of(object_of(value), minItems=FEWEST_COMPARED, maxItems=MOST_COMPARED),
    }
    return {COMPARISON: object_of(data, description="Values side by side.")}

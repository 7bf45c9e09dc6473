"""The schemas of the profile of a client or project, of those of its figures and of the list."""

from typing import Final

from kpi_pipeline.model.pages import EXPECTED, PROFILE, PROFILED
from serving.api.openapi.figures import NEXT_DAYS, heads
from serving.api.openapi.json_schema import TEXT, Schema, described, list_of, object_of, one_of, or_null, ref
from serving.api.openapi.listing import listed_certificate, listed_totals

PROFILE_DATA: Final = "Profile"


def profile_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    data = {
        "dimension": one_of(PROFILED),
        "value": described(TEXT, "Its name, as the data spell it."),
        **heads("currencies", "months", "comparison"),
        EXPECTED: NEXT_DAYS,
        "kpis": object_of({name: ref(f"kpi_{name}") for name in PROFILE.kpis}),
        "charts": object_of({name: ref(f"chart_{name}") for name in PROFILE.charts}),
        **{name: ref(f"table_{name}") for name in PROFILE.tables},
        "certificates": described(
            or_null(list_of(listed_certificate())),
            "Its open certificates, the first due first: the first of them. Null at a month end of which no "
            "list is kept.",
        ),
        "totals": described(or_null(listed_totals()), "What these sum to; null likewise."),
    }
    return {PROFILE_DATA: object_of(data, description="A single client or project.")}

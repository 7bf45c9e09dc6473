"""The schemas of bridges, from their declared figures and parts."""

from typing import Final

from kpi_pipeline.model.bridge import (
    BILLING_PART,
    BRIDGE_DIMENSIONS,
    BRIDGE_FIGURE_BY_NAME,
    BRIDGE_FIGURES,
    BRIDGE_PARTS,
    DSO,
    DSO_MEANING,
)
from serving.api.openapi.json_schema import (
    CURRENCY,
    DAY,
    INTEGER,
    TEXT,
    Schema,
    described,
    list_of,
    object_of,
    one_of,
    or_null,
)

BRIDGE: Final = "Bridge"

_AMOUNT: Final = described(INTEGER, "In minor units of the currency.")
_STANDING: Final = or_null(one_of(("unsent", "awaiting", "accepted", "returned", "paid", "cancelled")))


def bridge_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    end = object_of(
        {
            "amount": _AMOUNT,
            "count": described(INTEGER, "How many certificates; credit notes are not counted."),
        }
    )
    part = object_of(
        {
            "part": one_of(part.name for part in BRIDGE_PARTS),
            "amount": described(INTEGER, "By how much it changes the amount, in minor units."),
            "count": described(INTEGER, "By how many it changes the number of certificates."),
            "certificates": described(INTEGER, "How many certificates are in it."),
        }
    )
    figure = object_of({"opening": end, "parts": list_of(part), "closing": end})
    figures = {one.name: described(figure, one.meaning.en) for one in BRIDGE_FIGURES}
    known_on = described(
        or_null(DAY),
        "Where no reading of that day was kept: the later day on whose certificates its figures rest, by "
        "dates and log. Null where they were read on the day.",
    )
    comparison = object_of(
        {
            "name": described(or_null(TEXT), "By which it is requested; null of two days of your choice."),
            "opens_on": DAY,
            "closes_on": DAY,
            "opening_known_on": known_on,
            "closing_known_on": known_on,
        }
    )
    certificate = object_of(
        {
            "number": TEXT,
            **dict.fromkeys(BRIDGE_DIMENSIONS, TEXT),
            "part": part["properties"]["part"],
            "currency": CURRENCY,
            "before": _AMOUNT,
            "after": _AMOUNT,
            "change": _AMOUNT,
            "standing_before": _STANDING,
            "standing_after": _STANDING,
            "due_before": or_null(DAY),
            "due_after": or_null(DAY),
        }
    )
    tenths = described(INTEGER, "In tenths of a day.")
    dso_end = object_of(
        {
            "tenths": or_null(tenths),
            "receivable": _AMOUNT,
            "billed": described(INTEGER, "Within the window that ends on the day, in minor units."),
            "days": described(
                INTEGER, "Of the window, or since the first certificate where these are fewer."
            ),
        }
    )
    dso_parts = (*(part.name for part in BRIDGE_FIGURE_BY_NAME["receivable"].parts), BILLING_PART.name)
    dso_part = object_of(
        {
            "part": one_of(dso_parts),
            "tenths": described(INTEGER, "By how much it changes DSO, in tenths of a day."),
            "receivable": or_null(described(INTEGER, "By how much it changes receivables.")),
        }
    )
    dso = described(
        object_of({"opening": dso_end, "parts": list_of(dso_part), "closing": dso_end}),
        f"{DSO_MEANING.en} {BILLING_PART.label.en}: {BILLING_PART.meaning.en}",
    )
    of_currency = object_of({"currency": CURRENCY, "figures": object_of(figures), DSO: dso})
    data = {
        "comparison": comparison,
        "comparisons": described(list_of(comparison), "Those that have a name."),
        "days": described(
            list_of(object_of({"day": DAY, "known_on": known_on})),
            "All that are kept, the earliest first: a bridge leads from each to each later one.",
        ),
        "currencies": described(
            list_of(of_currency),
            "Empty with the status 202: the bridge is being computed.",
        ),
        "figure": or_null(one_of(one.name for one in BRIDGE_FIGURES)),
        "part": or_null(part["properties"]["part"]),
        "currency": or_null(CURRENCY),
        "count": described(INTEGER, "How many certificates changed the figure in that part."),
        "certificates": described(list_of(certificate), "The largest change first."),
        "offset": INTEGER,
        "limit": INTEGER,
    }
    return {BRIDGE: object_of(data, description="How figures changed between two days.")}

"""The schema of the catalogue: what serving checks of it, and what else it holds."""

from typing import Any, Final

from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.labels import LANGUAGES
from kpi_pipeline.model.states import State
from kpi_pipeline.model.thresholds import Thresholds
from serving.api.openapi.json_schema import (
    TEXT,
    Schema,
    add_properties,
    described,
    list_of,
    map_of,
    object_of,
    one_of,
    ref,
    remove_property,
    schemas_of,
)
from serving.catalogue import Catalogue

CATALOGUE: Final = "Catalogue"
"""The name of its schema."""

_PREFIX: Final = CATALOGUE
_TEXT: Final = ref(f"{_PREFIX}Text")


def catalogue_schemas() -> dict[str, Schema]:
    """The schema of the catalogue and those that it refers to, by name."""
    whole, held = schemas_of(Catalogue, _PREFIX)
    thresholds, of_thresholds = schemas_of(Thresholds, _PREFIX)
    for schema in held.values():
        _split_texts(schema)
    add_properties(held[f"{_PREFIX}Kpi"], {"formula": TEXT})
    add_properties(
        held[f"{_PREFIX}Chart"],
        {
            "amounts": described(list_of(TEXT), "Columns that hold amounts in minor units."),
            **{
                f"spec_url_{language}": {"type": "string", "format": "uri-reference"}
                for language in LANGUAGES
            },
        },
    )
    remove_property(whole, "specs")
    add_properties(
        whole,
        {
            "thresholds": thresholds,
            "ageing_buckets": list_of(one_of(label for label, _, _ in AGEING_BUCKETS)),
            "due_buckets": list_of(one_of(DUE_BUCKETS)),
            "states": list_of(one_of(state.value for state in State)),
            "drawing": described(
                object_of({"themes": map_of({"type": "object"}), "numbers": map_of({"type": "object"})}),
                "What all charts share: the colours of each theme, and the numbers of each language.",
            ),
        },
    )
    whole["properties"]["loss_rates"]["description"] = (
        "By currency and aging bucket: of a million that is receivable, what ended as lost; null where "
        "nothing has gone through the bucket."
    )
    whole["description"] = (
        "The filters with their values and how many certificates each has, and the KPIs, charts, tables and "
        "pages with their texts."
    )
    return {CATALOGUE: whole, **held, **of_thresholds}


def _split_texts(schema: Schema) -> None:
    """A catalogue has each text as two keys, such as `label_es` and `label_en`."""
    properties: dict[str, Any] = schema.get("properties", {})
    for name in [name for name, one in properties.items() if one == _TEXT and name != "text"]:
        if schema.get("title") == "Band":  # the label of a band is one object
            continue
        remove_property(schema, name)
        add_properties(schema, {f"{name}_{language}": TEXT for language in LANGUAGES})

"""JSON Schemas (draft 2020-12, as in OpenAPI 3.1) of the values that the API answers with."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from kpi_pipeline.model.ageing import DUE_BUCKETS
from kpi_pipeline.model.dimensions import AMOUNT_BANDS, ISSUED_AGES
from kpi_pipeline.model.labels import KPIS_DRAWN, LABELS, STAGES, Kind
from kpi_pipeline.model.states import State

Schema = dict[str, Any]
"""One schema, as plain JSON values."""

TEXT: Final[Schema] = {"type": "string"}
INTEGER: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
DAY: Final[Schema] = {"type": "string", "format": "date"}
MONTH: Final[Schema] = {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$", "examples": ["2024-05"]}
CURRENCY: Final[Schema] = {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["CLP"]}
SECONDS: Final[Schema] = {"type": "number", "description": "Seconds since the epoch."}


def or_null(schema: Schema) -> Schema:
    """A schema that admits null too."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str) and "allOf" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(values: Iterable[str]) -> Schema:
    """One of some texts."""
    return {"type": "string", "enum": list(values)}


def list_of(items: Schema, **more: Any) -> Schema:
    """A list of values of one schema."""
    return {"type": "array", "items": items, **more}


def map_of(values: Schema, **more: Any) -> Schema:
    """An object whose names are data."""
    return {"type": "object", "additionalProperties": values, **more}


def object_of(properties: Mapping[str, Schema], *, optional: Iterable[str] = (), **more: Any) -> Schema:
    """An object with all of its properties, but for the optional ones."""
    absent = set(optional)
    required = [name for name in properties if name not in absent]
    return {"type": "object", "required": required, "properties": dict(properties), **more}


def described(schema: Schema, text: str) -> Schema:
    """A schema with a description."""
    return {**schema, "description": text}


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


OF_KIND: Final[Mapping[Kind, Schema]] = {
    Kind.MONEY: described(or_null(INTEGER), "In minor units of the currency of its row."),
    Kind.SHARE: described(or_null(NUMBER), "0.93 is 93%."),
    Kind.DAYS: described(or_null(NUMBER), "In days."),
    Kind.COUNT: or_null(INTEGER),
    Kind.READING: described(or_null(NUMBER), "In the unit of the KPI of its row: days or a share."),
    Kind.MONTH: MONTH,
    Kind.DAY: or_null(DAY),
    Kind.CURRENCY: described(
        {"type": "string", "pattern": "^([A-Z]{3})?$"}, "ISO 4217; empty where a row is of no money."
    ),
    Kind.NAME: described(TEXT, "Empty: all the others together."),
    Kind.STATE: one_of(state.value for state in State),
    Kind.WHY: described(one_of(LABELS[Kind.WHY]), "Names a sentence of the catalogue."),
    Kind.BUCKET: one_of(DUE_BUCKETS),
    Kind.AGE: one_of(label for label, _, _ in ISSUED_AGES),
    Kind.AMOUNT_BAND: one_of(AMOUNT_BANDS),
    Kind.STAGE: one_of(STAGES),
    Kind.FLOW: one_of(LABELS[Kind.FLOW]),
    Kind.KPI: one_of(KPIS_DRAWN),
    Kind.REASON: or_null(TEXT),
    Kind.TEXT: TEXT,
}
"""The values of each kind; numbers, days and reasons may be unknown."""


class _WithoutTitles(GenerateJsonSchema):
    """Names of properties speak for themselves."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def schemas_of(model: Any, prefix: str) -> tuple[Schema, dict[str, Schema]]:
    """The schema of what a type declares when it is written, and those that it refers to, by name.

    Args:
        model: A dataclass or a model of pydantic.
        prefix: Stands before the names of the schemas that it refers to.
    """
    made = TypeAdapter(model).json_schema(
        ref_template=f"#/components/schemas/{prefix}{{model}}",
        schema_generator=_WithoutTitles,
        mode="serialization",
    )
    held = {f"{prefix}{name}": schema for name, schema in made.pop("$defs", {}).items()}
    for schema in (made, *held.values()):
        _as_written(schema)
    return made, held


def add_properties(schema: Schema, properties: Mapping[str, Schema]) -> None:
    """Add properties to the schema of an object, which always has them."""
    schema["properties"] |= properties
    schema["required"] = [*schema["required"], *properties]


def remove_property(schema: Schema, name: str) -> None:
    """Take a property out of the schema of an object."""
    del schema["properties"][name]
    schema["required"].remove(name)


def _as_written(schema: Schema) -> None:
    """Make the schema of a type that of its values: all members are written, and more may come to be."""
    schema.pop("additionalProperties", None)
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].partition("\n\nAttributes:")[0].split())
    if "properties" in schema:
        schema["required"] = list(schema["properties"])
        for property_schema in schema["properties"].values():
            property_schema.pop("default", None)

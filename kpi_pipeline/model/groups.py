"""Groups: several values of a dimension that people ask for by one word."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.dimensions import STATE
from kpi_pipeline.model.states import State


@dataclass(frozen=True, slots=True)
class Group:
    """Values of a dimension under one name.

    Attributes:
        dimension: Its name.
        name: Canonical name of the group, asked for like a value of the dimension.
        spellings: Other spellings of it.
        label_es: Label shown in Spanish.
        label_en: Label shown in English.
        values: The values.
    """

    dimension: str
    name: str
    spellings: tuple[str, ...]
    label_es: str
    label_en: str
    values: tuple[str, ...]


GROUPS: Final = (
    Group(
        STATE.name,
        "pendientes",
        ("awaiting_acceptance",),
        "Pendientes (en revisión y enviados)",
        "Awaiting acceptance (in revision and sent)",
        (State.REVISION.value, State.SENT.value),
    ),
)

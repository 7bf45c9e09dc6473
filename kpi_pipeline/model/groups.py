"""Groups: several values of a dimension under one name."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.dimensions import STATE
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.states import State


@dataclass(frozen=True, slots=True)
class Group:
    """Values of a dimension under one name.

    Attributes:
        dimension: Its name.
        name: Canonical name of the group, requested like a value of the dimension.
        spellings: Other spellings of it.
        label: Its name for readers.
        values: The values.
    """

    dimension: str
    name: str
    spellings: tuple[str, ...]
    label: Text
    values: tuple[str, ...]


GROUPS: Final = (
    Group(
        STATE.name,
        "pendientes",
        ("awaiting_acceptance",),
        Text("Pendientes (en revisión y enviados)", "Awaiting acceptance (in revision and sent)"),
        (State.REVISION.value, State.SENT.value),
    ),
)

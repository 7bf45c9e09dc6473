"""The dimensions by which certificates are filtered and rolled up."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.labels import Kind, Text

SCHEMA_VERSION: Final = 17
"""Version of payload shapes and meanings; part of every variant key."""

PRODUCTS: Final = ("kpis", "dashboards", "charts", "financials")
"""What is published, each with its own schedule and time to live."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to cut the certificates.

    Attributes:
        name: Canonical name, used in roll-up columns, filters and query parameters.
        aliases: Other spellings accepted as a query parameter.
        label: Its name for readers.
        kind: What its values are.
        is_column: Whether certificates have a column of this name, which a mapping fills from the source. Any
            other dimension follows from dates, states or amounts.
        of_costs: Whether costs have it too; a filter that names one that they lack has no costs.
    """

    name: str
    aliases: tuple[str, ...]
    label: Text
    kind: Kind = Kind.NAME
    is_column: bool = True
    of_costs: bool = True


MONTH: Final = Dimension("month", ("mes",), Text("Mes", "Month"), Kind.MONTH, is_column=False)
CLIENT: Final = Dimension("client", ("cliente",), Text("Cliente", "Client"))
PROJECT: Final = Dimension("project", ("proyecto",), Text("Proyecto", "Project"))
PROJECT_MANAGER: Final = Dimension(
    "project_manager", ("jefe_proyecto", "manager"), Text("Jefe de proyecto", "Project manager")
)
ADMINISTRATOR: Final = Dimension("administrator", ("gestor",), Text("Gestor", "Administrator"))
STATE: Final = Dimension(
    "state", ("estado",), Text("Estado", "State"), Kind.STATE, is_column=False, of_costs=False
)
PROJECT_TYPE: Final = Dimension(
    "project_type", ("tipo_proyecto", "department", "departamento"), Text("Tipo de proyecto", "Project type")
)
AMOUNT_BAND: Final = Dimension(
    "amount_band",
    ("banda_monto", "rango_monto"),
    Text("Rango de monto", "Amount band"),
    Kind.AMOUNT_BAND,
    is_column=False,
    of_costs=False,
)
ISSUED_AGE: Final = Dimension(
    "issued_age",
    ("edad_emision",),
    Text("Días desde la emisión", "Days since issue"),
    Kind.AGE,
    is_column=False,
    of_costs=False,
)

DIMENSIONS: Final[tuple[Dimension, ...]] = (
    MONTH,
    CLIENT,
    PROJECT,
    PROJECT_MANAGER,
    ADMINISTRATOR,
    STATE,
    PROJECT_TYPE,
    AMOUNT_BAND,
    ISSUED_AGE,
)
AMOUNT_BANDS: Final = ("bajo", "medio", "alto", "muy alto")
"""Values of the amount band, by proposed amount: below the first cut of the currency, the second, ..."""

ISSUED_AGES: Final[tuple[tuple[str, int, int | None], ...]] = (
    ("0-6", 0, 6),
    ("7-13", 7, 13),
    ("14-29", 14, 29),
    ("30-59", 30, 59),
    ("60-89", 60, 89),
    ("90-179", 90, 179),
    ("180-364", 180, 364),
    ("365-729", 365, 729),
    ("730+", 730, None),
)
"""Values of the days since issue: label, first and last day (inclusive; None is no end)."""

COLUMN_DIMENSIONS: Final = tuple(dimension.name for dimension in DIMENSIONS if dimension.is_column)
"""Dimensions that are columns of certificates: names that people write."""

COST_COLUMN_DIMENSIONS: Final = tuple(
    dimension.name for dimension in DIMENSIONS if dimension.is_column and dimension.of_costs
)
"""Those that are columns of costs too."""

NOT_OF_COSTS: Final = frozenset(dimension.name for dimension in DIMENSIONS if not dimension.of_costs)
"""Dimensions that a cost does not have: a filter that names one has no costs."""

DIMENSION_NAMES: Final = tuple(dimension.name for dimension in DIMENSIONS)

PARAMETER_NAMES: Final[dict[str, str]] = {
    spelling: dimension.name for dimension in DIMENSIONS for spelling in (dimension.name, *dimension.aliases)
}
"""Every accepted spelling of a dimension as a query parameter, to its canonical name."""

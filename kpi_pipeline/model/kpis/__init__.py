"""The KPI catalogue: each KPI is additive components and a formula. A new one is one entry of a group."""

from typing import Final

from kpi_pipeline.model.kpis.costs import COSTS
from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.money import MONEY
from kpi_pipeline.model.kpis.quality import QUALITY
from kpi_pipeline.model.kpis.rates import RATES
from kpi_pipeline.model.kpis.time import TIME
from kpi_pipeline.model.labels import Text

__all__ = ["COSTS_GROUP", "GROUP_LABELS", "KPIS", "KPI_GROUPS", "TREND_MONTHS", "Direction", "Kpi", "Unit"]

KPI_GROUPS: Final[dict[str, tuple[Kpi, ...]]] = {
    "money": (*MONEY, *RATES),
    "time": TIME,
    "quality": QUALITY,
    "costs": COSTS,
}
"""The KPIs of each group, in reading order."""

GROUP_LABELS: Final[dict[str, Text]] = {
    "money": Text("Montos", "Amounts"),
    "time": Text("Tiempos", "Times"),
    "quality": Text("Calidad y riesgo", "Quality and risk"),
    "costs": Text("Costos y margen", "Costs and margin"),
}
"""Headings of the groups."""

COSTS_GROUP: Final = "costs"
"""The group of KPIs that have no value under filters by what costs lack."""

KPIS: Final[tuple[Kpi, ...]] = tuple(kpi for group in KPI_GROUPS.values() for kpi in group)
"""Every KPI."""

TREND_MONTHS: Final = 12
"""Points of a trend: as of the ends of so many months, the last as of the business date."""

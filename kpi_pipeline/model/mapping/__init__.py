"""The mapping file: how a source's tables and spellings become certificates."""

from kpi_pipeline.model.mapping.amounts import Amounts
from kpi_pipeline.model.mapping.dates import Dates
from kpi_pipeline.model.mapping.source_mapping import (
    DEFAULTABLE,
    MAPPABLE,
    REQUIRED,
    MappingError,
    SourceMapping,
    parse_mapping,
)
from kpi_pipeline.model.mapping.tables import (
    COST_MAPPABLE,
    COST_REQUIRED,
    ChangeLog,
    CostLines,
    CostSource,
    StateRule,
    TableSource,
)

__all__ = [
    "COST_MAPPABLE",
    "COST_REQUIRED",
    "DEFAULTABLE",
    "MAPPABLE",
    "REQUIRED",
    "Amounts",
    "ChangeLog",
    "CostLines",
    "CostSource",
    "Dates",
    "MappingError",
    "SourceMapping",
    "StateRule",
    "TableSource",
    "parse_mapping",
]

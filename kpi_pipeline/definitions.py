"""Everything that Dagster knows, wired: the only place that does."""

from dagster import Definitions

from kpi_pipeline.assets.rollup import rollup
from kpi_pipeline.assets.sources import certificates
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.snapshots import TableIOManager
from kpi_pipeline.resources.source import SourceResource

defs = Definitions(
    assets=[certificates, rollup],
    resources={"source": SourceResource(), "cache": CacheResource(), "tables": TableIOManager()},
)

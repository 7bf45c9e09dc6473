"""Everything that Dagster knows, wired: the only place that does."""

from dagster import Definitions, in_process_executor

from kpi_pipeline.assets.products import LIVE_ASSETS, PRODUCT_ASSETS
from kpi_pipeline.assets.rollup import rollup
from kpi_pipeline.assets.sources import certificates
from kpi_pipeline.jobs import PRODUCT_JOBS, RECONCILE, REFRESH_ALL
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.snapshots import EntryIOManager, TableIOManager
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.schedules import SCHEDULES
from kpi_pipeline.sensors.requests import requested_refreshes
from kpi_pipeline.sensors.tasks import TASK_SENSORS

defs = Definitions(
    assets=[certificates, rollup, *PRODUCT_ASSETS, *LIVE_ASSETS],
    jobs=[*PRODUCT_JOBS.values(), REFRESH_ALL, RECONCILE],
    schedules=SCHEDULES,
    sensors=[requested_refreshes, *TASK_SENSORS],
    # The worker's processes may not have children: also what is started by hand in the UI runs in one.
    executor=in_process_executor,
    resources={
        "source": SourceResource(),
        "cache": CacheResource(),
        "tables": TableIOManager(),
        "entries": EntryIOManager(),
    },
)

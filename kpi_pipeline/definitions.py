"""Everything that Dagster knows, wired: the only place that does."""

from dagster import Definitions, in_process_executor

from kpi_pipeline.assets.added_answers import added_answers
from kpi_pipeline.assets.agreement import agreement
from kpi_pipeline.assets.archive import ARCHIVED_ASSETS
from kpi_pipeline.assets.cleanup import clean_cache
from kpi_pipeline.assets.coverage import coverage
from kpi_pipeline.assets.forecast_backtest import forecast_backtest
from kpi_pipeline.assets.month_ends.publication import MONTH_END_ASSETS
from kpi_pipeline.assets.products import LIVE_ASSETS, PRODUCT_ASSETS
from kpi_pipeline.assets.rollup import rollup
from kpi_pipeline.assets.run_history import run_history
from kpi_pipeline.assets.scopes import SCOPE_ASSETS
from kpi_pipeline.assets.sources import certificates
from kpi_pipeline.jobs import (
    ADD_ANSWERS,
    AUDIT_FIGURES,
    BACKFILL_MONTH_ENDS,
    BACKTEST_FORECAST,
    CLEAN_UP,
    MEASURE_COVERAGE,
    PRODUCT_JOBS,
    RECONCILE,
    REFRESH_ALL,
    restore_cache,
)
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.snapshots import EntryIOManager
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTableIOManager, TableIOManager
from kpi_pipeline.schedules import MONTH_END_SCHEDULE, SCHEDULES
from kpi_pipeline.sensors.alerts import alerts, generation_webhooks
from kpi_pipeline.sensors.cold_cache import cold_cache
from kpi_pipeline.sensors.freshness_violations import freshness_violations
from kpi_pipeline.sensors.month_ends import missing_month_ends
from kpi_pipeline.sensors.source import source_changes
from kpi_pipeline.sensors.task_outcomes import TASK_SENSORS
from kpi_pipeline.sensors.unfulfilled_requests import requested_refreshes

defs = Definitions(
    assets=[
        certificates,
        rollup,
        *PRODUCT_ASSETS,
        *LIVE_ASSETS,
        *ARCHIVED_ASSETS,
        *SCOPE_ASSETS,
        *MONTH_END_ASSETS,
        added_answers,
        clean_cache,
        run_history,
        coverage,
        forecast_backtest,
        agreement,
    ],
    jobs=[
        ADD_ANSWERS,
        *PRODUCT_JOBS.values(),
        REFRESH_ALL,
        RECONCILE,
        BACKFILL_MONTH_ENDS,
        CLEAN_UP,
        MEASURE_COVERAGE,
        BACKTEST_FORECAST,
        AUDIT_FIGURES,
        restore_cache,
    ],
    schedules=[*SCHEDULES, MONTH_END_SCHEDULE],
    sensors=[
        requested_refreshes,
        *TASK_SENSORS,
        source_changes,
        cold_cache,
        freshness_violations,
        missing_month_ends,
        alerts,
        generation_webhooks,
    ],
    # The worker's processes may not have children: also what is started by hand in the UI runs in one.
    executor=in_process_executor,
    resources={
        "source": SourceResource(),
        "cache": CacheResource(),
        "tables": TableIOManager(),
        "stored_tables": StoredTableIOManager(),
        "entries": EntryIOManager(),
    },
)

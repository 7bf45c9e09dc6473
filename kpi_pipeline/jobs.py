"""The jobs that publish: by product, all at once, all anew, month ends; and those of upkeep."""

from typing import Final

from dagster import AssetSelection, define_asset_job, in_process_executor, job

from kpi_pipeline.assets.archive import restore_lost
from kpi_pipeline.cache.requests.fulfil import (
    ALWAYS,
    NOBODY_WAITS,
    PRIORITY_TAG,
    REBUILD_TAG,
    REFRESH_ALL_JOB,
    refresh_job,
)
from kpi_pipeline.model.dimensions import PRODUCTS

QUEUES: Final = {
    "kpis": "kpis",
    "dashboards": "dashboard",
    "charts": "background",
    "financials": "background",
}
"""Worker queue of each product's job; a person waits for the first two."""

LONGEST_RUN_SECONDS: Final = 900
"""A run that takes longer hangs: it is ended, and what is live stays."""

LONGEST_BACKFILL_SECONDS: Final = 1800
"""A backfill that takes longer is ended; the next goes on where it ended."""

_PUBLICATION: Final = AssetSelection.groups("sources", "rollup", "products", "publication")


def _tags(queue: str) -> dict[str, str]:
    return {
        "dagster-celery/queue": queue,
        "dagster/max_runtime": str(LONGEST_RUN_SECONDS),
        PRIORITY_TAG: NOBODY_WAITS,
    }


PRODUCT_JOBS: Final = {
    product: define_asset_job(
        refresh_job(product),
        selection=AssetSelection.assets(f"archived_{product}").upstream()
        | AssetSelection.assets("quarantine", "costs", "cost_quarantine"),
        description=f"Read the source, roll up, compute every variant of {product} and make it live.",
        tags=_tags(QUEUES[product]),
        executor_def=in_process_executor,
    )
    for product in PRODUCTS
}

REFRESH_ALL: Final = define_asset_job(
    REFRESH_ALL_JOB,
    selection=_PUBLICATION,
    description="Read the source once and make every product live.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

RECONCILE: Final = define_asset_job(
    "reconcile",
    selection=_PUBLICATION,
    description="Read the source and write every product anew, also where nothing seems to have changed.",
    tags={**_tags("background"), REBUILD_TAG: ALWAYS},
    executor_def=in_process_executor,
)

BACKFILL_MONTH_ENDS: Final = define_asset_job(
    "backfill_month_ends",
    selection=AssetSelection.groups("month_ends"),
    description="Read the source once and publish the month ends of a range of months; what is live stays.",
    tags={**_tags("background"), "dagster/max_runtime": str(LONGEST_BACKFILL_SECONDS)},
    executor_def=in_process_executor,
)

CLEAN_UP: Final = define_asset_job(
    "clean_up",
    selection=AssetSelection.groups("upkeep"),
    description="Remove what crashes left behind from the cache, and keep what is bounded within its bounds.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

MEASURE_COVERAGE: Final = define_asset_job(
    "measure_coverage",
    selection=AssetSelection.groups("coverage"),
    description="Tell which variants are precomputed, and how readers' questions find them.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

BACKTEST_FORECAST: Final = define_asset_job(
    "backtest_forecast",
    selection=AssetSelection.groups("backtest"),
    description="Tell how forecasts of months that are over would have done, by the last certificates read.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)


@job(
    description="Bring back from the archive what Redis has lost, without reading the source.",
    tags=_tags("kpis"),
    executor_def=in_process_executor,
)
def restore_cache() -> None:
    """Restore what is lost."""
    restore_lost()

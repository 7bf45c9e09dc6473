"""The jobs: refreshes, reconciliation, month ends, restoration and upkeep."""

from typing import Final

from dagster import AssetSelection, define_asset_job, in_process_executor, job

from kpi_pipeline.assets.archive import restore_lost
from kpi_pipeline.assets.scopes import SCOPE_ASSETS
from kpi_pipeline.cache.requests.fulfil import (
    ADD_ANSWERS_JOB,
    ALWAYS,
    NOBODY_WAITS,
    PRIORITY_TAG,
    REBUILD_TAG,
    RECONCILE_JOB,
    REFRESH_ALL_JOB,
    RESTORE_JOB,
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
"""A run that takes longer is ended; the live generations stay."""

LONGEST_BACKFILL_SECONDS: Final = 1800
"""A backfill that takes longer is ended; the next one continues it."""

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
        | AssetSelection.assets("quarantine", "costs", "cost_quarantine", *SCOPE_ASSETS),
        description=f"Read the source, roll up, compute every variant of {product} and make it live.",
        tags=_tags(QUEUES[product]),
        executor_def=in_process_executor,
    )
    for product in PRODUCTS
}

ADD_ANSWERS: Final = define_asset_job(
    ADD_ANSWERS_JOB,
    selection=AssetSelection.groups("additions"),
    description="Add to what is live the answers that readers wait for, without reading the source.",
    tags=_tags("kpis"),
    executor_def=in_process_executor,
)

REFRESH_ALL: Final = define_asset_job(
    REFRESH_ALL_JOB,
    selection=_PUBLICATION,
    description="Read the source once and make every product live.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

RECONCILE: Final = define_asset_job(
    RECONCILE_JOB,
    selection=_PUBLICATION,
    description="Read the source and write every product, unchanged ones included.",
    tags={**_tags("background"), REBUILD_TAG: ALWAYS},
    executor_def=in_process_executor,
)

BACKFILL_MONTH_ENDS: Final = define_asset_job(
    "backfill_month_ends",
    selection=AssetSelection.groups("month_ends"),
    description="Read the source once and publish a range of month ends; live generations stay.",
    tags={**_tags("background"), "dagster/max_runtime": str(LONGEST_BACKFILL_SECONDS)},
    executor_def=in_process_executor,
)

CLEAN_UP: Final = define_asset_job(
    "clean_up",
    selection=AssetSelection.groups("upkeep"),
    description="Remove leftovers of crashes from the cache and old runs from Dagster.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

MEASURE_COVERAGE: Final = define_asset_job(
    "measure_coverage",
    selection=AssetSelection.groups("coverage"),
    description="Report which variants are precomputed, and how often readers hit or miss them.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

AUDIT_FIGURES: Final = define_asset_job(
    "audit_figures",
    selection=AssetSelection.groups("audit"),
    description="Recompute a sample of what is live from the rows of its reading, by other code.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)

BACKTEST_FORECAST: Final = define_asset_job(
    "backtest_forecast",
    selection=AssetSelection.groups("backtest"),
    description="Compare forecasts of past months with collections, by the last certificates read.",
    tags=_tags("background"),
    executor_def=in_process_executor,
)


@job(
    name=RESTORE_JOB,
    description="Bring back from the archive what Redis has lost, without reading the source.",
    tags=_tags("kpis"),
    executor_def=in_process_executor,
)
def restore_cache() -> None:
    """Restore what is lost."""
    restore_lost()

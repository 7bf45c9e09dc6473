"""The jobs that publish: one per product, all at once, and all anew."""

from typing import Final

from dagster import AssetSelection, define_asset_job, in_process_executor

from kpi_pipeline.assets.products import ALWAYS, REBUILD_TAG
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

_PUBLICATION: Final = AssetSelection.groups("sources", "rollup", "products", "publication")


def _tags(queue: str) -> dict[str, str]:
    return {"dagster-celery/queue": queue, "dagster/max_runtime": str(LONGEST_RUN_SECONDS)}


PRODUCT_JOBS: Final = {
    product: define_asset_job(
        f"refresh_{product}",
        selection=AssetSelection.assets(f"live_{product}").upstream() | AssetSelection.assets("quarantine"),
        description=f"Read the source, roll up, compute every variant of {product} and make it live.",
        tags=_tags(QUEUES[product]),
        executor_def=in_process_executor,
    )
    for product in PRODUCTS
}

REFRESH_ALL: Final = define_asset_job(
    "refresh_all",
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

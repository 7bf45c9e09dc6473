"""The jobs: one per product, and all at once."""

from dagster import AssetSelection, define_asset_job, in_process_executor

from kpi_pipeline.model.dimensions import PRODUCTS

QUEUES = {"kpis": "kpis", "dashboards": "dashboard", "charts": "background", "financials": "background"}
"""Worker queue of each product's job; a person waits for the first two."""


def _job_name(product: str) -> str:
    return f"refresh_{product}"


PRODUCT_JOBS = {
    product: define_asset_job(
        _job_name(product),
        selection=AssetSelection.assets(f"live_{product}").upstream() | AssetSelection.assets("quarantine"),
        description=f"Read the source, roll up, compute every variant of {product} and make it live.",
        tags={"dagster-celery/queue": QUEUES[product]},
        executor_def=in_process_executor,
    )
    for product in PRODUCTS
}

REFRESH_ALL = define_asset_job(
    "refresh_all",
    selection=AssetSelection.all(),
    description="Read the source once and make every product live.",
    tags={"dagster-celery/queue": "background"},
    executor_def=in_process_executor,
)

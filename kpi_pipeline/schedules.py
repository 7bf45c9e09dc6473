"""When each product is refreshed."""

from dagster import DefaultScheduleStatus, ScheduleDefinition

from kpi_pipeline.jobs import PRODUCT_JOBS

CRON = {
    # Minutes are set apart so that no two products start together.
    "dashboards": "*/5 * * * *",
    "kpis": "2-59/10 * * * *",
    "charts": "4-59/15 * * * *",
    "financials": "8-59/30 * * * *",
}
"""Cron of each product; its period equals the product's default time to live."""

SCHEDULES = [
    ScheduleDefinition(
        name=f"refresh_{product}_schedule",
        job=PRODUCT_JOBS[product],
        cron_schedule=cron,
        description=f"Keep {product} fresh.",
        default_status=DefaultScheduleStatus.RUNNING,
    )
    for product, cron in CRON.items()
]

"""When figures are refreshed. Minutes are set apart, so that no two schedules start together."""

from typing import Final

from dagster import DefaultScheduleStatus, ScheduleDefinition

from kpi_pipeline.jobs import PRODUCT_JOBS, RECONCILE, REFRESH_ALL
from kpi_pipeline.settings import Settings

PRODUCT_CRON: Final = {
    "dashboards": "1-59/5 * * * *",
    "kpis": "2-59/10 * * * *",
    "charts": "4-59/15 * * * *",
    "financials": "8-59/30 * * * *",
}
"""Cron of each product; its period equals the product's default time to live."""

ALL_CRON: Final = "23-59/30 * * * *"
RECONCILE_CRON: Final = "17 3 * * *"
MIDNIGHT_CRON: Final = "0 0 * * *"


_PLAN: Final = (
    *(
        (f"refresh_{product}_schedule", PRODUCT_JOBS[product], cron, f"Keep {product} fresh.")
        for product, cron in PRODUCT_CRON.items()
    ),
    ("refresh_all_schedule", REFRESH_ALL, ALL_CRON, "Keep all products on one reading."),
    ("reconcile_schedule", RECONCILE, RECONCILE_CRON, "Write everything anew, each night."),
    ("new_day_schedule", REFRESH_ALL, MIDNIGHT_CRON, "Ageing and overdue move with the date."),
)

SCHEDULES: Final = [
    ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=Settings().timezone,
        description=description,
        default_status=DefaultScheduleStatus.RUNNING,
    )
    for name, job, cron, description in _PLAN
]

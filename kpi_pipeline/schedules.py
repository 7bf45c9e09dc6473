"""When figures are refreshed. Minutes are set apart, so that no two schedules start together."""

from typing import Final
from zoneinfo import ZoneInfo

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)

from kpi_pipeline.compute.months import month_end, month_number, month_of, month_text
from kpi_pipeline.jobs import (
    BACKFILL_MONTH_ENDS,
    BACKTEST_FORECAST,
    CLEAN_UP,
    MEASURE_COVERAGE,
    PRODUCT_JOBS,
    RECONCILE,
    REFRESH_ALL,
)
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
CLEAN_UP_CRON: Final = "45 * * * *"
COVERAGE_CRON: Final = "28-59/30 * * * *"
BACKTEST_CRON: Final = "33 4 * * *"
MONTH_END_CRON: Final = "50 1 1 * *"


_PLAN: Final = (
    *(
        (f"{PRODUCT_JOBS[product].name}_schedule", PRODUCT_JOBS[product], cron, f"Keep {product} fresh.")
        for product, cron in PRODUCT_CRON.items()
    ),
    (f"{REFRESH_ALL.name}_schedule", REFRESH_ALL, ALL_CRON, "Keep all products on one reading."),
    ("reconcile_schedule", RECONCILE, RECONCILE_CRON, "Rebuild every product each night."),
    ("new_day_schedule", REFRESH_ALL, MIDNIGHT_CRON, "Ageing and overdue move with the date."),
    ("clean_up_schedule", CLEAN_UP, CLEAN_UP_CRON, "Keep the cache without leftovers."),
    ("coverage_schedule", MEASURE_COVERAGE, COVERAGE_CRON, "Report hits and misses of variants."),
    ("backtest_schedule", BACKTEST_FORECAST, BACKTEST_CRON, "Test the forecast against later collections."),
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


@schedule(
    name="month_end_schedule",
    job=BACKFILL_MONTH_ENDS,
    cron_schedule=MONTH_END_CRON,
    execution_timezone=Settings().timezone,
    description="Keep the figures as of the end of the month that is over.",
    default_status=DefaultScheduleStatus.RUNNING,
)
def MONTH_END_SCHEDULE(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:  # noqa: N802
    """Request the month end before the tick, unless the configured business date is earlier."""
    settings = Settings()
    ticked_on = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone)).date()
    month, today = month_text(month_of(ticked_on) - 1), settings.today()
    if month_end(month_number(month)) > today:
        return SkipReason(f"the business date is {today}: no month is newly over")
    return RunRequest(run_key=month, partition_key=month)

"""When figures are refreshed: each product so early before it turns stale that a run is done by then.

With the default times to live no two schedules start together. What was missed while nothing ran is made up
for by one run of all products, not by one of each schedule. A refresh is requested as readers do it: it joins
a run that will do the same.
"""

import time
from collections.abc import Callable
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

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS, Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.compute.months import month_end, month_number, month_of, month_text
from kpi_pipeline.jobs import (
    AUDIT_FIGURES,
    BACKFILL_MONTH_ENDS,
    BACKTEST_FORECAST,
    CLEAN_UP,
    MEASURE_COVERAGE,
    PRODUCT_JOBS,
    RECONCILE,
    REFRESH_ALL,
)
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.settings import Settings

FIRST_MINUTE: Final = {"dashboards": 1, "kpis": 2, "charts": 4, "financials": 7}
"""The minute of each hour from which a product's refreshes are counted."""

ALL_CRON: Final = "6-59/30 * * * *"
RECONCILE_CRON: Final = "15 3 * * *"
MIDNIGHT_CRON: Final = "0 0 * * *"
CLEAN_UP_CRON: Final = "55 * * * *"
COVERAGE_CRON: Final = "12-59/30 * * * *"
AUDIT_CRON: Final = "39 * * * *"
BACKTEST_CRON: Final = "35 4 * * *"
MONTH_END_CRON: Final = "51 1 1 * *"


MISSED_S: Final = 90.0
"""A tick that is evaluated so many seconds late was missed: nothing ran when it was due."""

_LEFT: Final = "missed while nothing ran: one run of all products makes up for it"


def refresh_cron(ttl_s: int, lead_s: int, first_minute: int) -> str:
    """When a product is refreshed, so that its figures are replaced before they turn stale.

    Two refreshes are never further apart than the time to live less the lead; a time to live under two
    minutes is held by no schedule, for cron counts in minutes.

    Args:
        ttl_s: For how many seconds figures are fresh.
        lead_s: How many seconds before that ends a refresh begins.
        first_minute: The minute of the hour from which refreshes are counted, below 60.

    Returns:
        A cron expression.
    """
    period = max((ttl_s - lead_s) // 60, 1)
    if period >= 60:
        hours = max(hours for hours in _PARTS_OF_A_DAY if hours <= period // 60)
        return f"{first_minute} {'*' if hours == 1 else f'*/{hours}'} * * *"
    minutes = max(minutes for minutes in _PARTS_OF_AN_HOUR if minutes <= period)
    return f"{first_minute % minutes}-59/{minutes} * * * *"


# Between others, the last refresh of an hour or a day and the first of the next would be closer.
_PARTS_OF_AN_HOUR: Final = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_PARTS_OF_A_DAY: Final = (1, 2, 3, 4, 6, 8, 12, 24)


def _missed(context: ScheduleEvaluationContext) -> bool:
    return time.time() - context.scheduled_execution_time.timestamp() > MISSED_S


def _unless_missed(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Request a run, unless the tick was missed."""
    if _missed(context):
        return SkipReason(_LEFT)
    return RunRequest()


def _refresh(product: str, name: str) -> Callable[[ScheduleEvaluationContext], SkipReason]:
    """What a schedule does that refreshes a product, or all: that also makes up for what was missed."""

    def evaluate(context: ScheduleEvaluationContext) -> SkipReason:
        if _missed(context) and product != ALL_PRODUCTS:
            return SkipReason(_LEFT)
        with connect(redis_url(Settings())) as client:
            task = Requests(client).submit(RequestKind.REFRESH, product, EVERYTHING, by=name)
        return SkipReason(f"a refresh is requested: {task.as_text()}")

    return evaluate


_SETTINGS: Final = Settings()
_PLAN: Final = (
    *(
        (
            f"{PRODUCT_JOBS[product].name}_schedule",
            PRODUCT_JOBS[product],
            refresh_cron(_SETTINGS.ttl[product], _SETTINGS.refresh_lead, first_minute),
            f"Keep {product} fresh.",
            _refresh(product, f"{PRODUCT_JOBS[product].name}_schedule"),
        )
        for product, first_minute in FIRST_MINUTE.items()
    ),
    (
        f"{REFRESH_ALL.name}_schedule",
        REFRESH_ALL,
        ALL_CRON,
        "Keep all products on one reading.",
        _refresh(ALL_PRODUCTS, f"{REFRESH_ALL.name}_schedule"),
    ),
    ("reconcile_schedule", RECONCILE, RECONCILE_CRON, "Rebuild every product each night.", _unless_missed),
    (
        "new_day_schedule",
        REFRESH_ALL,
        MIDNIGHT_CRON,
        "Aging and overdue move with the date.",
        _refresh(ALL_PRODUCTS, "new_day_schedule"),
    ),
    ("clean_up_schedule", CLEAN_UP, CLEAN_UP_CRON, "Keep the cache without leftovers.", None),
    ("coverage_schedule", MEASURE_COVERAGE, COVERAGE_CRON, "Report hits and misses of variants.", None),
    ("audit_schedule", AUDIT_FIGURES, AUDIT_CRON, "Compare live figures with their recomputation.", None),
    (
        "backtest_schedule",
        BACKTEST_FORECAST,
        BACKTEST_CRON,
        "Test the forecast against later collections.",
        None,
    ),
)

SCHEDULES: Final = [
    ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_fn=evaluate,
        execution_timezone=_SETTINGS.timezone,
        description=description,
        default_status=DefaultScheduleStatus.RUNNING,
    )
    for name, job, cron, description, evaluate in _PLAN
]


@schedule(
    name="month_end_schedule",
    job=BACKFILL_MONTH_ENDS,
    cron_schedule=MONTH_END_CRON,
    execution_timezone=_SETTINGS.timezone,
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

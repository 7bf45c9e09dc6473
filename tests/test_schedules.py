"""When products are refreshed, what is made up for, and when month ends are kept."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from dagster import DagsterInstance, ScheduleDefinition, build_schedule_context
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.fulfil import refresh_job
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.definitions import defs
from kpi_pipeline.jobs import PRODUCT_JOBS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.schedules import FIRST_MINUTE, MISSED_S, refresh_cron
from kpi_pipeline.settings import Settings


def longest_pause(cron: str) -> float:
    """The longest time between two ticks of minutes and hours, in seconds."""
    minutes, hours, *days = cron.split()
    assert days == ["*", "*", "*"]
    first, _, every = minutes.partition("-59/")
    step = int(hours.removeprefix("*").removeprefix("/") or 1)
    times = [
        60 * hour + minute
        for hour in range(0, 48, step)
        for minute in range(int(first), 60, int(every or 60))
    ]
    return 60 * max(after - before for before, after in pairwise(times))


def schedule_of(job: str) -> ScheduleDefinition:
    return next(one for one in defs.schedules if one.name == f"{job}_schedule")


@given(st.integers(120, 200_000), st.integers(1, 600), st.integers(0, 59))
def test_figures_are_refreshed_before_they_turn_stale(ttl: int, lead: int, first_minute: int) -> None:
    pause = longest_pause(refresh_cron(ttl, lead, first_minute))
    assert pause <= max(ttl - lead, 60)
    # Nor twice as often as they must, up to once a day.
    assert pause > min(ttl - lead, 86_400) / 2 - 60


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_time_to_live_of_the_settings_decides(product: str) -> None:
    settings = Settings()
    cron = str(schedule_of(PRODUCT_JOBS[product].name).cron_schedule)
    assert longest_pause(cron) <= settings.ttl[product] - settings.refresh_lead


@pytest.mark.slow
def test_another_time_to_live_moves_the_schedule() -> None:
    code = (
        "from kpi_pipeline.schedules import SCHEDULES; "
        "print(*(one.cron_schedule for one in SCHEDULES if one.name == 'refresh_kpis_schedule'))"
    )
    environment = {**os.environ, "REDIS_CACHE_TTL_KPIS": "1800", "KPI_REFRESH_LEAD_S": "300"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert told == refresh_cron(1800, 300, FIRST_MINUTE["kpis"])
    assert longest_pause(told) == 1200


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as local:
        yield local


@pytest.fixture
def runs_at(
    instance: DagsterInstance, cache_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, float], list[str]]]:
    """The jobs that a schedule requests at a tick that was due some seconds ago."""
    monkeypatch.setenv("REDIS_URL", cache_url)

    def evaluate(job: str, seconds_ago: float) -> list[str]:
        context = build_schedule_context(
            instance,
            scheduled_execution_time=datetime.fromtimestamp(time.time() - seconds_ago, UTC),
            repository_def=defs.get_repository_def(),
        )
        runs = [str(run.job_name or job) for run in schedule_of(job).evaluate_tick(context).run_requests]
        return runs + [refresh_job(request.product) for request in requests.pending("test", 10)]

    with connect(cache_url) as client:
        requests = Requests(client)
        yield evaluate


@pytest.mark.slow
@pytest.mark.parametrize("job", [*(PRODUCT_JOBS[product].name for product in PRODUCTS), "reconcile"])
def test_a_missed_tick_of_a_product_is_left_to_a_run_of_all(runs_at, job: str) -> None:
    assert runs_at(job, 5) == [job]
    assert runs_at(job, MISSED_S + 60) == []


@pytest.mark.slow
def test_one_run_makes_up_for_what_was_missed(runs_at) -> None:
    assert runs_at("refresh_all", MISSED_S + 60) == ["refresh_all"]
    # The same request, which no run has read the source for yet.
    assert runs_at("new_day", MISSED_S + 60) == []
    assert runs_at("refresh_all", 5) == []


@pytest.mark.parametrize(
    ("tick", "as_of", "month"),
    [
        ("2024-07-01T05:50:00+00:00", None, "2024-06"),
        ("2024-03-01T04:50:00+00:00", "2024-03-01", "2024-02"),
        ("2024-07-01T05:50:00+00:00", "2024-06-28", None),
    ],
)
def test_the_month_that_is_over_is_kept_unless_the_business_date_is_earlier(
    tick: str, as_of: str | None, month: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if as_of:
        monkeypatch.setenv("KPI_AS_OF", as_of)
    with DagsterInstance.ephemeral() as instance:
        context = build_schedule_context(
            instance,
            scheduled_execution_time=datetime.fromisoformat(tick),
            repository_def=defs.get_repository_def(),
        )
        requests = schedule_of("month_end").evaluate_tick(context).run_requests
    assert [request.partition_key for request in requests or []] == ([month] if month else [])

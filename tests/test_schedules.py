"""When month ends are kept."""

from datetime import datetime

import pytest
from dagster import DagsterInstance, build_schedule_context

from kpi_pipeline.definitions import defs


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
    schedule = next(one for one in defs.schedules if one.name == "month_end_schedule")
    with DagsterInstance.ephemeral() as instance:
        context = build_schedule_context(
            instance,
            scheduled_execution_time=datetime.fromisoformat(tick),
            repository_def=defs.get_repository_def(),
        )
        requests = schedule.evaluate_tick(context).run_requests
    assert [request.partition_key for request in requests or []] == ([month] if month else [])

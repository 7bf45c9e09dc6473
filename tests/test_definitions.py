"""What Dagster is told: everything an engineer expects to find in its UI."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, DefaultScheduleStatus, DefaultSensorStatus

from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS

ROOT = Path(__file__).parents[1]
MONTH_END_TABLES = tuple(f"month_end_{table}" for table in ROLLUP_TABLES)
ASSETS = {
    "certificates": set(),
    "quarantine": set(),
    "costs": set(),
    "cost_quarantine": set(),
    **{table: {"certificates", "costs"} for table in ROLLUP_TABLES},
    **{product: set(ROLLUP_TABLES) for product in PRODUCTS},
    **{f"live_{product}": {product} for product in PRODUCTS},
    **{f"archived_{product}": {f"live_{product}"} for product in PRODUCTS},
}
ASIDE = {
    "month_end_certificates": set(),
    "month_end_costs": set(),
    **{table: {"month_end_certificates", "month_end_costs"} for table in MONTH_END_TABLES},
    **{f"month_end_{product}": {"month_end_certificates", *MONTH_END_TABLES} for product in PRODUCTS},
    "added_answers": {f"live_{product}" for product in PRODUCTS},
    "clean_cache": set(),
    "run_history": set(),
    "coverage": set(),
    "forecast_backtest": {"certificates"},
    "agreement": {f"live_{product}" for product in PRODUCTS},
}
"""What no refresh makes."""


def test_the_way_of_the_data_is_drawn() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == {*ASSETS, *ASIDE}
    for name, upstream in {**ASSETS, **ASIDE}.items():
        assert {key.to_user_string() for key in graph.get(AssetKey(name)).parent_keys} == upstream


def test_every_asset_tells_its_owner_group_kinds_and_meaning() -> None:
    published = {"sources", "rollup", "products", "publication"}
    groups = {*published, "additions", "month_ends", "upkeep", "coverage", "backtest", "audit"}
    for spec in defs.resolve_all_asset_specs():
        assert spec.owners, spec.key
        assert spec.group_name in groups
        assert spec.kinds, spec.key
        assert spec.description, spec.key


def test_checks_block_what_comes_after() -> None:
    graph = defs.resolve_asset_graph()
    checks = {
        (key.asset_key.to_user_string(), key.name): graph.get_check_spec(key)
        for key in graph.asset_check_keys
    }
    # Of what an audit has checked nothing is made.
    assert {key for key, spec in checks.items() if not spec.blocking} == {("agreement", "figures_agree")}
    assert set(checks) == {
        ("certificates", "rejected_share_within_limit"),
        ("certificates", "rejected_amount_within_limit"),
        ("certificates", "nothing_collapsed"),
        ("costs", "rejected_costs_within_limit"),
        ("costs", "rejected_cost_amount_within_limit"),
        ("rollup", "totals_reconcile_with_certificates"),
        ("agreement", "figures_agree"),
        ("month_end_rollup", "month_ends_reconcile_with_certificates"),
        *((f"month_end_{product}", f"{product}_month_ends_hold") for product in PRODUCTS),
        *(
            (product, check)
            for product in PRODUCTS
            for check in ("variants_reconcile", "values_in_range", "reads_back")
        ),
    }


@pytest.mark.parametrize("product", PRODUCTS)
def test_each_product_has_a_job_that_reads_the_source_and_publishes_it_alone(product: str) -> None:
    job = defs.resolve_job_def(f"refresh_{product}")
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    read = {"certificates", "quarantine", "costs", "cost_quarantine"}
    assert made == {*read, *ROLLUP_TABLES, product, f"live_{product}", f"archived_{product}"}


@pytest.mark.parametrize("name", ["refresh_all", "reconcile"])
def test_one_job_publishes_everything(name: str) -> None:
    job = defs.resolve_job_def(name)
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == set(ASSETS)


def test_only_the_nightly_job_writes_what_has_not_changed() -> None:
    tags = {job.name: job.tags for job in defs.jobs}
    assert [name for name, held in tags.items() if held.get("kpi/rebuild") == "always"] == ["reconcile"]


def test_no_run_hangs_for_ever() -> None:
    longest = {job.name: int(job.tags["dagster/max_runtime"]) for job in defs.jobs}
    assert longest.pop("backfill_month_ends") == 1800
    assert all(seconds <= 900 for seconds in longest.values())


def test_every_product_is_refreshed_on_time_and_no_two_schedules_start_together() -> None:
    schedules = {schedule.name: schedule for schedule in defs.schedules}
    assert all(one.default_status is DefaultScheduleStatus.RUNNING for one in schedules.values())
    starts = {name: _minutes_of_the_day(str(one.cron_schedule)) for name, one in schedules.items()}
    a_day = 24 * 60
    often = {
        "refresh_dashboards_schedule": a_day // 4,
        "refresh_kpis_schedule": a_day // 6,
        "refresh_charts_schedule": a_day // 12,
        "refresh_financials_schedule": a_day // 20,
        "refresh_all_schedule": a_day // 30,
        "reconcile_schedule": 1,
        "new_day_schedule": 1,
        "clean_up_schedule": 24,
        "coverage_schedule": 48,
        "audit_schedule": 24,
        "backtest_schedule": 1,
        "month_end_schedule": 1,
    }
    assert {name: len(starts[name]) for name in often} == often
    every = [minute for at in starts.values() for minute in at]
    assert len(every) == len(set(every))


def test_the_business_date_turns_at_local_midnight() -> None:
    schedule = next(one for one in defs.schedules if one.name == "new_day_schedule")
    assert (schedule.cron_schedule, schedule.job_name) == ("0 0 * * *", "refresh_all")
    assert schedule.execution_timezone == "America/Santiago"


def _minutes_of_the_day(cron: str) -> set[int]:
    """The minutes of a day at which a cron fires, on the days on which it does."""
    minutes, hours, *rest = cron.split()
    assert rest[1:] == ["*", "*"]
    return {hour * 60 + minute for hour in _field(hours, 23) for minute in _field(minutes, 59)}


def _field(text: str, greatest: int) -> set[int]:
    span, _, step = text.partition("/")
    if span == "*":
        return set(range(0, greatest + 1, int(step or 1)))
    first, _, last = span.partition("-")
    return set(range(int(first), int(last or first) + 1, int(step or 1)))


def test_sensors_run_from_the_start() -> None:
    assert {sensor.name for sensor in defs.sensors} == {
        "requested_refreshes",
        "source_changes",
        "cold_cache",
        "missing_month_ends",
        "freshness_violations",
        "alerts",
        "generation_webhooks",
        "task_started",
        "task_success",
        "task_failure",
        "task_canceled",
    }
    assert all(sensor.default_status is DefaultSensorStatus.RUNNING for sensor in defs.sensors)


@pytest.mark.slow
def test_dagster_finds_the_workspace_valid(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    environment = {"DAGSTER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "DAGSTER_DISABLE_TELEMETRY": "yes"}
    found = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr

"""What Dagster is told: everything an engineer expects to find in its UI."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, DefaultScheduleStatus, DefaultSensorStatus

from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS

ROOT = Path(__file__).parents[1]
ASSETS = {
    "certificates": set(),
    "quarantine": set(),
    "rollup": {"certificates"},
    **{product: {"rollup"} for product in PRODUCTS},
    **{f"live_{product}": {product} for product in PRODUCTS},
}


def test_the_way_of_the_data_is_drawn() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == set(ASSETS)
    for name, upstream in ASSETS.items():
        assert {key.to_user_string() for key in graph.get(AssetKey(name)).parent_keys} == upstream


def test_every_asset_tells_its_owner_group_kinds_and_meaning() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.owners, spec.key
        assert spec.group_name in {"sources", "rollup", "products", "publication"}
        assert spec.kinds, spec.key
        assert spec.description, spec.key


def test_checks_block_what_comes_after() -> None:
    graph = defs.resolve_asset_graph()
    checks = {
        (key.asset_key.to_user_string(), key.name): graph.get_check_spec(key)
        for key in graph.asset_check_keys
    }
    assert all(spec.blocking for spec in checks.values())
    assert set(checks) == {
        ("certificates", "rejected_share_within_limit"),
        ("rollup", "totals_reconcile_with_certificates"),
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
    assert made == {"certificates", "quarantine", "rollup", product, f"live_{product}"}


def test_one_job_publishes_everything() -> None:
    job = defs.resolve_job_def("refresh_all")
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == set(ASSETS)


def test_every_product_is_refreshed_on_time_and_apart_from_the_others() -> None:
    schedules = {schedule.job_name: schedule for schedule in defs.schedules}
    assert set(schedules) == {f"refresh_{product}" for product in PRODUCTS}
    assert all(one.default_status is DefaultScheduleStatus.RUNNING for one in schedules.values())
    minutes = {product: _minutes(str(schedules[f"refresh_{product}"].cron_schedule)) for product in PRODUCTS}
    assert {product: len(at) for product, at in minutes.items()} == {
        "dashboards": 12,
        "kpis": 6,
        "charts": 4,
        "financials": 2,
    }
    assert not minutes["kpis"] & minutes["dashboards"]
    assert not minutes["charts"] & (minutes["dashboards"] | minutes["kpis"])
    assert not minutes["financials"] & (minutes["dashboards"] | minutes["kpis"] | minutes["charts"])


def _minutes(cron: str) -> set[int]:
    field, *rest = cron.split()
    assert rest == ["*", "*", "*", "*"]
    span, step = field.split("/")
    first, last = (0, 59) if span == "*" else (int(part) for part in span.split("-"))
    return set(range(first, last + 1, int(step)))


def test_sensors_run_from_the_start() -> None:
    assert {sensor.name for sensor in defs.sensors} == {
        "requested_refreshes",
        "task_started",
        "task_success",
        "task_failure",
        "task_canceled",
    }
    assert all(sensor.default_status is DefaultSensorStatus.RUNNING for sensor in defs.sensors)


def test_dagster_finds_the_workspace_valid(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    environment = {"DAGSTER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "DAGSTER_DISABLE_TELEMETRY": "yes"}
    found = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr

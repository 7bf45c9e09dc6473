"""Jobs beside those that refresh: a backfill of any range of months, and the clean-up."""

from datetime import UTC, datetime

from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS


def test_a_backfill_of_any_range_of_months_is_one_run() -> None:
    job = defs.resolve_job_def("backfill_month_ends")
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == {
        "month_end_certificates",
        "month_end_costs",
        *(f"month_end_{table}" for table in ROLLUP_TABLES),
        *(f"month_end_{product}" for product in PRODUCTS),
    }
    assert job.backfill_policy.max_partitions_per_run is None


def test_a_month_can_be_backfilled_from_when_it_is_over() -> None:
    months = defs.resolve_job_def("backfill_month_ends").partitions_def
    on_the_first = months.get_partition_keys(datetime(2024, 7, 1, 12, tzinfo=UTC))
    assert (on_the_first[0], on_the_first[-1]) == ("2005-01", "2024-06")
    assert "2024-06" not in months.get_partition_keys(datetime(2024, 6, 30, 23, tzinfo=UTC))


def test_the_clean_up_is_a_job_of_its_own() -> None:
    job = defs.resolve_job_def("clean_up")
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == {
        "clean_cache",
        "run_history",
    }

"""`kpi backfill`: the range is checked before anything runs, and what was published is read back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import payload_key, variant_key
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cli.backfill import read_back
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING

pytestmark = pytest.mark.slow

DAY = {"KPI_AS_OF": "2024-06-28"}


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.mark.parametrize(
    ("arguments", "code", "advice"),
    [
        (("--from", "2024"), 2, "YYYY-MM"),
        (("--from", "2024-13"), 2, "YYYY-MM"),
        (("--from", "2024-01", "--to", "soon"), 2, "YYYY-MM"),
        (("--from", "2024-01", "--to", "2024-06"), 1, "2024-05"),
        (("--from", "2019-01"), 1, "KPI_HISTORY_MONTHS"),
        (("--from", "2024-04", "--to", "2024-03"), 1, "earlier --from"),
        (("--from", "2024-01"), 3, "kpi up"),
        ((), 2, "--from"),
    ],
)
def test_a_range_that_cannot_be_published_is_refused(
    kpi, arguments: tuple[str, ...], code: int, advice: str
) -> None:
    ran = kpi("backfill", *arguments, **DAY)
    assert ran.code == code
    assert advice in ran.errors
    assert "Traceback" not in ran.errors


def test_what_was_published_is_read_back_and_what_is_lost_is_named(
    demo_home: Path, cache_url: str, instance: DagsterInstance
) -> None:
    job = defs.resolve_job_def("backfill_month_ends")
    first = job.execute_in_process(instance=instance, partition_key="2024-02")
    again = job.execute_in_process(
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": "2024-02",
            "dagster/asset_partition_range_end": "2024-03",
        },
    )
    assert first.success
    done = read_back(cache_url, again.run_id, ["2024-02", "2024-03"])
    assert {(one.month, one.product): one.outcome for one in done} == {
        (month, product): outcome
        for month, outcome in (("2024-02", "unchanged"), ("2024-03", "published"))
        for product in PRODUCTS
    }
    with connect(cache_url) as client:
        kept = CacheReader(client).month_ends.entry(
            "charts", max(CacheReader(client).month_ends.days("charts"))
        )
        client.delete(payload_key(kept.generation, variant_key("charts", EVERYTHING)))
    with pytest.raises(Problem, match="charts of 2024-03"):
        read_back(cache_url, again.run_id, ["2024-02", "2024-03"])
    with pytest.raises(Problem, match="kpis of 2024-01"):
        read_back(cache_url, again.run_id, ["2024-01"])

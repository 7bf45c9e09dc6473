"""What is recorded of the runs that published."""

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import live_entry
from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.model.performance import HOUR, Measure
from kpi_pipeline.stack.dagster_client import EndedRun
from kpi_pipeline.stack.publication_times import PublicationTimes
from tests.serving.conftest import Press


@pytest.fixture
def client(cache_url):
    with connect(cache_url) as connected:
        yield connected


def measured(client, measure: Measure) -> dict[str, int]:
    durations = PerformanceCounters(client).read(HOUR).durations[measure]
    return {name: round(one.total_s) for name, one in durations.items()}


def test_steps_and_the_time_from_the_source_until_it_was_served(client) -> None:
    Press(client).publish("kpis", "charts", age_s=100)
    entry = live_entry(client, "kpis")
    assert entry is not None
    read_at = entry.verified_at
    steps = {
        "read_source": (read_at - 1, read_at + 2),
        "live_kpis": (read_at + 6, read_at + 7),
        "live_charts": (read_at - 30, read_at - 20),  # another run has published since
        "live_financials": (read_at, read_at + 1),  # is not published
    }
    run = EndedRun("a", "refresh_all", "SUCCESS", read_at - 1, read_at + 8, steps)
    PublicationTimes(client).record(run)
    assert measured(client, Measure.STEP) == {
        "read_source": 3,
        "live_kpis": 1,
        "live_charts": 10,
        "live_financials": 1,
    }
    assert measured(client, Measure.LAG) == {"kpis": 7}


def test_a_run_that_failed_is_not_measured(client) -> None:
    PublicationTimes(client).record(EndedRun("a", "refresh_all", "FAILURE", 1.0, 2.0, {"kpis": (1.0, 2.0)}))
    assert measured(client, Measure.STEP) == {}

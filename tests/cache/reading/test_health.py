"""The verdict: each thing that can be wrong is found, and only figures that cannot be served are `down`."""

from dataclasses import replace

import pytest

from kpi_pipeline.cache.live_readings import LiveReading, LiveReadings
from kpi_pipeline.cache.manifest import AnswerState
from kpi_pipeline.cache.reading.health import HealthFacts, health_of
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.labels import LANGUAGES
from kpi_pipeline.model.pipeline_report import PipelineReport, ProcessReport, RunReport
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings

STOPPED = ProcessReport("web", "BACKOFF")
STOPPED = ProcessReport("web", "BACKOFF")
REPORT = PipelineReport(100.0, (ProcessReport("worker", "RUNNING"),), daemons={"SENSOR": True})
WELL = HealthFacts(
    reachable=True,
    holds_answers=True,
    states=dict.fromkeys(PRODUCTS, AnswerState.FRESH),
    unreadable={},
    readings=SourceReadings(),
    live_readings=LiveReadings(dict.fromkeys(PRODUCTS, LiveReading("0a1b2c3d4e", 1.0, None)), mixed=False),
    alarms={},
    silent=False,
    report=REPORT,
)
READING = ReadingReport(1.0, RowReport(1))
RUN = RunReport("0123456789", "refresh_all", "FAILURE", 5.0, "roll_up: no memory")


def test_nothing_is_wrong() -> None:
    assert health_of(WELL).status == "ok"
    assert health_of(WELL).findings == []


@pytest.mark.parametrize(
    ("changes", "condition", "subject"),
    [
        ({"reachable": False}, "redis_unreachable", "redis"),
        ({"states": {**WELL.states, "charts": AnswerState.STALE}}, "product_stale", "charts"),
        ({"states": {**WELL.states, "charts": AnswerState.EXPIRED}}, "product_expired", "charts"),
        ({"states": dict.fromkeys(PRODUCTS[1:], AnswerState.FRESH)}, "product_missing", PRODUCTS[0]),
        ({"unreadable": {"kpis": "its catalogue is lost"}}, "product_unreadable", "kpis"),
        ({"alarms": {"payload_corrupt": 2}}, "alarms_raised", "alarms"),
        ({"readings": SourceReadings(None, HeldReading(READING))}, "reading_refused", "source"),
        (
            {"readings": SourceReadings(None, HeldReading(READING, (Fall("costs", "", 2, 1),)))},
            "reading_fell",
            "source",
        ),
        (
            {"live_readings": LiveReadings({"charts": LiveReading("0a1b", 1.0, 2.0)}, mixed=False)},
            "products_rolled_back",
            "charts",
        ),
        ({"live_readings": replace(WELL.live_readings, mixed=True)}, "readings_mixed", "readings"),
        ({"silent": True, "report": None}, "pipeline_silent", "pipeline"),
        ({"report": replace(REPORT, processes=())}, "supervisor_silent", "pipeline"),
        ({"report": replace(REPORT, watched=False)}, "stack_unwatched", "pipeline"),
        (
            {"report": replace(REPORT, processes=(STOPPED,))},
            "process_stopped",
            "pipeline",
        ),
        ({"report": replace(REPORT, daemons=None)}, "dagster_unreachable", "pipeline"),
        ({"report": replace(REPORT, daemons={"SENSOR": False})}, "daemons_silent", "pipeline"),
        ({"report": replace(REPORT, runs={"kpis": RUN})}, "run_failed", "kpis"),
    ],
)
def test_each_fault_is_found_alone(changes, condition: str, subject: str) -> None:
    health = health_of(replace(WELL, **changes))
    assert health.status == "degraded"
    (finding,) = health.findings
    assert (finding.condition.name, finding.subjects) == (condition, (subject,))
    assert health.status_of(subject) == finding.condition.status
    for language in LANGUAGES:
        assert "{" not in finding.reason(language) + finding.advice(language)
    assert finding.as_dict()["reason"] == finding.reason("en")


@pytest.mark.parametrize("status", ["SUCCESS", "CANCELED"])
def test_a_run_that_did_not_fail_is_no_fault(status: str) -> None:
    report = replace(REPORT, runs={"kpis": replace(RUN, status=status)})
    assert health_of(replace(WELL, report=report)).status == "ok"


def test_processes_that_nothing_supervises_are_no_fault() -> None:
    assert health_of(replace(WELL, report=replace(REPORT, processes=None))).status == "ok"


@pytest.mark.parametrize(
    "changes",
    [
        {"states": {}},
        {"states": dict.fromkeys(PRODUCTS, AnswerState.EXPIRED)},
        {"unreadable": dict.fromkeys(PRODUCTS, "lost")},
        {"reachable": False, "holds_answers": False},
    ],
)
def test_what_cannot_be_served_is_down(changes) -> None:
    health = health_of(replace(WELL, **changes))
    assert health.status == "down"
    assert health.findings


def test_one_product_that_can_be_served_is_not_down_and_the_worst_comes_first() -> None:
    states = {"kpis": AnswerState.STALE}
    health = health_of(replace(WELL, states=states, alarms={"archive_corrupt": 1}))
    assert health.status == "degraded"
    ranks = [finding.condition.status for finding in health.findings]
    assert ranks == ["down"] * 3 + ["degraded"] * 2


def test_one_cause_is_one_finding() -> None:
    both = replace(REPORT, runs={"kpis": RUN, "charts": RUN, "dashboards": replace(RUN, run_id="other")})
    health = health_of(replace(WELL, report=both))
    assert [finding.subjects for finding in health.findings] == [("kpis", "charts"), ("dashboards",)]
    assert "the last run of kpis, charts failed" in health.findings[0].reason("en")
    silent = replace(REPORT, daemons={"SENSOR": False, "SCHEDULER": False, "ASSET": True})
    (finding,) = health_of(replace(WELL, report=silent)).findings
    assert "SENSOR, SCHEDULER" in finding.reason("en")
    # What is held is told once, and not again by the runs that held it.
    held = SourceReadings(None, HeldReading(READING, (Fall("costs", "", 2, 1),)))
    stopped = replace(RUN, reason=f"read_source: run `kpi accept-reading {READING.digest}`")
    report = replace(REPORT, runs={"kpis": stopped})
    (finding,) = health_of(replace(WELL, readings=held, report=report)).findings
    assert finding.condition.name == "reading_fell"

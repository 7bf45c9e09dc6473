"""The verdict: each thing that can be wrong is found, and only figures that cannot be served are `down`."""

from dataclasses import replace

import pytest

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReading, LiveReadings
from kpi_pipeline.cache.reading.health import HealthFacts, health_of
from kpi_pipeline.model.agreement import Agreements, Disagreement, Hold
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.labels import LANGUAGES
from kpi_pipeline.model.performance import (
    HOUR,
    AnswerKind,
    Distribution,
    Lookups,
    Measure,
    Performance,
    bucket_of,
)
from kpi_pipeline.model.phrases import PlainWriter
from kpi_pipeline.model.pipeline_report import (
    DISPATCHER_SILENT_S,
    ELLIPSIS,
    LOW_DISK_BYTES,
    UNREAD_S,
    PipelineReport,
    ProcessReport,
    RequestsReport,
    RunReport,
    StalledRun,
    TickReport,
)
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings

STOPPED = ProcessReport("web", "BACKOFF")
REPORT = PipelineReport(100.0, (ProcessReport("worker", "RUNNING"),), daemons={"SENSOR": True})
WELL = HealthFacts(
    reachable=True,
    holds_answers=True,
    states=dict.fromkeys(PRODUCTS, AnswerState.FRESH),
    unreadable={},
    readings=SourceReadings(),
    live_readings=LiveReadings(dict.fromkeys(PRODUCTS, LiveReading("0a1b", 1.0, 1.0, None)), mixed=False),
    alarms={},
    silent=False,
    report=REPORT,
)
READING = ReadingReport(1.0, RowReport(1))
SERVER = {"used_memory": 80, "maxmemory": 100, "evicted_keys": 0, "unsaved": []}
TIMED_OUT = "Run timed out due to taking longer than 600 seconds to start."
WAITING = StalledRun("0123456789", "refresh_kpis", False, 10.0)
HUNG = StalledRun("9876543210", "refresh_all", True, 20.0)
NOBODY_READS = RequestsReport(3, UNREAD_S + 1, 1.0)
DISPATCHER_HANGS = RequestsReport(0, 0.0, DISPATCHER_SILENT_S + 1)
UNPROBED = TickReport("source_changes", "there is no file")
RUN = RunReport("0123456789", "refresh_all", "FAILURE", 5.0, "roll_up: no memory")


def measured(hits: int, stale: int, missed: int) -> Performance:
    lookups = {"kpis": Lookups(hits, 0, {"not_precomputed": missed}), "charts": Lookups(0, stale)}
    return Performance(HOUR, lookups, {})


def answered(fast: int, slow: int) -> Performance:
    times = Distribution({bucket_of(0.01): fast, bucket_of(3.0): slow})
    return Performance(HOUR, {}, {Measure.ANSWER: {AnswerKind.PAGE: times}})


@pytest.mark.parametrize(("fast", "slow"), [(96, 4), (90, 9), (0, 99)])
def test_a_few_slow_answers_are_no_finding(fast: int, slow: int) -> None:
    assert health_of(replace(WELL, last_hour=answered(fast, slow))).findings == []


def test_without_redis_nobody_knows_what_is_published() -> None:
    health = health_of(replace(WELL, reachable=False, states={}))
    assert health.status == "down"
    assert [finding.condition.name for finding in health.findings] == ["redis_unreachable"]


FALSE = Disagreement("charts", "charts-1", {}, "kpis.dso[0].value", "41.5", "40.5")
HELD = Hold("charts", "charts-1", 1.0, 1, (FALSE,))


def test_nothing_is_wrong() -> None:
    assert health_of(WELL).status == "ok"
    assert health_of(WELL).findings == []


@pytest.mark.parametrize(
    ("changes", "condition", "subject"),
    [
        ({"reachable": False}, "redis_unreachable", "redis"),
        ({"report": replace(REPORT, silent_workers={"kpi@here": 31.0})}, "worker_silent", "pipeline"),
        ({"states": {**WELL.states, "charts": AnswerState.STALE}}, "product_stale", "charts"),
        ({"states": {**WELL.states, "charts": AnswerState.EXPIRED}}, "product_expired", "charts"),
        ({"states": dict.fromkeys(PRODUCTS[1:], AnswerState.FRESH)}, "product_missing", PRODUCTS[0]),
        ({"unreadable": {"kpis": "its catalogue is lost"}}, "product_unreadable", "kpis"),
        ({"alarms": {"payload_corrupt": 2}}, "alarms_raised", "alarms"),
        ({"readings": SourceReadings(None, HeldReading(READING))}, "reading_refused", "source"),
        ({"agreements": Agreements({}, {"charts": HELD})}, "figures_disagree", "charts"),
        (
            {"readings": SourceReadings(None, HeldReading(READING, (Fall("costs", "", 2, 1),)))},
            "reading_fell",
            "source",
        ),
        (
            {"live_readings": LiveReadings({"charts": LiveReading("0a1b", 1.0, 1.0, 2.0)}, mixed=False)},
            "products_rolled_back",
            "charts",
        ),
        ({"live_readings": replace(WELL.live_readings, mixed=True)}, "readings_mixed", "readings"),
        ({"last_hour": measured(hits=79, stale=0, missed=21)}, "hit_rate_low", "cache"),
        ({"last_hour": answered(95, slow=6)}, "answers_slow", "cache"),
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
        ({"server": {**SERVER, "used_memory": 91}}, "redis_nearly_full", "redis"),
        ({"server": {**SERVER, "evicted_keys": 1}}, "redis_evicts", "redis"),
        ({"server": {**SERVER, "unsaved": ["aof_last_write_status"]}}, "redis_unsaved", "redis"),
        ({"report": replace(REPORT, stalled=(WAITING,))}, "runs_unstarted", "pipeline"),
        ({"report": replace(REPORT, stalled=(HUNG,))}, "runs_stalled", "pipeline"),
        ({"report": replace(REPORT, requests=NOBODY_READS)}, "requests_unread", "pipeline"),
        ({"report": replace(REPORT, requests=DISPATCHER_HANGS)}, "dispatcher_silent", "pipeline"),
        ({"report": replace(REPORT, ticks=(UNPROBED,))}, "source_unprobed", "source"),
        ({"report": replace(REPORT, ticks=(TickReport("cold_cache", "why"),))}, "ticks_failed", "pipeline"),
        (
            {"report": replace(REPORT, ticks=(TickReport("cold_cache", silent_since=1.0),))},
            "ticks_missing",
            "pipeline",
        ),
        ({"report": replace(REPORT, disk_free=LOW_DISK_BYTES - 1)}, "disk_nearly_full", "pipeline"),
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


@pytest.mark.parametrize(
    "changes",
    [
        {"server": SERVER},
        {"server": {**SERVER, "used_memory": 10**9, "maxmemory": 0}},  # no limit
        {"server": {**SERVER, "used_memory": 90}},
        {"report": replace(REPORT, requests=RequestsReport(2, UNREAD_S, DISPATCHER_SILENT_S))},
        {"report": replace(REPORT, requests=RequestsReport(0, 0.0, None))},
        {"report": replace(REPORT, disk_free=LOW_DISK_BYTES)},
    ],
)
def test_what_is_within_its_bounds_is_no_fault(changes) -> None:
    assert health_of(replace(WELL, **changes)).status == "ok"


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


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        # A stopped process explains what does not happen without it.
        ({"processes": (ProcessReport("worker", "FATAL"),), "stalled": (WAITING,)}, "process_stopped"),
        (
            {
                "processes": (ProcessReport("dagster-daemon", "STOPPED"),),
                "daemons": {"SENSOR": False},
                "ticks": (TickReport("source_changes", silent_since=1.0),),
            },
            "process_stopped",
        ),
        (
            {"processes": (ProcessReport("dispatcher", "STOPPED"),), "requests": DISPATCHER_HANGS},
            "process_stopped",
        ),
        ({"processes": (ProcessReport("dagster-web", "FATAL"),), "daemons": None}, "process_stopped"),
        # A silent daemon explains silent sensors, and Dagster a dispatcher that waits for it.
        (
            {
                "daemons": {"SENSOR": False, "SCHEDULER": True},
                "ticks": (TickReport("source_changes", silent_since=1.0),),
            },
            "daemons_silent",
        ),
        ({"daemons": None, "requests": DISPATCHER_HANGS}, "dagster_unreachable"),
        # A worker that hangs in a run starts no other; a dispatcher that hangs leaves requests unread.
        ({"stalled": (WAITING, HUNG)}, "runs_stalled"),
        ({"requests": RequestsReport(3, 100.0, 100.0)}, "dispatcher_silent"),
        ({"stalled": (WAITING,), "runs": {"kpis": replace(RUN, reason=TIMED_OUT)}}, "runs_unstarted"),
        (
            {
                "processes": (ProcessReport("worker", "FATAL"),),
                "runs": {"kpis": replace(RUN, reason="Exceeded maximum runtime of 900 seconds.")},
            },
            "process_stopped",
        ),
        # What fails for one reason fails once.
        ({"ticks": (TickReport("a", "no server"), TickReport("b", "no server"))}, "ticks_failed"),
    ],
)
def test_a_cause_explains_its_consequences(changes, condition: str) -> None:
    (finding,) = health_of(replace(WELL, report=replace(REPORT, **changes))).findings
    assert finding.condition.name == condition


def test_runs_that_fail_because_the_source_does_are_one_finding_with_it() -> None:
    gone = replace(RUN, reason="read_source: there is no file")
    runs = {"kpis": gone, "charts": replace(gone, run_id="other", job="refresh_charts"), "dashboards": RUN}
    report = replace(REPORT, ticks=(UNPROBED,), runs=runs)
    health = health_of(replace(WELL, report=report))
    assert [finding.subjects for finding in health.findings] == [
        ("kpis", "charts", "source"),
        ("dashboards",),
    ]
    reason = health.findings[0].reason("en")
    assert reason.startswith(
        "the last run of kpis, charts failed (refresh_all, refresh_charts, 01234567, other)"
    )
    # Reasons may be shortened, each at its own place.
    long = "there is no file " + "x" * 400
    short = replace(RUN, reason=f"read_source: {long[:200]}{ELLIPSIS}")
    ticks = (TickReport("source_changes", long[:280] + ELLIPSIS),)
    (finding,) = health_of(replace(WELL, report=replace(REPORT, ticks=ticks, runs={"kpis": short}))).findings
    assert finding.subjects == ("kpis", "source")


def test_another_failure_than_that_of_the_source_is_told_too() -> None:
    report = replace(REPORT, ticks=(UNPROBED,), runs={"kpis": RUN})
    found = [finding.condition.name for finding in health_of(replace(WELL, report=report)).findings]
    assert found == ["source_unprobed", "run_failed"]


def test_runs_that_hang_are_named_with_those_that_wait_behind_them() -> None:
    (finding,) = health_of(replace(WELL, report=replace(REPORT, stalled=(WAITING, HUNG)))).findings
    assert finding.reason("en") == (
        "runs have made no progress for 80 s: refresh_all (98765432), refresh_kpis (01234567)"
    )
    assert "kpi restart worker" in finding.advice("en")


def test_readers_get_moments_shares_and_amounts_in_their_own_writing() -> None:
    class Chilean(PlainWriter):
        def moment(self, seconds: float) -> str:
            return f"<{seconds:.0f}>"

    held = SourceReadings(None, HeldReading(READING, (Fall("costs", "", 2, 1),)))
    rolled_back = LiveReadings({"charts": LiveReading("0a1b", 1.0, 1.0, 2.0)}, mixed=True)
    findings = health_of(replace(WELL, readings=held, live_readings=rolled_back)).findings
    texts = " ".join(finding.reason_for(Chilean("es")) for finding in findings)
    assert "el número de costos bajó un 50.0%, de 2 a 1" in texts
    assert "del <1>, repuestas el <2>" in texts
    assert "charts: 0a1b (<1>)" in texts
    english = " ".join(finding.reason("en") for finding in findings)
    assert "the number of costs fell by 50.0%, from 2 to 1" in english
    assert "of 1970-01-01T00:00:01Z, rolled back on 1970-01-01T00:00:02Z" in english


@pytest.mark.parametrize(("hits", "stale", "missed"), [(40, 40, 20), (10, 0, 89), (0, 0, 0)])
def test_enough_hits_or_few_requests_are_no_finding(hits: int, stale: int, missed: int) -> None:
    assert health_of(replace(WELL, last_hour=measured(hits, stale, missed))).findings == []


def test_a_product_that_is_held_names_both_figures_and_explains_the_run_that_failed() -> None:
    facts = replace(
        WELL, agreements=Agreements({}, {"charts": HELD}), report=replace(REPORT, runs={"charts": RUN})
    )
    (finding,) = health_of(facts).findings
    assert "everything, kpis.dso[0].value, published 41.5, recomputed 40.5" in finding.reason("en")
    assert "kpi agreement --release charts" in finding.advice("es")

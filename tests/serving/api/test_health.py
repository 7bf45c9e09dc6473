"""Health and status over HTTP, in every condition of the cache."""

import time

import pytest

from kpi_pipeline.cache.keys import ALARMS_KEY, PIPELINE_REPORT_KEY, payload_key
from kpi_pipeline.cache.performance import PerformanceCounters, duration_counts, lookup_field
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.model.performance import AnswerKind, Measure, Outcome
from kpi_pipeline.model.pipeline_report import SILENT_S, RequestsReport, RunReport, StalledRun
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings
from serving.app import create_app

PRODUCTS = {"kpis", "dashboards", "charts", "financials"}


def conditions(report) -> set[tuple[str, str]]:
    return {
        (finding["condition"], subject) for finding in report["findings"] for subject in finding["subjects"]
    }


def test_all_is_well(web, press) -> None:
    press.publish()
    press.report()
    response = web.get("/health/system")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    report = response.get_json()
    assert report["status"] == "ok"
    assert report["findings"] == []
    assert report["checks"]["redis"]["status"] == "ok"
    assert set(report["checks"]["products"]) == PRODUCTS
    assert {check["state"] for check in report["checks"]["products"].values()} == {"fresh"}
    assert report["checks"]["alarms"] == {"status": "ok", "counts": {}}
    assert report["checks"]["source"] == {"status": "ok", "held": None}
    assert report["checks"]["pipeline"]["status"] == "ok"
    assert report["checks"]["pipeline"]["report"]["daemons"] == {"SCHEDULER": True}
    assert web.get("/health/ready").get_json() == {"status": "ok", "findings": []}
    assert web.get("/health/live").get_json() == {"status": "ok"}


def test_a_run_that_failed_degrades_what_it_was_to_publish(web, press) -> None:
    press.publish()
    failed = RunReport("0123456789abcdef", "refresh_kpis", "FAILURE", 1.0, "read_source: no such file")
    press.report(runs={"kpis": failed})
    report = web.get("/health/system").get_json()
    assert report["status"] == "degraded"
    assert conditions(report) == {("run_failed", "kpis")}
    (finding,) = report["findings"]
    assert finding["reason"] == (
        "the last run of kpis failed (refresh_kpis, 01234567): read_source: no such file"
    )
    assert finding["advice"]
    checks = report["checks"]["products"]
    assert (checks["kpis"]["status"], checks["charts"]["status"]) == ("degraded", "ok")
    assert web.get("/health/ready").status_code == 200


def test_hits_and_response_times_of_the_last_hour(web, press, client) -> None:
    press.publish()
    press.report()
    nothing = {"status": "ok", "lookups": 0, "hit_rate": None, "mean_s": None, "p95_s": None}
    assert web.get("/health/system").get_json()["checks"]["cache"] == nothing
    hits, misses = lookup_field("kpis", Outcome.HIT), lookup_field("kpis", Outcome.MISS, "not_precomputed")
    counts = {hits: 60, misses: 60, **duration_counts(Measure.ANSWER, AnswerKind.PAGE, [0.004])}
    PerformanceCounters(client).add(counts)
    report = web.get("/health/system").get_json()
    cache = report["checks"]["cache"]
    assert (cache["status"], cache["lookups"], cache["hit_rate"], cache["mean_s"]) == (
        "degraded",
        120,
        0.5,
        0.004,
    )
    assert conditions(report) == {("hit_rate_low", "cache")}
    assert report["findings"][0]["reason"] == (
        "only 50.0% of the 120 requests of the last hour were answered with their own figures"
    )


def test_a_pipeline_that_does_not_report_degrades(web, press) -> None:
    press.publish()
    assert conditions(web.get("/health/system").get_json()) == {("pipeline_silent", "pipeline")}
    press.report(at=time.time() - SILENT_S - 1)
    assert conditions(web.get("/health/system").get_json()) == {("pipeline_silent", "pipeline")}


def test_a_report_that_is_none_is_as_good_as_none(web, press, client) -> None:
    press.publish()
    client.set(PIPELINE_REPORT_KEY, b"{}")
    assert conditions(web.get("/health/system").get_json()) == {("pipeline_silent", "pipeline")}


def test_a_reading_that_is_held_degrades_and_says_what_to_do(web, press, client) -> None:
    press.publish()
    press.report()
    held = HeldReading(ReadingReport(1.0, RowReport(1)), (Fall("certificates", "", 2, 1),))
    publish_readings(client, SourceReadings(None, held))
    report = web.get("/health/system").get_json()
    assert report["status"] == "degraded"
    assert report["checks"]["source"] == {"status": "degraded", "held": held.report.digest}
    (finding,) = report["findings"]
    assert "the number of certificates fell by 50.0%, from 2 to 1" in finding["reason"]
    assert f"kpi accept-reading {held.report.digest}" in finding["advice"]
    status = web.get("/manager/api/cache/status").get_json()
    assert status["source"]["held"]["falls"] == ["the number of certificates fell by 50.0%, from 2 to 1"]


def test_a_stale_product_degrades(web, press) -> None:
    press.publish("kpis", "charts", "financials")
    press.publish("dashboards", age_s=700)
    response = web.get("/health/system")
    assert response.status_code == 200
    assert response.get_json()["status"] == "degraded"
    assert response.get_json()["checks"]["products"]["dashboards"]["status"] == "degraded"


def test_an_expired_and_a_missing_product_degrade_while_another_is_there(web, press) -> None:
    press.publish("kpis")
    press.publish("charts", age_s=5000)
    response = web.get("/health/system")
    assert response.status_code == 200
    report = response.get_json()
    assert report["status"] == "degraded"
    states = {product: check["state"] for product, check in report["checks"]["products"].items()}
    assert states == {"kpis": "fresh", "charts": "expired", "dashboards": "missing", "financials": "missing"}
    assert conditions(report) >= {("product_expired", "charts"), ("product_missing", "dashboards")}
    down = [finding for finding in report["findings"] if finding["status"] == "down"]
    assert all("kpi warm" in finding["advice"] for finding in down)


def test_an_alarm_degrades_and_says_what_to_do(web, press, client) -> None:
    press.publish()
    client.hincrby(ALARMS_KEY, "payload_corrupt", 3)
    report = web.get("/health/system").get_json()
    assert report["status"] == "degraded"
    assert report["checks"]["alarms"]["counts"] == {"payload_corrupt": 3}
    assert ("alarms_raised", "alarms") in conditions(report)


def test_a_server_that_is_nearly_full_degrades(web, press, client) -> None:
    press.publish()
    press.report()
    client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.05))
    try:
        report = web.get("/health/system").get_json()
    finally:
        client.config_set("maxmemory", 0)
    assert conditions(report) == {("redis_nearly_full", "redis")}
    assert report["checks"]["redis"]["status"] == "degraded"


def test_runs_and_requests_that_wait_degrade_the_pipeline(web, press) -> None:
    press.publish()
    waits = StalledRun("0123456789abcdef", "refresh_kpis", False, time.time() - 300)
    press.report(stalled=(waits,), requests=RequestsReport(2, 61.0, 1.0))
    report = web.get("/health/system").get_json()
    assert conditions(report) == {("runs_unstarted", "pipeline"), ("requests_unread", "pipeline")}
    assert [finding["reason"] for finding in report["findings"]] == [
        "no worker starts the runs that wait, the earliest for 5 min: refresh_kpis (01234567)",
        "nothing reads the requests for a refresh: 2, the earliest for 61 s",
    ]


@pytest.mark.parametrize("age_s", [None, 5000])
def test_nothing_servable_is_down(age_s, web, press) -> None:
    if age_s is not None:
        press.publish(age_s=age_s)
    response = web.get("/health/system")
    assert response.status_code == 503
    assert response.get_json()["status"] == "down"
    assert web.get("/health/ready").status_code == 503
    assert web.get("/health/live").status_code == 200


def test_generations_of_another_format_are_down(web, press) -> None:
    press.publish(schema_version=99)
    response = web.get("/health/system")
    assert response.status_code == 503
    assert {check["state"] for check in response.get_json()["checks"]["products"].values()} == {"unreadable"}


def test_a_lost_catalogue_is_told(web, press, client) -> None:
    kpis, *_ = press.publish()
    client.delete(payload_key(kpis.generation, "catalogue"))
    report = web.get("/health/system").get_json()
    assert report["status"] == "degraded"
    assert report["checks"]["products"]["kpis"]["state"] == "unreadable"


def test_without_an_address_of_redis_it_is_down_and_the_status_is_told(settings_of) -> None:
    web = create_app(settings_of()).test_client()
    response = web.get("/health/system")
    assert response.status_code == 503
    assert response.get_json()["checks"]["redis"]["status"] == "down"
    assert conditions(response.get_json()) >= {("redis_unreachable", "redis")}
    status = web.get("/manager/api/cache/status")
    assert status.status_code == 200
    assert status.get_json()["redis"]["reachable"] is False


def test_the_status_has_the_same_members_with_and_without_redis(web, press, settings_of) -> None:
    press.publish("kpis")
    web.get("/manager/api/kpis")
    with_redis = web.get("/manager/api/cache/status").get_json()
    without = create_app(settings_of()).test_client().get("/manager/api/cache/status").get_json()
    assert with_redis.keys() == without.keys()
    for part in ("redis", "memory", "reads"):
        assert with_redis[part].keys() == without[part].keys()
    assert with_redis["redis"]["reachable"] is True
    assert with_redis["products"]["kpis"]["state"] == "fresh"
    assert with_redis["reads"]["redis"] == 1

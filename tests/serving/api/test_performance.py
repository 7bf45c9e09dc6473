"""What was measured lately, as an application that serves measures it."""

import pytest

from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.performance import Measure
from serving.app import create_app
from tests.waiting import wait_until

PATH = "/manager/api/performance/metrics"
WINDOWS = ("5m", "1h", "24h")


def windows(web):
    response = web.get(PATH)
    assert response.status_code == 200
    return response.get_json()["windows"]


def counted(web) -> int:
    return sum(one["count"] for one in windows(web)["5m"]["answers"].values())


def test_lookups_and_answers_are_written_a_moment_later(web, press) -> None:
    press.publish("kpis", "dashboards")
    press.publish("charts", age_s=700)
    tag = web.get("/manager/api/kpis").headers["ETag"]
    web.get("/manager/api/kpis", headers={"If-None-Match": tag})
    web.get("/manager/api/kpis?client=Mine")  # unknown
    web.get("/manager/api/charts")
    web.get("/manager/dashboard")
    web.get("/health/live")  # holds no figures
    wait_until(lambda: counted(web) == 5)
    shown = windows(web)
    assert tuple(shown) == WINDOWS
    for name in WINDOWS:
        lookups, answers = shown[name]["lookups"], shown[name]["answers"]
        assert lookups["kpis"] == {
            "hit": 2,
            "stale": 0,
            "miss": 0,
            "miss_reasons": {},
            "expired": 0,
            "hit_rate": 1.0,
        }
        assert lookups["charts"]["stale"] == 1
        assert {kind: one["count"] for kind, one in answers.items()} == {
            "error": 1,
            "figures": 2,
            "page": 1,
            "unchanged": 1,
        }
        assert answers["unchanged"]["bytes"] == 0
        assert answers["page"]["bytes"] > 1000
        assert 0 < answers["page"]["p50_s"] == answers["page"]["p99_s"]


def test_expired_figures_are_no_hits(web, press) -> None:
    press.publish("kpis", age_s=10_000)
    assert web.get("/manager/api/kpis").status_code == 503
    wait_until(lambda: "kpis" in windows(web)["1h"]["lookups"])
    lookups = windows(web)["1h"]["lookups"]["kpis"]
    assert (lookups["expired"], lookups["miss"], lookups["hit_rate"]) == (1, 0, 0.0)


def test_what_the_pipeline_measures(web, client) -> None:
    requests = Requests(client)
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    failed = requests.submit(RequestKind.CLEAR, "kpis", EVERYTHING)
    assert requests.finished(task.id, ok=True)
    assert not requests.finished(task.id, ok=True)  # counts once
    assert requests.finished(failed.id, ok=False, reason="because")
    PerformanceCounters(client).add_duration(Measure.LAG, "kpis", 3.0)
    PerformanceCounters(client).add_duration(Measure.STEP, "read_source", 1.5)
    hour = windows(web)["1h"]
    assert {kind: one["count"] for kind, one in hour["refreshes"].items()} == {"refresh": 1}
    assert hour["source_to_served"]["kpis"]["p95_s"] == pytest.approx(3.0, rel=0.2)
    assert hour["steps"]["read_source"]["mean_s"] == 1.5


def test_without_redis(settings_of) -> None:
    web = create_app(settings_of(REDIS_URL="redis://127.0.0.1:9/0")).test_client()
    assert web.get(PATH).status_code == 503

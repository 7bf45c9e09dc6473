"""The metrics of a served application, and their documentation."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from kpi_pipeline.cache.agreements import publish_agreement
from kpi_pipeline.model.agreement import Agreement
from serving.app import create_app
from serving.metrics.declarations import METRICS

DOCS = Path(__file__).parents[3] / "docs"


def exposed(web) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples of each metric by the values of its labels; a histogram's by its name."""
    response = web.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=")
    assert response.headers["Cache-Control"] == "no-store"
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(response.get_data(as_text=True)):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(value for value in sample.labels.values() if value)] = (
                sample.value
            )
    return found


def test_what_happened_is_exposed(web, press) -> None:
    press.publish_everything()
    for path in ("/manager/api/kpis", "/manager/api/kpis?client=unknown", "/manager/dashboard", "/nothing"):
        web.get(path)
    found = exposed(web)
    requests = found["kpi_http_requests_total"]
    assert requests["/manager/api/kpis", "200"] == 1
    assert requests["/manager/api/kpis", "400"] == 1
    assert requests["unmatched", "404"] == 1
    assert found["kpi_lookups_total"] == {("hit", "kpis"): 1, ("hit", "dashboards"): 1}
    assert found["kpi_http_response_bytes_total"][("/manager/dashboard",)] > 1000
    assert found["kpi_redis_up"] == {(): 1}
    assert found["kpi_generation_state"]["kpis", "fresh"] == 1
    assert found["kpi_generation_state"]["kpis", "stale"] == 0
    assert found["kpi_runs_total"] == {
        ("refresh_all", "succeeded"): 4,
        ("refresh_all", "failed"): 1,
        ("refresh_all", "canceled"): 0,
    }
    assert found["kpi_runs_unfinished"] == {("refresh_all", "queued"): 2, ("refresh_all", "started"): 1}
    assert found["kpi_last_run_step_duration_seconds"] == {("refresh_all", "read_source"): 1.5}
    assert found["kpi_request_queue_length"] == {(): 3}
    assert found["kpi_quarantine_ratio"][("certificates",)] == 0.1
    assert found["kpi_alarms"] == {("payload_corrupt",): 1}
    assert found["kpi_disk_free_bytes"] == {(): 10 * 2**30}


def test_every_metric_is_exposed_and_documented(web, press, client) -> None:
    press.publish_everything()
    publish_agreement(client, Agreement("kpis", "kpis-1", 1.0, 1, 10, 0, 0))
    web.get("/manager/api/kpis")
    families = {
        family.name: family
        for family in text_string_to_metric_families(web.get("/metrics").get_data(as_text=True))
    }
    shown = [
        (metric.name, metric.kind, families[metric.name.removesuffix("_total")].documentation, metric.labels)
        for metric in METRICS
    ]
    assert len(families) == len(METRICS)
    assert [name for name, *_ in shown if families[name.removesuffix("_total")].samples == []] == []
    for name, kind, _, labels in shown:
        family = families[name.removesuffix("_total")]
        assert family.type == kind
        assert {label for sample in family.samples for label in sample.labels} - {"le"} == set(labels)
    table = re.findall(
        r"^\| `(kpi_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", (DOCS / "metrics.md").read_text(), re.M
    )
    written = [
        (name, kind, text, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels, text in table
    ]
    assert written == shown


def test_without_redis_requests_are_still_exposed(settings_of) -> None:
    web = create_app(settings_of(REDIS_URL="redis://127.0.0.1:9/0")).test_client()
    web.get("/manager/api/kpis")
    found = exposed(web)
    assert found["kpi_redis_up"] == {(): 0}
    assert found["kpi_http_requests_total"]["/manager/api/kpis", "503"] == 1
    assert found["kpi_generation_state"]["kpis", "missing"] == 1
    assert "kpi_redis_memory_used_bytes" not in found


def test_without_an_address_of_redis(settings_of) -> None:
    assert exposed(create_app(settings_of()).test_client())["kpi_redis_up"] == {(): 0}


def test_a_page_of_another_name_reads_no_metrics(web) -> None:
    assert web.get("/metrics", headers={"Host": "rebound.example"}).status_code == 421

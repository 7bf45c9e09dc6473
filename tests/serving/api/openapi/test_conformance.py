"""Requests made from the document, and answers in every state: none differs from what it says."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.schemas import BaseSchema

from kpi_pipeline.cache.performance import PerformanceCounters
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.health import HealthStatus
from kpi_pipeline.model.performance import Measure
from kpi_pipeline.model.pipeline_report import RunReport
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings
from kpi_pipeline.settings import Settings
from serving.api.openapi.operations import operations
from serving.app import create_app
from serving.pages.addresses import PRODUCT_PATHS
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = {
    "seed": 1,
    "continue-on-failure": True,
    "checks": {
        # Without figures, 503 is right.
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
        # Which values and combinations of filters there are is a matter of the data: so is 400.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "503"]},
    },
}

Validated = Callable[..., Any]


def close(node: Any) -> None:
    """Let objects have no member that the document does not name."""
    if isinstance(node, dict):
        if "properties" in node and "allOf" not in node:
            node.setdefault("additionalProperties", False)
        for value in node.values():
            close(value)
    elif isinstance(node, list):
        for value in node:
            close(value)


@pytest.fixture
def narrowed(openapi, demo_app: Flask) -> dict[str, Any]:
    """The document with the values of filters that there are, and without room for further members."""
    catalogue = demo_app.test_client().get("/manager/api/catalogue").get_json()["data"]
    for dimension in catalogue["dimensions"]:
        values = [value["value"] for value in dimension["values"]]
        parameter = openapi["components"]["parameters"][f"filter_{dimension['name']}"]
        parameter["schema"]["items"] = {"type": "string", "enum": values}
    close(openapi["components"]["schemas"])
    for name in ("ReadingReport", "Problem"):  # others add members to these
        del openapi["components"]["schemas"][name]["additionalProperties"]
    return openapi


@pytest.fixture
def described(narrowed, plain_wsgi) -> Callable[..., BaseSchema]:
    """What schemathesis reads of the document, by what differs from `SETTINGS`."""

    def read(**settings: Any) -> BaseSchema:
        config = SchemathesisConfig.from_dict({**SETTINGS, **settings})
        schema = schemathesis.openapi.from_dict(narrowed, config=config)
        schema.app = plain_wsgi
        return schema

    return read


@pytest.fixture
def validated(described) -> Validated:
    """Send one request and check its answer against the document."""
    schema = described()

    def send(path: str, method: str = "GET", **parts: Any) -> Any:
        case = schema[path][method].Case(**parts)
        answer = case.call()
        case.validate_response(answer)
        return answer

    return send


def deviations(schema: BaseSchema) -> tuple[list[str], int]:
    """What schemathesis finds wrong, and how many requests it sent."""
    found, sent = [], 0
    for event in engine.from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                sent += len(event.recorder.interactions)
                found += [
                    f"{event.recorder.label}: {check.name}: {check.failure_info.failure}\n"
                    f"{check.failure_info.code_sample}"
                    for checks in event.recorder.checks.values()
                    for check in checks
                    if check.failure_info is not None
                ]
            case events.NonFatalError() | events.FatalError():
                found.append(str(event))
    return found, sent


def test_requests_made_from_the_document_are_answered_as_it_says(described) -> None:
    schema = described(
        generation={"max-examples": 4, "deterministic": True, "database": "none", "no-shrink": True},
        phases={"coverage": {"enabled": False}, "stateful": {"enabled": False}},
    )
    found, sent = deviations(schema)
    assert not found, "\n\n".join(found)
    assert sent >= len(list(operations()))


@pytest.mark.sweep
@pytest.mark.timeout(900)
def test_many_requests_made_from_the_document_are_answered_as_it_says(described) -> None:
    schema = described(generation={"max-examples": 150, "deterministic": True, "database": "none"})
    found, _ = deviations(schema)
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("path", PRODUCT_PATHS)
def test_figures_of_every_state(path, validated, press, client, published) -> None:
    address, product = f"/manager/api/{path}", PRODUCT_PATHS[path]
    fresh = validated(address)
    assert fresh.status_code == 200
    assert validated(address, headers={"If-None-Match": fresh.headers["etag"][0]}).status_code == 304
    catalogue = validated("/manager/api/catalogue").json()["data"]
    first = {one["name"]: one["values"][0]["value"] for one in catalogue["dimensions"]}
    assert validated(address, query={"state": ["pagado"], "month": [first["month"]]}).status_code in (
        200,
        202,
    )
    assert validated(address, query={"month": [first["month"]]}).json()["data"]["cohort"] is not None
    rare = {name: [first[name]] for name in ("month", "client", "project", "administrator")}
    assert validated(address, query=rare).status_code == 202
    assert validated(address, query={"client": ["nobody"]}).status_code == 400
    assert validated(address, query={"period": "7d", "from": "2024-01"}).status_code == 400
    assert validated(address, query={"as_of": "2024-02-30"}).status_code == 400
    figures = {EVERYTHING: fresh.json()["data"]}
    (entry,) = press.publish(product, answers=figures, catalogue={**catalogue, "specs": {}})
    assert History(client).keep(replace(entry, as_of=date(2024, 5, 31)))
    assert validated(address, query={"as_of": "2024-06-15"}).json()["meta"]["state"] == "historic"
    assert validated(address, query={"as_of": "2024-01-01"}).status_code == 404
    not_kept = validated(address, query={"as_of": "2024-06-15", "client": [first["client"]]})
    assert not_kept.status_code == 404
    rolled_back = {"reading": "another", "rolled_back_at": time.time()}
    press.publish(product, answers=figures, catalogue={**catalogue, "specs": {}}, age_s=700, **rolled_back)
    wait_until(lambda: validated(address).json()["meta"]["state"] == "stale")
    meta = validated(address).json()["meta"]
    assert meta["rolled_back"] and meta["mixed_readings"]
    press.publish(product, answers=figures, age_s=700_000)
    wait_until(lambda: validated(address).status_code == 503)


def test_files(validated, press, published) -> None:
    for page in ("manager", "costs"):
        for ending in ("xlsx", "pdf", "csv"):
            path = f"/manager/api/download/{{page}}.{ending}"
            answer = validated(path, path_parameters={"page": page}, query={"lang": "en"})
            assert answer.status_code == 200
    assert validated(path, path_parameters={"page": "none"}).status_code == 404
    rare = {"month": ["2021-07"], "client": ["Celulosa Los Quillayes"], "state": ["pagado"]}
    assert validated(path, path_parameters={"page": "manager"}, query=rare).status_code == 202
    path = "/manager/api/download/{page}/{sheet}.csv"
    assert validated(path, path_parameters={"page": "costs", "sheet": "statement"}).status_code == 200
    assert validated(path, path_parameters={"page": "costs", "sheet": "ageing"}).status_code == 404


def test_health_whatever_it_finds(validated, press, client, published) -> None:
    rows = RowReport(9, 1, {"CLP": 90}, {"CLP": 10})
    report = ReadingReport(1.0, rows)
    publish_readings(client, SourceReadings(report, HeldReading(report, (Fall("certificates", "", 2, 1),))))
    press.report(runs={"kpis": RunReport("run-1", "refresh_kpis", "FAILURE", 1.0, "because")})
    paths = ("/health/system", "/health/ready", "/health/live", "/manager/api/cache/status")
    PerformanceCounters(client).add_duration(Measure.LAG, "kpis", 1.0)
    for path in (*paths, "/manager/api/performance/metrics"):
        assert validated(path).status_code == 200
    assert validated(paths[0]).json()["status"] == HealthStatus.DEGRADED


def test_a_task_from_its_request_to_its_end(validated, client, published) -> None:
    requests, path = Requests(client), "/manager/dashboard/status/{task_id}"
    task_id = validated("/manager/dashboard/refresh", "POST").json()["task_id"]
    asked = {"path_parameters": {"task_id": task_id}}
    assert validated(path, **asked).json()["state"] == "queued"
    requests.started(task_id, "run-1")
    assert validated(path, **asked).json()["state"] == "started"
    requests.finished(task_id, ok=False, reason="because")
    assert validated(path, **asked).json()["reason"] == "because"
    assert validated(path, path_parameters={"task_id": "0" * 32}).status_code == 404
    assert validated("/manager/api/cache/clear", "POST").status_code == 202


def test_without_redis(narrowed, settings_of: Callable[..., Settings]) -> None:
    schema = schemathesis.openapi.from_dict(narrowed, config=SchemathesisConfig.from_dict(SETTINGS))
    schema.app = create_app(settings_of(REDIS_URL="redis://127.0.0.1:1/0"))
    for path, method, expected in (
        ("/manager/api/kpis", "GET", 503),
        ("/manager/api/catalogue", "GET", 503),
        ("/manager/api/cache/status", "GET", 200),
        ("/manager/api/performance/metrics", "GET", 503),
        ("/manager/dashboard/refresh", "POST", 503),
        ("/health/ready", "GET", 503),
        ("/health/system", "GET", 503),
    ):
        case = schema[path][method].Case()
        answer = case.call()
        case.validate_response(answer)
        assert answer.status_code == expected

"""The health of the whole system: in full for engineers, and as one status for monitors."""

from dataclasses import asdict
from typing import Any, Final

from flask import Blueprint, Response

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.health import HealthFacts, health_of
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.health import Health, HealthStatus
from kpi_pipeline.model.performance import Performance
from serving.responses import json_response
from serving.system_health import cache_status, current_health, health_facts, known_connection

routes: Final = Blueprint("health", __name__)


@routes.get("/manager/api/cache/status")
def status() -> Response:
    """The status of the cache as this process sees it."""
    return json_response(cache_status(known_connection()))


@routes.get("/health/live")
def live() -> Response:
    """That this process answers; restart it when it does not."""
    return json_response({"status": HealthStatus.OK.value})


@routes.get("/health/ready")
def ready() -> Response:
    """Whether this process can serve figures; 503 when it cannot."""
    health = current_health()
    is_ready = health.status is not HealthStatus.DOWN
    return json_response(_verdict(health), 200 if is_ready else 503)


@routes.get("/health/system")
def system() -> Response:
    """The health of the whole system; 503 when no figures can be served."""
    connection = known_connection()
    status = cache_status(connection)
    facts = health_facts(connection, status)
    health = health_of(facts)
    report = {**_verdict(health), "checks": _checks(facts, health, status)}
    return json_response(report, 503 if health.status is HealthStatus.DOWN else 200)


def _verdict(health: Health) -> dict[str, Any]:
    return {
        "status": health.status.value,
        "findings": [finding.as_dict() for finding in health.findings],
    }


def _checks(facts: HealthFacts, health: Health, status: dict[str, Any]) -> dict[str, Any]:
    """What each part of the system is like, with a status of its own."""
    held = status["source"]["held"]
    return {
        "redis": {"status": health.status_of("redis"), "latency_ms": status["redis"]["latency_ms"]},
        "products": {
            product: {
                "status": health.status_of(product),
                **_product(facts, product, status["products"].get(product, {})),
            }
            for product in PRODUCTS
        },
        "source": {"status": health.status_of("source"), "held": held and held["digest"]},
        "readings": {"status": health.status_of("readings"), **status["live_readings"]},
        "cache": {"status": health.status_of("cache"), **_last_hour(facts.last_hour)},
        "alarms": {"status": health.status_of("alarms"), "counts": status["alarms"]},
        "pipeline": {
            "status": health.status_of("pipeline"),
            "report": facts.report and asdict(facts.report),
        },
    }


def _last_hour(last_hour: Performance | None) -> dict[str, Any]:
    if last_hour is None:
        return dict.fromkeys(("lookups", "hit_rate", "mean_s", "p95_s"))
    lookups, answers = last_hour.all_lookups, last_hour.all_answers
    return {
        "lookups": lookups.count,
        "hit_rate": lookups.hit_rate,
        "mean_s": answers.mean_s,
        "p95_s": answers.quantile_s(0.95),
    }


def _product(facts: HealthFacts, product: str, live: dict[str, Any]) -> dict[str, Any]:
    state = facts.states.get(product, AnswerState.MISSING).value
    return {
        "state": "unreadable" if product in facts.unreadable else state,
        "age_s": live.get("age_s"),
        "as_of": live.get("as_of"),
    }

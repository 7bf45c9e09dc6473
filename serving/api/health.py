"""The health of what serving depends on: in full for engineers, and as one word for monitors."""

import time
from typing import Any, Final

import orjson
from flask import Blueprint, Response

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NothingPublished
from serving.api.products import PRODUCT_PATHS
from serving.cache_access import CacheAccess, Connection
from serving.freshness import age_s

_NOTHING_KNOWN: Final[dict[str, Any]] = {
    "products": {},
    "redis": {
        "reachable": False,
        **dict.fromkeys(("latency_ms", "used_memory", "version", "keys")),
    },
    "memory": {"payloads": 0, "bytes": 0, "limit": 0},
    "reads": {"memory": 0, "redis": 0, "missing": 0, "expired": 0},
    "alarms": {},
}
"""The cache's status before any address of a server is known."""

_REDIS_ADVICE: Final = "start it with `kpi up`, or check REDIS_URL and the server it names"
_ALARM_ADVICE: Final = (
    "the logs of serving and of the worker tell each alarm; refresh the products they name, then "
    "delete the hash kpi:metrics:alarms"
)


def health_routes(access: CacheAccess) -> Blueprint:
    """Routes of the cache's status and of the system's health.

    Args:
        access: The cache.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/manager/api/cache/status")
    def cache_status() -> Response:
        connection = _connection(access)
        return _json(_status(connection), 200)

    @routes.get("/health/system")
    def health() -> Response:
        connection = _connection(access)
        report = _report(connection)
        return _json(report, 503 if report["status"] == "down" else 200)

    return routes


def _connection(access: CacheAccess) -> Connection | None:
    try:
        return access.current()
    except NoRedis:
        return None


def _status(connection: Connection | None) -> dict[str, Any]:
    return _NOTHING_KNOWN if connection is None else connection.reader.status()


def _report(connection: Connection | None) -> dict[str, Any]:
    status = _status(connection)
    reachable = status["redis"]["reachable"]
    redis_check = {"status": "ok"} if reachable else {"status": "down", "advice": _REDIS_ADVICE}
    alarms = {"status": "degraded", "advice": _ALARM_ADVICE} if status["alarms"] else {"status": "ok"}
    products = _products(connection)
    # While Redis is away only what this process holds can be served.
    servable = [check for check in products.values() if check["state"] in ("fresh", "stale")]
    if not servable or not (reachable or status["memory"]["payloads"]):
        overall = "down"
    elif reachable and not status["alarms"] and all(check["status"] == "ok" for check in products.values()):
        overall = "ok"
    else:
        overall = "degraded"
    return {
        "status": overall,
        "checks": {
            "redis": {**redis_check, "latency_ms": status["redis"]["latency_ms"]},
            "products": products,
            "alarms": {**alarms, "counts": status["alarms"]},
        },
    }


def _products(connection: Connection | None) -> dict[str, dict[str, Any]]:
    entries: dict[str, ManifestEntry] = {}
    if connection is not None:
        try:
            entries = connection.reader.manifest()
        except CacheUnavailable:
            entries = {}
    return {
        product: _product(connection, product, entries.get(product)) for product in PRODUCT_PATHS.values()
    }


def _product(connection: Connection | None, product: str, entry: ManifestEntry | None) -> dict[str, Any]:
    if connection is None or entry is None:
        return {"status": "down", "state": "missing", "advice": "publish it with `kpi warm`"}
    now = time.time()
    state = entry.state_at(now)
    told = {"state": state.value, "age_s": age_s(entry, now), "as_of": entry.as_of.isoformat()}
    if state is AnswerState.EXPIRED:
        return {"status": "down", **told, "advice": "`kpi status` shows why nothing new is published"}
    if (unreadable := _unreadable(connection, product)) is not None:
        return {"status": "down", **told, "state": "unreadable", "advice": unreadable}
    return {"status": "ok" if state is AnswerState.FRESH else "degraded", **told}


def _unreadable(connection: Connection, product: str) -> str | None:
    """Why a live generation cannot be used: lost, damaged or of another format; None when it can."""
    try:
        connection.catalogues.of(product)
    except (NothingPublished, CorruptPayload) as error:
        return str(error)
    except CacheUnavailable:
        return None  # told by the check of Redis
    return None


def _json(document: dict[str, Any], status: int) -> Response:
    return Response(
        orjson.dumps(document),
        status,
        headers={"Cache-Control": "no-store"},
        content_type="application/json",
    )

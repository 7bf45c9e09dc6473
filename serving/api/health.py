"""The health of what serving depends on: in full for engineers, and as one status for monitors."""

import time
from typing import Any, Final

from flask import Blueprint, Response

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NothingPublished
from serving.cache_access import Connection, current_connection
from serving.freshness import age_s
from serving.pages.addresses import PRODUCT_PATHS
from serving.responses import json_response

_NOTHING_KNOWN: Final[dict[str, Any]] = {
    "products": {},
    "redis": {
        "reachable": False,
        **dict.fromkeys(("latency_ms", "used_memory", "version", "keys")),
    },
    "memory": {"payloads": 0, "bytes": 0, "limit": 0},
    "reads": {"memory": 0, "redis": 0, "missing": 0, "expired": 0},
    "alarms": {},
    "source": {"accepted": None, "held": None},
}
"""The cache's status before any server is known."""

_REDIS_ADVICE: Final = "start it with `kpi up`, or check REDIS_URL and the server it names"
_ALARM_ADVICE: Final = (
    "the logs of serving and of the worker record each alarm; refresh the products they name, then "
    "delete the hash kpi:metrics:alarms"
)
_HELD_ADVICE: Final = (
    "the latest reading of the source is not published: if rows or amounts fell rightly, confirm it with "
    "`kpi accept-reading`; if not, `kpi doctor` shows what is wrong"
)

routes: Final = Blueprint("health", __name__)


@routes.get("/manager/api/cache/status")
def cache_status() -> Response:
    """The status of the cache as this process sees it."""
    return json_response(_status(_connection()))


@routes.get("/health/system")
def health() -> Response:
    """The health of the whole system; 503 when no figures can be served."""
    report = _report(_connection())
    return json_response(report, 503 if report["status"] == "down" else 200)


def _connection() -> Connection | None:
    try:
        return current_connection()
    except NoRedis:
        return None


def _status(connection: Connection | None) -> dict[str, Any]:
    return _NOTHING_KNOWN if connection is None else connection.reader.status()


def _report(connection: Connection | None) -> dict[str, Any]:
    status = _status(connection)
    reachable = status["redis"]["reachable"]
    redis_check = {"status": "ok"} if reachable else {"status": "down", "advice": _REDIS_ADVICE}
    alarms = {"status": "degraded", "advice": _ALARM_ADVICE} if status["alarms"] else {"status": "ok"}
    source = _source_check(status["source"]["held"])
    products = _products(connection)
    checks = (alarms, source, *products.values())
    # While Redis is away only what this process holds can be served.
    servable = [check for check in products.values() if check["state"] in ("fresh", "stale")]
    if not servable or not (reachable or status["memory"]["payloads"]):
        overall = "down"
    elif reachable and all(check["status"] == "ok" for check in checks):
        overall = "ok"
    else:
        overall = "degraded"
    return {
        "status": overall,
        "checks": {
            "redis": {**redis_check, "latency_ms": status["redis"]["latency_ms"]},
            "products": products,
            "alarms": {**alarms, "counts": status["alarms"]},
            "source": source,
        },
    }


def _source_check(held: dict[str, Any] | None) -> dict[str, Any]:
    """Whether the latest reading of the source is published."""
    if held is None:
        return {"status": "ok"}
    return {"status": "degraded", "reading": held["digest"], "falls": held["falls"], "advice": _HELD_ADVICE}


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
    details = {"state": state.value, "age_s": age_s(entry, now), "as_of": entry.as_of.isoformat()}
    if state is AnswerState.EXPIRED:
        return {"status": "down", **details, "advice": "`kpi status` shows why nothing new is published"}
    if (unreadable := _unreadable(connection, product)) is not None:
        return {"status": "down", **details, "state": "unreadable", "advice": unreadable}
    return {"status": "ok" if state is AnswerState.FRESH else "degraded", **details}


def _unreadable(connection: Connection, product: str) -> str | None:
    """Why a live generation cannot be used: lost, damaged or of another format; None when it can."""
    try:
        connection.catalogues.of(product)
    except (NothingPublished, CorruptPayload) as error:
        return str(error)
    except CacheUnavailable:
        return None  # reported by the check of Redis
    return None

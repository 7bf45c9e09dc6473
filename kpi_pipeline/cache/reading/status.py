"""The health of the cache as plain JSON values."""

import time
from collections.abc import Mapping
from typing import Any, Final, cast

import orjson
import redis

from kpi_pipeline.cache.agreements import published_agreements
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import ALARMS_KEY
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.pipeline_report import published_report
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient
from kpi_pipeline.model.agreement import Agreements
from kpi_pipeline.model.pipeline_report import PipelineReport
from kpi_pipeline.model.readings import ReadingReport, SourceReadings

UNKNOWN_SERVER: Final[Mapping[str, Any]] = {
    "reachable": False,
    **dict.fromkeys(("latency_ms", "used_memory", "version", "keys", "maxmemory", "evicted_keys", "unsaved")),
}
"""The health of a server that cannot be reached."""

_SAVED: Final = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
"""What the server reports of its persistence: `ok`, also where it is turned off."""


def entry_status(entry: ManifestEntry, state: AnswerState, now: float) -> dict[str, Any]:
    """A live generation and its state.

    Args:
        entry: Its manifest entry.
        state: The state of its answers.
        now: Seconds since the epoch.
    """
    return {
        "generation": entry.generation,
        "state": state.value,
        "as_of": entry.as_of.isoformat(),
        "age_s": round(max(now - entry.verified_at, 0.0), 3),
        "computed_at": entry.computed_at,
        "verified_at": entry.verified_at,
        "fresh_until": entry.fresh_until,
        "stale_until": entry.stale_until,
        "fence": entry.fence,
        "watermark": entry.watermark,
        "run_id": entry.run_id,
        "variants": entry.variants,
        "bytes": entry.bytes,
        "previous": list(entry.previous),
    }


def readings_status(readings: SourceReadings) -> dict[str, Any]:
    """The readings of the source.

    Returns:
        `accepted`, the last accepted one, and `held`, a later one that is not published; both may be None.
        Each has `digest`, `read_at`, `conflicts`, and for `certificates` and `costs` the rows accepted and
        refused with the shares refused; a held one has `falls`, sentences.
    """
    held = readings.held
    return {
        "accepted": _report(readings.accepted),
        "held": held and {**(_report(held.report) or {}), "falls": [fall.as_text() for fall in held.falls]},
    }


def _report(report: ReadingReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    plain: dict[str, Any] = orjson.loads(orjson.dumps(report))
    for kind, rows in (("certificates", report.certificates), ("costs", report.costs)):
        plain[kind] |= {
            "refused_share": rows.refused_share,
            "refused_amount_shares": rows.refused_amount_shares,
        }
    return {"digest": report.digest, **plain}


def server_status(read_client: ReadClient) -> Mapping[str, Any]:
    """The server's health.

    Returns:
        `reachable`, `latency_ms` of one round trip, `used_memory` in bytes, `maxmemory` likewise, 0 without
        a limit, `version` with the server's name, `keys`, `evicted_keys` since its start, `unsaved`, what
        of its persistence fails; all but the first None when it cannot be reached.
    """

    def measure(client: redis.Redis) -> dict[str, Any]:
        begun = time.perf_counter()
        client.ping()
        latency_ms = (time.perf_counter() - begun) * 1000
        info = client.info("server", "memory", "stats", "persistence")
        # Valkey also gives the version of Redis that it is compatible with.
        name = info.get("server_name", "redis")
        return {
            "reachable": True,
            "latency_ms": round(latency_ms, 3),
            "used_memory": int(info["used_memory"]),
            "version": f"{name} {info.get(f'{name}_version', info['redis_version'])}",
            "keys": client.dbsize(),
            "maxmemory": int(info.get("maxmemory", 0)),
            "evicted_keys": int(info.get("evicted_keys", 0)),
            "unsaved": [name for name in _SAVED if info.get(name, "ok") != "ok"],
        }

    try:
        return read_client.call(measure)
    except CacheUnavailable:
        return UNKNOWN_SERVER


def alarm_counts(read_client: ReadClient) -> dict[str, int]:
    """How often each alarm was raised, by all processes; empty while Redis cannot be reached."""
    try:
        counts = cast("dict[bytes, bytes]", read_client.call(lambda client: client.hgetall(ALARMS_KEY)))
    except CacheUnavailable:
        return {}
    return {name.decode(errors="replace"): int(count) for name, count in counts.items() if count.isdigit()}


def last_agreements(read_client: ReadClient) -> Agreements:
    """What the last audits of figures found; nothing while Redis cannot be reached."""
    try:
        return read_client.call(published_agreements)
    except CacheUnavailable:
        return Agreements()


def last_report(read_client: ReadClient) -> PipelineReport | None:
    """What the pipeline reported last of its own state; None where that is not known."""
    try:
        return read_client.call(published_report)
    except CacheUnavailable:
        return None

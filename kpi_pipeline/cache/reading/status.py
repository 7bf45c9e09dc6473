"""The health of the cache as plain JSON values."""

import time
from typing import Any, cast

import redis

from kpi_pipeline.cache.keys import ALARMS_KEY
from kpi_pipeline.cache.manifest import AnswerState, ManifestEntry
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient


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


def server_status(read_client: ReadClient) -> dict[str, Any]:
    """The server's health.

    Returns:
        `reachable`, `latency_ms` of one round trip, `used_memory` in bytes, `version` with the
        server's name, `keys`; all but the first None when it cannot be reached.
    """

    def measure(client: redis.Redis) -> dict[str, Any]:
        begun = time.perf_counter()
        client.ping()
        latency_ms = (time.perf_counter() - begun) * 1000
        info = client.info("server", "memory")
        # Valkey also gives the version of Redis that it is compatible with.
        name = info.get("server_name", "redis")
        return {
            "reachable": True,
            "latency_ms": round(latency_ms, 3),
            "used_memory": int(info["used_memory"]),
            "version": f"{name} {info.get(f'{name}_version', info['redis_version'])}",
            "keys": client.dbsize(),
        }

    try:
        return read_client.call(measure)
    except CacheUnavailable:
        return {"reachable": False, **dict.fromkeys(("latency_ms", "used_memory", "version", "keys"))}


def alarm_counts(read_client: ReadClient) -> dict[str, int]:
    """How often each alarm was raised, by all processes; empty while Redis cannot be reached."""
    try:
        counts = cast("dict[bytes, bytes]", read_client.call(lambda client: client.hgetall(ALARMS_KEY)))
    except CacheUnavailable:
        return {}
    return {name.decode(errors="replace"): int(count) for name, count in counts.items() if count.isdigit()}

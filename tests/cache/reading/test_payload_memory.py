"""Payloads held in the process: bounded in bytes, least recently used out first."""

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.reading.payload_memory import OVERHEAD, PayloadMemory


def payload(weight: int) -> Payload:
    """One that takes so many bytes, those of its objects included."""
    return Payload(digest="", size=0, crc=0, zstd=b"z" * (weight - OVERHEAD - 1), gzip=b"g")


def test_the_bound_holds_and_the_least_recently_used_goes_first() -> None:
    memory = PayloadMemory(limit=10_000)
    for name in "abc":
        memory.put("g", name, payload(3_000))
    assert memory.get("g", "a") is not None
    memory.put("g", "d", payload(3_000))
    assert {name for name in "abcd" if memory.get("g", name)} == {"a", "c", "d"}
    assert memory.size() == {"payloads": 3, "bytes": 9_000, "limit": 10_000}


def test_a_payload_beyond_the_bound_is_not_held() -> None:
    memory = PayloadMemory(limit=10_000)
    memory.put("g", "a", payload(10_001))
    assert memory.get("g", "a") is None
    assert memory.size()["bytes"] == 0


def test_replacing_counts_once() -> None:
    memory = PayloadMemory(limit=10_000)
    memory.put("g", "a", payload(3_000))
    memory.put("g", "a", payload(5_000))
    assert memory.size() == {"payloads": 1, "bytes": 5_000, "limit": 10_000}


def test_generations_are_told_apart_and_dropped_together() -> None:
    memory = PayloadMemory(limit=10_000)
    kept = payload(2_000)
    memory.put("old", "a", payload(2_000))
    memory.put("new", "a", kept)
    memory.keep_only({"new"})
    assert memory.get("old", "a") is None
    assert memory.get("new", "a") is kept
    assert memory.size()["bytes"] == 2_000

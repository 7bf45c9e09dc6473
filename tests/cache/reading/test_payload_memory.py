"""Payloads held in the process: bounded in bytes, least recently used out first."""

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.reading.payload_memory import PayloadMemory


def payload(weight: int) -> Payload:
    return Payload(digest="", size=0, crc=0, zstd=b"z" * (weight - 1), gzip=b"g")


def test_the_bound_holds_and_the_least_recently_used_goes_first() -> None:
    memory = PayloadMemory(limit=100)
    for name in "abc":
        memory.put("g", name, payload(30))
    assert memory.get("g", "a") is not None
    memory.put("g", "d", payload(30))
    assert {name for name in "abcd" if memory.get("g", name)} == {"a", "c", "d"}
    assert memory.size() == {"payloads": 3, "bytes": 90, "limit": 100}


def test_a_payload_beyond_the_bound_is_not_held() -> None:
    memory = PayloadMemory(limit=100)
    memory.put("g", "a", payload(101))
    assert memory.get("g", "a") is None
    assert memory.size()["bytes"] == 0


def test_replacing_counts_once() -> None:
    memory = PayloadMemory(limit=100)
    memory.put("g", "a", payload(30))
    memory.put("g", "a", payload(50))
    assert memory.size() == {"payloads": 1, "bytes": 50, "limit": 100}


def test_generations_are_told_apart_and_dropped_together() -> None:
    memory = PayloadMemory(limit=100)
    kept = payload(10)
    memory.put("old", "a", payload(10))
    memory.put("new", "a", kept)
    memory.keep_only({"new"})
    assert memory.get("old", "a") is None
    assert memory.get("new", "a") is kept
    assert memory.size()["bytes"] == 10

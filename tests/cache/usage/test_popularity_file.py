"""What readers request outlives a server that is flushed."""

from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.popularity_file import PopularityFile
from kpi_pipeline.model.filters import EVERYTHING, Filter

ACME, MINE = Filter.of({"client": "ACME"}), Filter.of({"client": "Minera Ñandú"})


@pytest.fixture
def file(client: redis.Redis, tmp_path: Path) -> PopularityFile:
    return PopularityFile(client, tmp_path / "popularity")


def weights(client: redis.Redis) -> dict[Filter, int]:
    return {found.filter: round(found.weight) for found in UsageCounters(client).most_requested("kpis", 10)}


def test_what_was_flushed_is_back(client, file) -> None:
    UsageCounters(client).add_requests("kpis", {ACME: 4, MINE: 8})
    assert file.store("kpis") == 2
    client.flushall()
    assert file.restore("kpis") == 2
    assert weights(client) == {MINE: 8, ACME: 4}
    assert client.ttl("kpi:wanted:kpis") > 0
    assert file.restore("charts") == 0


def test_what_readers_have_requested_since_stays(client, file) -> None:
    UsageCounters(client).add_requests("kpis", {ACME: 4})
    file.store("kpis")
    client.flushall()
    UsageCounters(client).add_requests("kpis", {ACME: 2, EVERYTHING: 1})
    file.restore("kpis")
    assert weights(client) == {ACME: 4, EVERYTHING: 1}


def test_a_flushed_server_takes_nothing_from_the_file(client, file) -> None:
    UsageCounters(client).add_requests("kpis", {ACME: 4})
    file.store("kpis")
    client.flushall()
    UsageCounters(client).add_requests("kpis", {EVERYTHING: 1})
    assert file.store("kpis") == 2
    file.restore("kpis")
    assert weights(client) == {ACME: 4, EVERYTHING: 1}


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[1]", b'[["a", "x"]]', b"\xff"])
def test_a_file_that_is_cut_or_changed_counts_for_nothing(client, file, tmp_path, content: bytes) -> None:
    UsageCounters(client).add_requests("kpis", {ACME: 4})
    file.store("kpis")
    (tmp_path / "popularity" / "kpis.json").write_bytes(content)
    assert file.restore("kpis") == 0
    assert file.store("kpis") == 1

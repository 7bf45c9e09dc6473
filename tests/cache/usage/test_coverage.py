"""Coverage: what is precomputed, asked for, hit and missed, told for every product."""

import pytest

from kpi_pipeline.cache.keys import MANIFEST_KEY, precompute_set_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.coverage import Coverage, PrecomputeSetRecord
from kpi_pipeline.model.filters import EVERYTHING, Filter

ACME, OTHER, THIRD = (Filter.of({"client": name}) for name in ("ACME", "other", "third"))
NOTE = PrecomputeSetRecord(known=9, declared=5, left_out=1, requested=2, refused=2)


def test_nothing_is_known_of_an_empty_cache(each_client) -> None:
    kpis = Coverage(each_client).of("kpis")
    assert (kpis.live, kpis.chosen, kpis.requested, kpis.missed) == (None, None, 0, ())
    assert kpis.as_dict()["precomputed"] == 0


def test_it_tells_what_is_held_and_what_readers_find(each_client, each_newsroom) -> None:
    entry = each_newsroom.publish(EVERYTHING, ACME)
    usage_counters, coverage = UsageCounters(each_client), Coverage(each_client)
    usage_counters.add_requests("kpis", {ACME: 3, OTHER: 2, THIRD: 1})
    usage_counters.add_misses("kpis", {(OTHER, MissReason.NOT_PRECOMPUTED): 2, (ACME, MissReason.CORRUPT): 1})
    usage_counters.add_stale("kpis", {ACME: 1})
    usage_counters.add_reads("kpis", 4, {MissReason.NOT_PRECOMPUTED: 2, MissReason.CORRUPT: 1}, stale=3)
    coverage.record("kpis", NOTE)
    kpis = coverage.of("kpis")
    assert kpis.live == entry
    assert kpis.chosen == NOTE
    assert (kpis.requested, kpis.requested_missing) == (3, 2)
    assert kpis.as_dict() == {
        "product": "kpis",
        "generation": entry.generation,
        "precomputed": 2,
        "bytes": entry.bytes,
        "precompute_set": {"known": 9, "declared": 5, "left_out": 1, "requested": 2, "refused": 2},
        "requested": 3,
        "requested_missing": 2,
        "hits": 4,
        "stale": 3,
        "misses": {"not_precomputed": 2, "corrupt": 1},
        "missed": [
            {
                "filter": {"client": ["other"]},
                "reason": "not_precomputed",
                "weight": 2.0,
                "precomputed": False,
            },
            {"filter": {"client": ["ACME"]}, "reason": "corrupt", "weight": 1.0, "precomputed": True},
        ],
    }
    assert [
        (
            listed.requested.filter,
            listed.precomputed,
            round(listed.hits),
            round(listed.stale),
            round(listed.missed),
        )
        for listed in kpis.most_requested
    ] == [(ACME, True, 2, 1, 1), (OTHER, False, 0, 0, 2), (THIRD, False, 1, 0, 0)]
    assert coverage.of("charts").requested == 0


def test_a_variant_published_since_is_told_to_be_there(client, newsroom) -> None:
    newsroom.publish(EVERYTHING)
    UsageCounters(client).add_misses("kpis", {(ACME, MissReason.NOT_PRECOMPUTED): 1})
    assert [listed.precomputed for listed in Coverage(client).of("kpis").missed] == [False]
    newsroom.publish(EVERYTHING, ACME)
    assert [listed.precomputed for listed in Coverage(client).of("kpis").missed] == [True]


@pytest.mark.parametrize("field", ["known", "refused"])
def test_a_note_that_is_none_is_left_out(client, field: str) -> None:
    coverage = Coverage(client)
    coverage.record("kpis", NOTE)
    assert client.ttl(precompute_set_key("kpis")) > 0
    client.hset(precompute_set_key("kpis"), field, "many")
    assert coverage.of("kpis").chosen is None
    client.hdel(precompute_set_key("kpis"), field)
    assert coverage.of("kpis").chosen is None


def test_a_manifest_that_is_none_counts_as_nothing_live(client) -> None:
    client.hset(MANIFEST_KEY, "kpis", "x")
    assert Coverage(client).of("kpis").live is None

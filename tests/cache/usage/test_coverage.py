"""Coverage: what is precomputed, asked for, hit and missed, told for every product."""

import pytest

from kpi_pipeline.cache.keys import MANIFEST_KEY, hot_set_key
from kpi_pipeline.cache.manifest import Miss
from kpi_pipeline.cache.usage.counters import Ledger
from kpi_pipeline.cache.usage.coverage import Coverage, HotSetNote
from kpi_pipeline.model.filters import EVERYTHING, Filter

ACME, OTHER, THIRD = (Filter.of({"client": name}) for name in ("ACME", "other", "third"))
NOTE = HotSetNote(known=9, declared=5, left_out=1, asked=2, refused=2)


def test_nothing_is_known_of_an_empty_cache(each_client) -> None:
    found = Coverage(each_client).of("kpis")
    assert (found.live, found.chosen, found.asked, found.missed) == (None, None, 0, ())
    assert found.as_dict()["precomputed"] == 0


def test_it_tells_what_is_held_and_what_readers_find(each_client, each_newsroom) -> None:
    entry = each_newsroom.publish(EVERYTHING, ACME)
    ledger, coverage = Ledger(each_client), Coverage(each_client)
    ledger.note_asks("kpis", {ACME: 3, OTHER: 2, THIRD: 1})
    ledger.note_misses("kpis", {(OTHER, Miss.NOT_HOT): 2, (ACME, Miss.CORRUPT): 1})
    ledger.note_stale("kpis", {ACME: 1})
    ledger.note_reads("kpis", 4, {Miss.NOT_HOT: 2, Miss.CORRUPT: 1}, stale=3)
    coverage.note("kpis", NOTE)
    found = coverage.of("kpis")
    assert found.live == entry
    assert found.chosen == NOTE
    assert (found.asked, found.asked_missing) == (3, 2)
    assert found.as_dict() == {
        "product": "kpis",
        "generation": entry.generation,
        "precomputed": 2,
        "bytes": entry.bytes,
        "hot_set": {"known": 9, "declared": 5, "left_out": 1, "asked": 2, "refused": 2},
        "asked": 3,
        "asked_missing": 2,
        "hits": 4,
        "stale": 3,
        "misses": {"not_hot": 2, "corrupt": 1},
        "missed": [
            {"filter": {"client": ["other"]}, "reason": "not_hot", "weight": 2.0, "precomputed": False},
            {"filter": {"client": ["ACME"]}, "reason": "corrupt", "weight": 1.0, "precomputed": True},
        ],
    }
    assert [
        (one.asked.filter, one.precomputed, round(one.hits), round(one.stale), round(one.missed))
        for one in found.most_asked
    ] == [(ACME, True, 2, 1, 1), (OTHER, False, 0, 0, 2), (THIRD, False, 1, 0, 0)]
    assert coverage.of("charts").asked == 0


def test_a_variant_published_since_is_told_to_be_there(client, newsroom) -> None:
    newsroom.publish(EVERYTHING)
    Ledger(client).note_misses("kpis", {(ACME, Miss.NOT_HOT): 1})
    assert [one.precomputed for one in Coverage(client).of("kpis").missed] == [False]
    newsroom.publish(EVERYTHING, ACME)
    assert [one.precomputed for one in Coverage(client).of("kpis").missed] == [True]


@pytest.mark.parametrize("field", ["known", "refused"])
def test_a_note_that_is_none_is_left_out(client, field: str) -> None:
    coverage = Coverage(client)
    coverage.note("kpis", NOTE)
    assert client.ttl(hot_set_key("kpis")) > 0
    client.hset(hot_set_key("kpis"), field, "many")
    assert coverage.of("kpis").chosen is None
    client.hdel(hot_set_key("kpis"), field)
    assert coverage.of("kpis").chosen is None


def test_a_manifest_that_is_none_counts_as_nothing_live(client) -> None:
    client.hset(MANIFEST_KEY, "kpis", "x")
    assert Coverage(client).of("kpis").live is None

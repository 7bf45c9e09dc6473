"""Coverage as engineers see it in Dagster."""

import os
from pathlib import Path

import pytest
from dagster import AssetKey

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter

ASKED = Filter.of({"client": ["a", "b"], "state": "pagado"})


def test_it_is_told_of_an_empty_cache_too(demo_home: Path, run, instance) -> None:
    assert run("measure_coverage").success
    shown = metadata(instance)
    assert (shown["precomputed"].value, shown["hits"].value) == (0, 0)
    assert "hit_share" not in shown
    assert [row.data["product"] for row in shown["products"].records] == list(PRODUCTS)


@pytest.mark.slow
def test_it_tells_what_is_precomputed_and_what_is_missed(demo_home: Path, run, read, instance) -> None:
    assert run().success
    with connect(os.environ["REDIS_URL"]) as client:
        usage_counters = UsageCounters(client)
        usage_counters.add_requests("kpis", {EVERYTHING: 6, ASKED: 2})
        usage_counters.add_misses("kpis", {(ASKED, MissReason.NOT_PRECOMPUTED): 2})
        usage_counters.add_reads("kpis", 6, {MissReason.NOT_PRECOMPUTED: 2})
    assert run("measure_coverage").success
    shown, entries = metadata(instance), read().manifest()
    assert shown["precomputed"].value == sum(entry.variants for entry in entries.values())
    assert shown["bytes"].value == sum(entry.bytes for entry in entries.values())
    assert (shown["hits"].value, shown["misses"].value, shown["hit_share"].value) == (6, 2, 0.75)
    told = instance.get_latest_materialization_event(AssetKey("kpis")).asset_materialization.metadata
    kpis = next(row.data for row in shown["products"].records if row.data["product"] == "kpis")
    assert kpis == {
        "product": "kpis",
        "exist": told["declared"].value,
        "precomputed": entries["kpis"].variants,
        "left_out": kpis["exist"] - entries["kpis"].variants,
        "refused": 0,
        "bytes": entries["kpis"].bytes,
        "asked": 2,
        "asked_missing": 1,
        "hits": 6,
        "misses": 2,
        "reasons": "not_precomputed 2",
    }
    (missed,) = shown["missed"].records
    assert missed.data == {
        "product": "kpis",
        "filter": "client=a|b, state=pagado",
        "reason": "not_precomputed",
        "weight": 2.0,
        "precomputed_now": False,
    }


def metadata(instance):
    return instance.get_latest_materialization_event(AssetKey("coverage")).asset_materialization.metadata

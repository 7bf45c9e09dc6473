"""Lookups over HTTP are counted: hits for popularity, misses with their reasons."""

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import REQUESTS_KEY, payload_key, variant_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.waiting import wait_until

MINE = Filter.of({"client": "Minera Ñandú"})
ADDRESS = "/manager/api/kpis?cliente=minera+nandu"


@pytest.fixture
def usage_counters(client) -> UsageCounters:
    return UsageCounters(client)


def test_hits_make_a_variant_popular(web, press, data_of, usage_counters) -> None:
    press.publish("kpis", answers={EVERYTHING: data_of("kpis"), MINE: data_of("kpis")})
    for _ in range(3):
        assert web.get(ADDRESS).status_code == 200
    assert web.get("/manager/api/kpis").status_code == 200
    wait_until(lambda: usage_counters.reads("kpis") == Reads(4, {}))
    assert [
        (requested.filter, round(requested.weight)) for requested in usage_counters.most_requested("kpis", 10)
    ] == [
        (MINE, 3),
        (EVERYTHING, 1),
    ]
    assert usage_counters.most_missed("kpis", 10) == []


def test_the_page_counts_too(web, press, usage_counters) -> None:
    press.publish()
    assert web.get("/manager/dashboard").status_code == 200
    wait_until(lambda: usage_counters.reads("dashboards") == Reads(1, {}))


def test_stale_answers_are_hits_of_their_own(web, press, usage_counters) -> None:
    press.publish("kpis", age_s=700)
    assert web.get("/manager/api/kpis").status_code == 200
    wait_until(lambda: usage_counters.reads("kpis") == Reads(1, {}, stale=1))


def test_a_missing_variant_is_a_miss_with_its_reason(web, press, usage_counters) -> None:
    press.publish("kpis")
    for _ in range(2):
        assert web.get(ADDRESS).status_code == 202
    wait_until(lambda: usage_counters.reads("kpis") == Reads(0, {MissReason.NOT_PRECOMPUTED: 2}))
    assert [
        (missed.filter, missed.reason, round(missed.weight))
        for missed in usage_counters.most_missed("kpis", 10)
    ] == [(MINE, MissReason.NOT_PRECOMPUTED, 2)]
    assert [round(requested.weight) for requested in usage_counters.most_requested("kpis", 10)] == [2]


@pytest.mark.parametrize(
    "path", ["/manager/api/dashboard?cliente=minera+nandu", "/manager/dashboard?cliente=minera+nandu"]
)
def test_what_cannot_be_added_to_a_rollback_is_refused_at_once(web, press, client, path: str) -> None:
    press.publish(reading="first", age_s=400)
    press.publish(reading="second", age_s=300)
    live = Rollback(client).roll_back().products["dashboards"]
    assert web.get(path).status_code == 202
    client.delete(REQUESTS_KEY)
    press.publisher.seal(live.generation)
    refused = web.get(path)
    assert refused.status_code == 404
    if refused.is_json:
        assert refused.get_json()["type"] == "/problems/filter-rolled-back"
        assert refused.get_json()["asked_filter"] == {"client": ["Minera Ñandú"]}
    else:
        assert "Filtro no disponible en la lectura repuesta" in refused.text
        assert "kpi warm" not in refused.text
    assert web.post("/manager/dashboard/refresh?product=dashboards&cliente=minera+nandu").status_code == 404
    assert client.xlen(REQUESTS_KEY) == 0
    # What it holds is served and refreshed, and another publication is no rollback any more.
    assert web.get(path.partition("?")[0]).status_code == 200
    assert web.post("/manager/dashboard/refresh?product=dashboards").status_code == 202
    press.publish(reading="third")
    assert web.get(path).status_code == 202


def test_spoilt_and_expired_figures_are_misses_of_their_own(
    web, press, data_of, client, usage_counters
) -> None:
    answers = {EVERYTHING: data_of("kpis"), MINE: data_of("kpis")}
    press.publish("charts", age_s=5_000)
    (entry,) = press.publish("kpis", answers=answers)
    client.set(payload_key(entry.generation, variant_key("kpis", MINE)), b"x", keepttl=True)
    assert web.get(ADDRESS).status_code == 202
    assert web.get("/manager/api/charts").status_code == 503
    wait_until(lambda: usage_counters.reads("kpis") == Reads(0, {MissReason.CORRUPT: 1}))
    wait_until(lambda: usage_counters.reads("charts") == Reads(0, {MissReason.EXPIRED: 1}))


def test_a_server_that_refuses_to_be_written_answers_all_the_same(
    web, press, client, usage_counters, cache_url
) -> None:
    press.publish("kpis")
    with connect(cache_url) as admin:
        admin.config_set("maxmemory", 1)
        try:
            assert web.get("/manager/api/kpis").status_code == 200
        finally:
            admin.config_set("maxmemory", 0)
    assert web.get("/manager/api/kpis").status_code == 200
    wait_until(lambda: usage_counters.reads("kpis") == Reads(2, {}))

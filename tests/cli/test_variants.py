"""`kpi variants`: the coverage on the command line."""

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.coverage import Coverage, PrecomputeSetRecord
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter

pytestmark = pytest.mark.slow

ASKED = Filter.of({"client": ["Añil", "b"], "state": "pagado"})


@pytest.fixture
def counted(cache_url: str) -> str:
    with connect(cache_url) as client:
        usage_counters = UsageCounters(client)
        usage_counters.add_requests("kpis", {ASKED: 2})
        usage_counters.add_misses("kpis", {(ASKED, MissReason.NOT_PRECOMPUTED): 2})
        usage_counters.add_reads("kpis", 1_234, {MissReason.NOT_PRECOMPUTED: 2, MissReason.VANISHED: 1})
        Coverage(client).record(
            "kpis", PrecomputeSetRecord(known=12, declared=8, left_out=3, requested=2, refused=2)
        )
    return cache_url


def test_the_table_tells_every_product(kpi, counted: str) -> None:
    ran = kpi("variants", REDIS_URL=counted)
    assert ran.code == 0, ran.errors
    heading, *rows = ran.output.splitlines()
    assert heading.split()[:3] == ["Product", "Known", "Precomputed"]
    assert [row.split()[0] for row in rows[:4]] == list(PRODUCTS)
    assert rows[0].split() == ["kpis", "12", "0", "5", "1", "1", "1,234", "3", "0"]
    assert rows[4:] == ["kpis missed in 7 days: 2 not_precomputed, 1 vanished"]


def test_misses_are_listed_with_their_reasons(kpi, counted: str) -> None:
    ran = kpi("variants", "--product", "kpis", "--misses", REDIS_URL=counted)
    assert ran.code == 0, ran.errors
    last = ran.output.splitlines()[-1]
    assert last.split("  ")[0] == "kpis"
    assert "client=Añil|b, state=pagado" in last
    assert last.split()[-3:] == ["not_precomputed", "2.0", "missing"]
    assert "charts" not in ran.output


def test_without_misses_it_says_so(kpi, cache_url: str) -> None:
    ran = kpi("variants", "--misses", REDIS_URL=cache_url)
    assert ran.output.splitlines()[-1] == "no variant was missed in 7 days"


def test_json_holds_it_all(kpi, counted: str) -> None:
    told = kpi("variants", "--json", "--product", "kpis", REDIS_URL=counted).json()
    (kpis,) = told["products"]
    assert (told["ok"], told["days"]) == (True, 7)
    assert kpis["precompute_set"] == {"known": 12, "declared": 8, "left_out": 3, "requested": 2, "refused": 2}
    assert (kpis["hits"], kpis["misses"]) == (1_234, {"not_precomputed": 2, "vanished": 1})
    assert [one["filter"] for one in kpis["missed"]] == [{"client": ["Añil", "b"], "state": ["pagado"]}]


def test_an_unknown_product_is_wrong_usage(kpi, cache_url: str) -> None:
    ran = kpi("variants", "--product", "profits", REDIS_URL=cache_url)
    assert ran.code == 2
    assert "financials" in ran.errors


def test_a_server_that_is_away_is_explained(kpi) -> None:
    for settings in ({}, {"REDIS_URL": "redis://127.0.0.1:1/0"}):
        ran = kpi("variants", **settings)
        assert ran.code == 1
        assert "Traceback" not in ran.errors
        assert "Redis" in ran.errors
        told = kpi("variants", "--json", **settings).json()
        assert told["ok"] is False

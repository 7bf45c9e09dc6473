"""`kpi variants`: the coverage ledger on the command line."""

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.manifest import Miss
from kpi_pipeline.cache.usage.counters import Ledger
from kpi_pipeline.cache.usage.coverage import Coverage, HotSetNote
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter

pytestmark = pytest.mark.slow

ASKED = Filter.of({"client": ["Añil", "b"], "state": "pagado"})


@pytest.fixture
def asked_for(cache_url: str) -> str:
    with connect(cache_url) as client:
        ledger = Ledger(client)
        ledger.note_asks("kpis", {ASKED: 2})
        ledger.note_misses("kpis", {(ASKED, Miss.NOT_HOT): 2})
        ledger.note_reads("kpis", 1_234, {Miss.NOT_HOT: 2, Miss.VANISHED: 1})
        Coverage(client).note("kpis", HotSetNote(known=12, declared=8, left_out=3, asked=2, refused=2))
    return cache_url


def test_the_table_tells_every_product(kpi, asked_for: str) -> None:
    ran = kpi("variants", REDIS_URL=asked_for)
    assert ran.code == 0, ran.errors
    heading, *rows = ran.output.splitlines()
    assert heading.split()[:3] == ["Product", "Exist", "Precomputed"]
    assert [row.split()[0] for row in rows[:4]] == list(PRODUCTS)
    assert rows[0].split() == ["kpis", "12", "0", "5", "1", "1", "1,234", "3", "0"]
    assert rows[4:] == ["kpis missed in 7 days: 2 not_hot, 1 vanished"]


def test_misses_are_listed_with_their_reasons(kpi, asked_for: str) -> None:
    ran = kpi("variants", "--product", "kpis", "--misses", REDIS_URL=asked_for)
    assert ran.code == 0, ran.errors
    last = ran.output.splitlines()[-1]
    assert last.split("  ")[0] == "kpis"
    assert "client=Añil|b, state=pagado" in last
    assert last.split()[-3:] == ["not_hot", "2.0", "missing"]
    assert "charts" not in ran.output


def test_without_misses_it_says_so(kpi, cache_url: str) -> None:
    ran = kpi("variants", "--misses", REDIS_URL=cache_url)
    assert ran.output.splitlines()[-1] == "no variant was missed lately"


def test_json_holds_it_all(kpi, asked_for: str) -> None:
    told = kpi("variants", "--json", "--product", "kpis", REDIS_URL=asked_for).json()
    (kpis,) = told["products"]
    assert (told["ok"], told["days"]) == (True, 7)
    assert kpis["hot_set"] == {"known": 12, "declared": 8, "left_out": 3, "asked": 2, "refused": 2}
    assert (kpis["hits"], kpis["misses"]) == (1_234, {"not_hot": 2, "vanished": 1})
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

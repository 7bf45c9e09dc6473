"""`kpi rollback` against a real server, without a stack."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM, Policy, Scope
from kpi_pipeline.resources.operation_journal import OperationJournal

pytestmark = pytest.mark.slow


@pytest.fixture
def publish(cache_url: str):
    """Make a small generation of a product live, of the whole firm or of a scope."""

    def make(product: str, scope: str = WHOLE_FIRM, **changes: object) -> ManifestEntry:
        with connect(cache_url) as client:
            publisher, now = Publisher(client, scope), time.time()
            generation = new_generation(product, datetime.now(UTC), scope)
            staged = publisher.stage(product, generation, [(EVERYTHING, {})], {}, now + 600)
            entry = ManifestEntry(
                product=product,
                generation=staged.generation,
                fence=publisher.next_fence(),
                as_of=date(2024, 6, 28),
                computed_at=now,
                verified_at=now,
                fresh_until=now + 60,
                stale_until=now + 120,
                reading="reading",
                first_read_at=now,
                rollup="r",
                demand="d",
                rolled_back_at=None,
                rolled_back_from=None,
                inputs="same",
                basis="same",
                source="books",
                watermark=None,
                run_id="run",
                schema_version=SCHEMA_VERSION,
                variants=staged.variants,
                blocks=staged.blocks,
                bytes=staged.bytes,
                previous=(),
            )
            entry = replace(entry, **changes)
            assert publisher.flip(entry) is Flip.LIVE
            return entry

    return make


def live(cache_url: str, product: str) -> ManifestEntry:
    with connect(cache_url) as client:
        entry = Publisher(client).live(product)
        assert entry is not None
        return entry


def test_every_product_is_rolled_back_to_one_reading(kpi, publish, cache_url: str) -> None:
    former = {product: publish(product, reading="first") for product in PRODUCTS}
    for product in PRODUCTS:
        publish(product, reading="second")
    ran = kpi("rollback", REDIS_URL=cache_url)
    assert ran.code == 0
    assert "warning" not in ran.output
    for product in PRODUCTS:
        assert former[product].generation in ran.output
        assert live(cache_url, product).generation == former[product].generation


def test_a_rollback_is_written_down_first(kpi, publish, cache_url: str, tmp_path: Path) -> None:
    former = publish("kpis", reading="first")
    later = publish("kpis", reading="second")
    journal = tmp_path / "home" / "operations"
    journal.mkdir(parents=True)
    refused = kpi("rollback", REDIS_URL=cache_url)
    assert refused.code == 1
    assert "is not done" in refused.errors
    assert live(cache_url, "kpis").generation == later.generation
    journal.rmdir()
    ran = kpi("rollback", "--product", "kpis", REDIS_URL=cache_url)
    assert ran.code == 0, ran.output
    assert live(cache_url, "kpis").generation == former.generation
    (entry,) = OperationJournal(tmp_path / "home").read()
    assert (entry.action, entry.detail) == (AuditAction.ROLLBACK, "kpis")
    assert entry.who.startswith("console:")


def test_a_generation_takes_every_product_to_its_reading(kpi, publish, cache_url: str) -> None:
    former = {product: publish(product, reading="first") for product in PRODUCTS}
    for reading in ("second", "third"):
        for product in PRODUCTS:
            publish(product, reading=reading)
    ran = kpi("rollback", "--to", former["charts"].generation, "--json", REDIS_URL=cache_url)
    assert ran.code == 0
    assert (ran.json()["ok"], ran.json()["mixed"]) == (True, False)
    for told in ran.json()["products"]:
        assert told["live"]["generation"] == former[told["product"]].generation
        assert told["live"]["reading"] == "first"


def test_one_product_to_one_generation_as_json(kpi, publish, cache_url: str) -> None:
    first, second, third = (publish("kpis", reading=f"{number}") for number in range(3))
    publish("charts", reading="2")
    ran = kpi("rollback", "--product", "kpis", "--to", first.generation, "--json", REDIS_URL=cache_url)
    assert ran.code == 0
    ((told,), ok, mixed) = (ran.json()[name] for name in ("products", "ok", "mixed"))
    assert (ok, mixed, told["rolled_back"]) == (True, True, True)
    assert told["live"]["generation"] == first.generation
    assert told["live"]["previous"] == [third.generation, second.generation]
    assert told["live"]["state"] == "fresh"
    assert told["live"]["rolled_back_at"] is not None


def test_who_rolls_one_product_back_is_warned_of_what_pages_then_show(kpi, publish, cache_url: str) -> None:
    for reading in ("earlier", "later"):
        for product in PRODUCTS:
            publish(product, reading=reading)
    ran = kpi("rollback", "--product", "kpis", REDIS_URL=cache_url)
    assert ran.code == 0
    assert "warning: pages show different readings" in ran.output
    assert "dashboards, charts, financials: later (" in ran.output
    assert "kpis: earlier (" in ran.output
    assert live(cache_url, "charts").reading == "later"
    assert kpi("rollback", REDIS_URL=cache_url).code == 0
    assert {live(cache_url, product).reading for product in PRODUCTS} == {"earlier"}


def test_where_no_earlier_reading_is_common_nothing_changes_and_the_code_is_1(
    kpi, publish, cache_url: str
) -> None:
    first = publish("kpis", reading="first")
    second = publish("kpis", reading="second")
    only = publish("charts", reading="second")
    ran = kpi("rollback", "--json", REDIS_URL=cache_url)
    assert ran.code == 1
    told = {one["product"]: one for one in ran.json()["products"]}
    assert not any(one["rolled_back"] for one in told.values())
    assert told["kpis"]["live"]["generation"] == second.generation
    assert told["charts"]["live"]["generation"] == only.generation
    assert told["financials"]["live"] is None
    refused = ran.json()["refused"]
    assert refused["reason"] == told["charts"]["problem"]
    assert [one["generations"] for one in refused["readings"]] == [
        {"kpis": second.generation, "charts": only.generation},
        {"kpis": first.generation},
    ]
    lines = kpi("rollback", REDIS_URL=cache_url).output.splitlines()
    at = next(place for place, line in enumerate(lines) if "nothing was changed" in line)
    assert len(lines[at]) < 160
    heading, *readings = lines[at + 2 : at + 5]
    assert heading.split("  ")[0] == "Reading of"
    assert [line.split()[1:] for line in readings] == [
        ["second", "kpis,", "charts", "kpis,", "charts"],
        ["first", "kpis"],
    ]
    assert "kpi warm" in lines[at + 5]
    assert lines[at + 6].startswith("or take one of kpis back with --product")


def test_a_product_that_shows_nothing_is_named_and_the_code_is_1(kpi, publish, cache_url: str) -> None:
    for reading in ("first", "second"):
        publish("kpis", reading=reading)
    ran = kpi("rollback", "--json", REDIS_URL=cache_url)
    assert ran.code == 1
    told = {one["product"]: one for one in ran.json()["products"]}
    assert told["kpis"]["live"]["reading"] == "first"
    assert "kpi warm" in told["charts"]["problem"]


def test_scopes_are_named_and_keep_all_from_going_back_unless_they_are_left(
    kpi, publish, cache_url: str
) -> None:
    north, south, east, nobody = (
        Scope(name, Filter.of({"client": name})) for name in ("north", "south", "east", "nobody")
    )
    with connect(cache_url) as client:
        PublishedScopes(client).publish(Policy({scope.name: scope for scope in (north, south, east, nobody)}))
    now = time.time()
    times = [{"computed_at": at, "verified_at": at, "first_read_at": at} for at in (now - 20, now - 10)]
    kept = []
    for product in PRODUCTS:
        publish(product, reading="first", **times[0])
        kept.append(publish(product, north.id, reading="n1", **times[0]).generation)
        publish(product, south.id, reading="s", **{**times[0], "verified_at": now - 10})
        publish(product, reading="second", **times[1])
        publish(product, north.id, reading="n2", **times[1])
        publish(product, east.id, reading="e2", **times[1])
    ran = kpi("rollback", "--json", REDIS_URL=cache_url)
    assert (ran.code, ran.json()["refused"]["scopes"], ran.json()["scopes"]) == (1, ["east"], [])
    assert "for the scopes east; nothing was changed" in ran.json()["refused"]["reason"]
    output = kpi("rollback", REDIS_URL=cache_url).output
    assert "--leave-scopes: east then show" in output
    assert "--product" not in output
    assert live(cache_url, "kpis").reading == "second"
    ran = kpi("rollback", "--leave-scopes", "--json", REDIS_URL=cache_url)
    assert (ran.code, ran.json()["ok"]) == (0, True)
    told = {one["scope"]: one for one in ran.json()["scopes"]}
    assert {name: one["outcome"] for name, one in told.items()} == {
        "north": "rolled_back",
        "south": "same_figures",
        "east": "not_kept",
        "nobody": "shows_nothing",
    }
    assert list(told["north"]["generations"].values()) == kept
    second = live(cache_url, "kpis").previous[0]
    assert kpi("rollback", "--to", second, REDIS_URL=cache_url).code == 0
    output = kpi("rollback", "--leave-scopes", REDIS_URL=cache_url).output
    assert "warning: the scopes east still show the reading that was left" in output
    assert "its rows are the same in both readings" in output


def test_wrong_usage_and_no_server_are_told(kpi, cache_url: str) -> None:
    assert kpi("rollback", "--product", "nonsense", REDIS_URL=cache_url).code == 2
    assert kpi("rollback", "--to", "kpis-x", REDIS_URL=cache_url).code == 1
    assert kpi("rollback").code == 1
    ran = kpi("rollback", REDIS_URL="redis://:s3cr3t@127.0.0.1:1/0")
    assert ran.code == 1
    assert "Traceback" not in ran.errors
    assert "s3cr3t" not in ran.output + ran.errors

"""`kpi rollback` against a real server, without a stack."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING

pytestmark = pytest.mark.slow


@pytest.fixture
def publish(cache_url: str):
    """Make a small generation of a product live."""

    def make(product: str, **changes: object) -> ManifestEntry:
        with connect(cache_url) as client:
            publisher, now = Publisher(client), time.time()
            generation = new_generation(product, datetime.now(UTC))
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
                inputs="same",
                basis="same",
                watermark=None,
                run_id="run",
                schema_version=SCHEMA_VERSION,
                variants=staged.variants,
                bytes=staged.bytes,
                previous=(),
            )
            entry = replace(entry, **changes)
            assert publisher.flip(entry) is Flip.LIVE
            return entry

    return make


def test_every_product_is_rolled_back(kpi, publish, cache_url: str) -> None:
    former = {product: publish(product) for product in PRODUCTS}
    for product in PRODUCTS:
        publish(product)
    ran = kpi("rollback", REDIS_URL=cache_url)
    assert ran.code == 0
    for product in PRODUCTS:
        assert former[product].generation in ran.output
        with connect(cache_url) as client:
            assert Publisher(client).live(product).generation == former[product].generation


def test_one_product_to_one_generation_as_json(kpi, publish, cache_url: str) -> None:
    first, second, third = (publish("kpis") for _ in range(3))
    ran = kpi("rollback", "--product", "kpis", "--to", first.generation, "--json", REDIS_URL=cache_url)
    assert ran.code == 0
    ((told,), ok) = ran.json()["products"], ran.json()["ok"]
    assert (ok, told["rolled_back"], told["live"]["generation"]) == (True, True, first.generation)
    assert told["live"]["previous"] == [third.generation, second.generation]
    assert told["live"]["state"] == "fresh"


def test_a_product_without_an_earlier_generation_is_named_and_the_code_is_1(
    kpi, publish, cache_url: str
) -> None:
    first = publish("kpis")
    publish("kpis")
    only = publish("charts")
    ran = kpi("rollback", "--json", REDIS_URL=cache_url)
    assert ran.code == 1
    told = {one["product"]: one for one in ran.json()["products"]}
    assert told["kpis"]["live"]["generation"] == first.generation
    assert (told["charts"]["rolled_back"], told["charts"]["live"]["generation"]) == (False, only.generation)
    assert "kpi warm" in told["charts"]["problem"]
    assert told["financials"]["live"] is None


def test_wrong_usage_and_no_server_are_told(kpi, cache_url: str) -> None:
    assert kpi("rollback", "--product", "nonsense", REDIS_URL=cache_url).code == 2
    assert kpi("rollback", "--to", "kpis-x", REDIS_URL=cache_url).code == 2
    assert kpi("rollback").code == 1
    ran = kpi("rollback", REDIS_URL="redis://:s3cr3t@127.0.0.1:1/0")
    assert ran.code == 1
    assert "Traceback" not in ran.errors
    assert "s3cr3t" not in ran.output + ran.errors

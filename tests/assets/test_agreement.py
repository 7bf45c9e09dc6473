"""Live figures are audited; where they disagree, nothing newer goes live until somebody has seen to it."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from dagster import AssetKey, DagsterInstance, materialize

from kpi_pipeline.assets.scopes import scopes
from kpi_pipeline.assets.sources import certificates
from kpi_pipeline.cache.agreements import is_doubted, published_agreements, release
from kpi_pipeline.cache.codec import decode, encode_answer
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import ALARMS_KEY, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry, live_entry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.agreement import Agreements
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM, Scope
from kpi_pipeline.resources.rollup_archive import RollupArchive
from tests.faults.records import RESULTS, write_row

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_AUDIT_VARIANTS", "3")


@pytest.fixture
def client(demo_home: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


def live(client: redis.Redis, product: str) -> ManifestEntry:
    entry = live_entry(client, product)
    assert entry is not None
    return entry


def key_of(entry: ManifestEntry, requested: Filter) -> str:
    return payload_key(entry.generation, entry.variant(requested))


def proposed(client: redis.Redis, requested: Filter) -> int:
    """What is published as proposed under a filter."""
    frame = client.get(key_of(live(client, "kpis"), requested))
    return int(decode(frame).data()["kpis"]["proposed"][0]["value"])


def falsify(client: redis.Redis, requested: Filter) -> None:
    """Publish one more as proposed, with the right checksum."""
    key = key_of(live(client, "kpis"), requested)
    data = decode(client.get(key)).data()
    data["kpis"]["proposed"][0]["value"] += 1
    client.set(key, encode_answer(data, "kpis", requested.as_dict(), WHOLE_FIRM), keepttl=True)


@pytest.fixture
def small(published: Path, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Filter:
    """The client with the fewest certificates, requested by readers, the only one that is small enough."""
    rows = RollupArchive.of_settings().rows(live(client, "kpis").reading)
    assert rows is not None
    counts = Counter(rows.certificates["client"].to_pylist())
    requested = Filter.of({"client": min(counts, key=counts.__getitem__)})
    monkeypatch.setenv("KPI_AUDIT_ROWS", "250")
    monkeypatch.setenv("KPI_AUDIT_VARIANTS", "2")
    UsageCounters(client).add_request("kpis", requested)
    return requested


def audited(run: Any, client: redis.Redis) -> tuple[bool, Agreements]:
    """Whether the check of an audit passes, and what is published of it."""
    result = run("audit_figures")
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.asset_key == AssetKey("agreement")
    return check.passed, published_agreements(client)


def test_every_figure_of_a_sample_agrees(published: Path, run, client: redis.Redis) -> None:
    passed, found = audited(run, client)
    assert passed
    assert set(found.by_product) == set(PRODUCTS)
    assert found.holds == {}
    for product, one in found.by_product.items():
        assert (one.generation, one.disagreeing, one.too_large) == (live(client, product).generation, 0, 0)
        assert one.variants > 1
    assert found.agreeing == found.figures > 5_000
    assert 0.999 < found.least_share < 1


@pytest.mark.sweep
def test_every_figure_of_many_variants_agrees(
    published: Path, run, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AUDIT_VARIANTS", "60")
    passed, found = audited(run, client)
    assert passed
    for product, one in found.by_product.items():
        assert one.variants > 40
        if path := os.environ.get(RESULTS):
            row = {"variants": one.variants, "figures": one.figures, "disagreeing": one.disagreeing}
            row |= {"product": product, "least_share": Agreements({product: one}).least_share}
            write_row(Path(path), f"tests/assets/test_agreement.py::{product}", row)


def test_of_many_rows_the_variants_that_are_small_enough_are_audited(
    published: Path, run, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AUDIT_ROWS", "250")
    monkeypatch.setenv("KPI_AUDIT_VARIANTS", "8")
    passed, found = audited(run, client)
    assert passed
    kpis = found.by_product["kpis"]
    assert kpis.too_large > 0
    assert kpis.variants > 0
    assert kpis.figures > 1_000
    # The same generation is audited alike.
    _, again = audited(run, client)
    assert again.by_product["kpis"].figures == kpis.figures


def test_a_false_figure_holds_its_product_until_an_audit_agrees(
    small: Filter, source, run, failure, client: redis.Redis
) -> None:
    before, right = live(client, "kpis"), proposed(client, small)
    frame = client.get(key_of(before, small))
    falsify(client, small)
    passed, found = audited(run, client)
    assert not passed
    assert list(found.holds) == ["kpis"]
    (disagreement,) = found.by_product["kpis"].first
    assert (disagreement.filter, disagreement.figure) == (small.as_dict(), "kpis.proposed[0].value")
    assert (disagreement.published, disagreement.recomputed) == (str(right + 1), str(right))
    assert int(client.hget(ALARMS_KEY, "figures_disagree")) == 1

    source("UPDATE edp SET monto_propuesto = monto_propuesto + 1 WHERE rowid = 1")
    message = failure(run("refresh_kpis"))
    assert f"published as {right + 1} and recomputed as {right}" in message
    assert live(client, "kpis") == before

    client.set(key_of(before, small), frame, keepttl=True)
    passed, found = audited(run, client)
    assert passed
    assert found.holds == {}
    assert run("refresh_kpis").success
    assert live(client, "kpis").generation != before.generation


@pytest.fixture
def scope(
    published: Path, client: redis.Redis, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> Scope:
    """A scope that is published of the reading of which all is live."""
    rows = RollupArchive.of_settings().rows(live(client, "kpis").reading)
    assert rows is not None
    ((largest, _),) = Counter(rows.certificates["client"].to_pylist()).most_common(1)
    path = published / "policy.toml"
    path.write_text(f'[scopes.one]\nclient = ["{largest}"]\n')
    monkeypatch.setenv("KPI_POLICY", str(path))
    assert materialize([certificates, scopes], instance=instance, resources=defs.resources).success
    policy, publisher = PublishedScopes(client).policy(), Publisher(client)
    assert policy is not None
    (made,) = policy.scopes.values()
    for product in PRODUCTS:
        of_scope = live_entry(client, product, made.id)
        assert of_scope is not None
        # As where one run publishes both.
        whole = replace(live(client, product), fence=publisher.next_fence(), verified_at=of_scope.verified_at)
        publisher.flip(whole)
    return made


def test_figures_of_a_scope_are_audited_too(scope: Scope, run, client: redis.Redis) -> None:
    passed, found = audited(run, client)
    assert passed
    both = {product: one.variants for product, one in found.by_product.items()}
    assert all(3 < variants <= 5 for variants in both.values()), both
    entry = live_entry(client, "kpis", scope.id)
    assert entry is not None
    key = key_of(entry, EVERYTHING)
    frame = client.get(key)
    data = decode(frame).data()
    data["kpis"]["proposed"][0]["value"] += 1
    client.set(key, encode_answer(data, "kpis", {}, scope.id), keepttl=True)
    passed, found = audited(run, client)
    assert not passed
    assert list(found.holds) == ["kpis"]
    (disagreement,) = found.by_product["kpis"].first
    assert (disagreement.scope, disagreement.generation) == (scope.id, entry.generation)
    assert f"kpis in the scope {scope.id}, all certificates: kpis.proposed" in disagreement.as_text()
    assert is_doubted(client, "kpis", entry.generation)
    of_firm = live(client, "kpis")
    assert not is_doubted(client, "kpis", of_firm.generation)
    # However much of the whole firm disagrees, that of the scope is known.
    firm_key = key_of(of_firm, EVERYTHING)
    firm_frame = client.get(firm_key)
    data = decode(firm_frame).data()
    for value in (value for values in data["kpis"].values() for value in values):
        value["value"] = (value["value"] or 0) + 1
    client.set(firm_key, encode_answer(data, "kpis", {}, ""), keepttl=True)
    assert not audited(run, client)[0]
    assert all(is_doubted(client, "kpis", one.generation) for one in (entry, of_firm))
    client.set(firm_key, firm_frame, keepttl=True)
    client.set(key, frame, keepttl=True)
    passed, found = audited(run, client)
    assert (passed, found.holds) == (True, {})


def test_nothing_of_what_disagrees_is_reused_once_an_engineer_releases_it(
    small: Filter, run, client: redis.Redis
) -> None:
    before, right = live(client, "kpis"), proposed(client, small)
    falsify(client, small)
    assert not audited(run, client)[0]
    assert release(client, "kpis")
    # The source is unchanged: all that is live would be confirmed.
    assert run("refresh_kpis").success
    assert live(client, "kpis").generation != before.generation
    assert proposed(client, small) == right

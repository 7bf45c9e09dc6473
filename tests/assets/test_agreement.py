"""Live figures are audited; where they disagree, nothing newer goes live until somebody has seen to it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from dagster import AssetKey

from kpi_pipeline.cache.agreements import published_agreements, release
from kpi_pipeline.cache.codec import decode, encode_answer
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import ALARMS_KEY, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry, live_entry
from kpi_pipeline.model.agreement import Agreements
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM

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


def falsify(client: redis.Redis, product: str, kpi: str, requested: Filter = EVERYTHING) -> tuple[int, int]:
    """Publish another value of a KPI, with the right checksum. Returns the right value and the wrong one."""
    entry = live(client, product)
    key = payload_key(entry.generation, entry.variant(requested))
    data = decode(client.get(key)).data()
    right = data["kpis"][kpi][0]["value"]
    data["kpis"][kpi][0]["value"] = right + 1
    client.set(key, encode_answer(data, product, requested.as_dict(), WHOLE_FIRM), keepttl=True)
    return right, right + 1


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


def test_of_many_rows_the_variants_that_are_small_enough_are_audited(
    published: Path, run, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AUDIT_ROWS", "250")
    monkeypatch.setenv("KPI_AUDIT_VARIANTS", "8")
    passed, found = audited(run, client)
    assert passed
    assert found.by_product["kpis"].too_large > 0
    assert found.by_product["kpis"].variants > 0
    assert found.by_product["kpis"].figures > 1_000


def test_a_false_figure_holds_its_product_until_an_audit_agrees(
    published: Path, source, run, failure, client: redis.Redis
) -> None:
    before = live(client, "kpis")
    key = payload_key(before.generation, before.variant(EVERYTHING))
    frame = client.get(key)
    right, wrong = falsify(client, "kpis", "receivable")
    passed, found = audited(run, client)
    assert not passed
    assert list(found.holds) == ["kpis"]
    (disagreement,) = found.by_product["kpis"].first
    assert disagreement.figure == "kpis.receivable[0].value"
    assert (disagreement.published, disagreement.recomputed) == (str(wrong), str(right))
    assert int(client.hget(ALARMS_KEY, "figures_disagree")) == 1

    source("UPDATE edp SET monto_propuesto = monto_propuesto + 1 WHERE rowid = 1")
    message = failure(run("refresh_kpis"))
    assert str(wrong) in message
    assert str(right) in message
    assert live(client, "kpis") == before

    client.set(key, frame, keepttl=True)
    passed, found = audited(run, client)
    assert passed
    assert found.holds == {}
    assert run("refresh_kpis").success
    assert live(client, "kpis").generation != before.generation


def test_nothing_of_what_disagrees_is_reused_once_an_engineer_releases_it(
    published: Path, run, client: redis.Redis
) -> None:
    before = live(client, "kpis")
    right, _ = falsify(client, "kpis", "receivable")
    assert not audited(run, client)[0]
    assert not run("refresh_kpis").success
    assert release(client, "kpis")
    assert run("refresh_kpis").success
    after = live(client, "kpis")
    assert after.generation != before.generation
    answer = decode(client.get(payload_key(after.generation, after.variant(EVERYTHING)))).data()
    assert answer["kpis"]["receivable"][0]["value"] == right
    assert audited(run, client)[0]

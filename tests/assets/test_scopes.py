"""Scopes are published after the rest: those alone are computed whose rows have changed."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance, ExecuteInProcessResult, materialize

from kpi_pipeline.access.database import access_database
from kpi_pipeline.access.policy_file import load_policy
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.assets.added_answers import added_answers
from kpi_pipeline.assets.archive import ARCHIVED_ASSETS
from kpi_pipeline.assets.cleanup import clean_cache
from kpi_pipeline.assets.products import LIVE_ASSETS, PRODUCT_ASSETS
from kpi_pipeline.assets.rollup import rollup
from kpi_pipeline.assets.scopes import scopes
from kpi_pipeline.assets.sources import certificates
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import ALARMS_KEY, manifest_key, members_key, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.requests.fulfil import END_ROLLBACK_TAG, YES, task_tag
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.access import Role
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import Settings
from serving.app import create_app

pytestmark = pytest.mark.slow

CHANGES = "/manager/api/changes"
WITHIN = "UPDATE edp SET monto_propuesto = monto_propuesto + 1000 WHERE jefe_proyecto = '{}'"


@pytest.fixture
def policy(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = demo_home / "policy.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("KPI_POLICY", str(path))
    return path


@pytest.fixture
def publish(instance: DagsterInstance) -> Callable[..., ExecuteInProcessResult]:
    """Read the source, and publish scopes."""

    def run(*assets: object, tags: dict[str, str] | None = None) -> ExecuteInProcessResult:
        return materialize(
            list(assets) or [certificates, scopes],
            instance=instance,
            resources=defs.resources,
            raise_on_error=False,
            tags=tags,
        )

    return run


def test_who_may_see_what_is_published_before_anything_is_restored(policy: Path, run) -> None:
    policy.write_text("[scopes.north]\nclient = ['Andina']\n[roles]\nviewer = 'north'\n")
    with connect(os.environ["REDIS_URL"]) as client:
        assert PublishedScopes(client).policy() is None
        run("restore_cache")
        assert PublishedScopes(client).policy() == load_policy(policy)


def outcomes(result: ExecuteInProcessResult) -> dict[str, set[str]]:
    assert result.success
    (made,) = result.asset_materializations_for_node("scopes")
    found = made.metadata["outcomes"].value
    return {scope: set(of_products.values()) for scope, of_products in found.items()}


def test_a_scope_is_computed_when_its_rows_change_and_goes_with_the_policy(source, publish, policy) -> None:
    with connect(os.environ["REDIS_URL"]) as client:
        with closing(sqlite3.connect(policy.parent / "source.db")) as database:
            found = database.execute("SELECT jefe_proyecto FROM edp GROUP BY 1 ORDER BY count(*) DESC")
            first, second = (name for (name,) in found.fetchall()[:2])
        policy.write_text(
            f'[scopes.one]\njefe_proyecto = ["{first}"]\n[scopes.two]\nmanager = ["{second}"]\n'
        )
        assert outcomes(publish()) == {"one": {"written"}, "two": {"written"}}
        published = PublishedScopes(client).policy()
        one, two = (published.scopes[name].id for name in ("one", "two"))

        def live(scope: str) -> dict[str, ManifestEntry]:
            return {product: Publisher(client, scope).live(product) for product in PRODUCTS}

        before = live(one)
        source(WITHIN.format(second))
        assert outcomes(publish()) == {"one": {"unchanged"}, "two": {"written"}}
        after = live(one)
        for product in PRODUCTS:
            assert after[product].generation == before[product].generation
            assert after[product].verified_at > before[product].verified_at
            assert (after[product].watermark, after[product].reading) == (None, before[product].reading)
            assert client.ttl(manifest_key(one)) > 0

        # What a reader waits for is computed within their scope.
        settings = Settings(KPI_ACCESS="accounts")
        token = Tokens(access_database(settings)).create("test", Role.PROJECT_MANAGER, 600, "one")[1]
        web, headers = create_app(settings).test_client(), {"Authorization": f"Bearer {token}"}
        catalogue = web.get("/manager/api/catalogue", headers=headers).get_json()["data"]
        named = {one["name"]: [value["value"] for value in one["values"]] for one in catalogue["dimensions"]}
        assert named["project_manager"] == [first]
        address = "/manager/api/dashboard?" + "&".join(f"client={name}" for name in named["client"][:2])
        assert web.get(address, headers=headers).status_code == 202
        (request,) = Requests(client).pending("test", 10)
        assert request.scope == one
        assert publish(added_answers, tags=dict([task_tag(request)])).success
        assert web.get(address, headers=headers).get_json()["meta"]["scope"] == one

        # Nor is anything outside it in the bridge between any two days.
        days = [one["day"] for one in web.get(CHANGES, headers=headers).get_json()["data"]["days"]]
        chosen = f"{CHANGES}?from={days[1]}&to={days[4]}&figure=approved"
        assert web.get(chosen, headers=headers).status_code == 202
        (request,) = Requests(client).pending("test", 10)
        assert (request.kind, request.scope) == (RequestKind.BRIDGE, one)
        assert publish(added_answers, tags=dict([task_tag(request)])).success
        answer = web.get(chosen, headers=headers).get_json()
        assert answer["meta"]["scope"] == one
        assert {row["project_manager"] for row in answer["data"]["certificates"]} == {first}
        opening = answer["data"]["currencies"][0]["figures"]["approved"]["opening"]
        named = web.get(f"{CHANGES}?from={days[1]}&to={days[2]}", headers=headers).get_json()["data"]
        assert opening == named["currencies"][0]["figures"]["approved"]["opening"]
        assert opening["amount"] > 0

        # A fault leaves what is live, and who may see it.
        policy.write_text('[scopes.one]\nstate = ["pagado"]\n')
        broken = publish()
        (made,) = broken.asset_materializations_for_node("scopes")
        assert "line 2, [scopes.one] state: not allowed" in made.metadata["failures"].value["KPI_POLICY"]
        assert outcomes(broken) == {"one": {"unchanged"}, "two": {"unchanged"}}
        assert client.hget(ALARMS_KEY, "scopes_failed") == b"1"
        assert PublishedScopes(client).policy() == published
        policy.write_text(f'[scopes.one]\nmanager = ["{second}"]\n')
        assert outcomes(publish()) == {"one": {"written"}}
        gone = [entry.generation for entry in (*after.values(), *live(two).values()) if entry]
        assert not client.exists(manifest_key(one), manifest_key(two), *map(members_key, gone))
        (now,) = PublishedScopes(client).policy().ids
        assert web.get("/manager/api/dashboard", headers=headers).get_json()["meta"]["scope"] == now != one


def test_a_rollback_holds_for_scopes_until_the_source_changes(
    source, publish, policy, another_worker, monkeypatch
) -> None:
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "250")
    of_kpis = (certificates, rollup, PRODUCT_ASSETS[0], LIVE_ASSETS[0], ARCHIVED_ASSETS[0], scopes)
    with closing(sqlite3.connect(policy.parent / "source.db")) as database:
        found = database.execute("SELECT jefe_proyecto FROM edp GROUP BY 1 ORDER BY count(*) DESC")
        first, second = (name for (name,) in found.fetchall()[:2])
    policy.write_text(f'[scopes.one]\nmanager = ["{first}"]\n[scopes.two]\nmanager = ["{second}"]\n')

    def refresh(**tags: str) -> dict[str, set[str]]:
        """Read the source, and publish the figures of the firm, then those of its scopes."""
        another_worker()
        return outcomes(publish(*of_kpis, tags=tags))

    with connect(os.environ["REDIS_URL"]) as client:
        refresh()
        one, two = (PublishedScopes(client).policy().scopes[name].id for name in ("one", "two"))

        def live(scope: str = WHOLE_FIRM) -> ManifestEntry:
            return Publisher(client, scope).live("kpis")

        right = {scope: live(scope) for scope in (WHOLE_FIRM, one, two)}
        answers = members_of(client, live(one))
        source(WITHIN.format(first))
        assert refresh() == {"one": {"written"}, "two": {"unchanged"}}
        wrong = live(one)
        assert wrong.reading != right[one].reading
        assert {right[one].reading, wrong.reading} <= PublishedScopes(client).readings()

        result = Rollback(client).roll_back(["kpis"])
        assert {scope.name: scope.outcome.value for scope in result.scopes} == {
            "one": "rolled_back",
            "two": "same_figures",
        }
        assert live(one).generation == right[one].generation

        # A run that reads the same leaves it, with its age, and mends what it has lost.
        held = live(one)
        client.delete(payload_key(held.generation, held.variant(EVERYTHING)))
        assert refresh() == {"one": {"rolled back"}, "two": {"unchanged"}}
        assert live(one).reading == right[one].reading
        assert members_of(client, live(one)) == answers
        assert live(one).rolled_back_at == held.rolled_back_at
        assert (live(one).computed_at, live(one).verified_at) == (held.computed_at, held.verified_at)
        assert live(one).stale_until > held.stale_until
        assert (live(two).rolled_back_at, live(two).reading) == (None, right[two].reading)
        token = Tokens(access_database(Settings(KPI_ACCESS="accounts")))
        headers = {"Authorization": f"Bearer {token.create('test', Role.PROJECT_MANAGER, 600, 'one')[1]}"}
        web = create_app(Settings(KPI_ACCESS="accounts")).test_client()
        meta = web.get("/manager/api/kpis", headers=headers).get_json()["meta"]
        assert meta["rolled_back"]["rolled_back_at"] is not None

        # Another scope that shows nothing is not shown the reading either.
        before = policy.read_text()
        policy.write_text(f'{before}[scopes.three]\nmanager = ["{first}"]\nclient = ["none"]\n')
        another_worker()
        said = publish(*of_kpis).asset_materializations_for_node("scopes")[0].metadata["failures"].value
        assert "rolled back from this reading" in said["scope three"]
        policy.write_text(before)

        # One that ends the rollback brings it back; what changes elsewhere ends it too.
        assert refresh(**{END_ROLLBACK_TAG: YES})["one"] == {"written"}
        assert (live(one).reading, live(one).rolled_back_at) == (wrong.reading, None)
        assert live(one).first_read_at == wrong.first_read_at
        Rollback(client).roll_back(["kpis"])
        assert live(one).reading == right[one].reading
        source(WITHIN.format(second))
        refresh()
        assert (live(one).reading, live(one).rolled_back_at) == (wrong.reading, None)


def members_of(client: redis.Redis, entry: ManifestEntry) -> dict[str, bytes]:
    """The answers of a generation by their names."""
    keys = sorted(client.smembers(members_key(entry.generation)))
    return {key.decode().rpartition(":")[2]: client.get(key) for key in keys}


def test_without_a_policy_what_was_published_of_it_goes(publish, policy, monkeypatch) -> None:
    policy.write_text('[scopes.none]\nclient = ["nobody at all"]\n')
    assert outcomes(publish()) == {"none": {"written"}}
    with connect(os.environ["REDIS_URL"]) as client:
        (scope,) = PublishedScopes(client).policy().ids
        monkeypatch.delenv("KPI_POLICY")
        assert publish(clean_cache).success
        assert PublishedScopes(client).policy() is None
        assert PublishedScopes(client).is_known()
        assert not client.exists(manifest_key(scope))
        assert not list(client.scan_iter(f"kpi:v:*{scope}*"))

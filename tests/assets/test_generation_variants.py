"""Generations hold the precompute set: the budget is kept, and what readers ask for is there next time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from dagster import AssetKey, DagsterInstance, SkipReason, build_sensor_context

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.requests.fulfil import run_request_specs
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors import unfulfilled_requests as stream
from kpi_pipeline.sensors.unfulfilled_requests import requested_refreshes
from kpi_pipeline.settings import Settings
from serving.app import create_app
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("every_variant")]


@pytest.fixture
def client(demo_home: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


def told(instance: DagsterInstance, product: str = "kpis") -> dict[str, object]:
    event = instance.get_latest_materialization_event(AssetKey(product))
    return {name: held.value for name, held in event.asset_materialization.metadata.items()}


def values_of(reader, dimension: str) -> list[str]:
    dimensions = {one["name"]: one["values"] for one in reader.catalogue("kpis")["dimensions"]}
    return [held["value"] for held in dimensions[dimension]]


def two_clients(reader) -> Filter:
    return Filter.of({"client": values_of(reader, "client")[:2]})


def test_without_a_tight_budget_all_declared_variants_are_precomputed(
    demo_home: Path, run, read, instance, client
) -> None:
    assert run().success
    for product in PRODUCTS:
        shown = told(instance, product)
        assert shown["variants"] == shown["declared"]
        assert (shown["left_out"], shown["requested"], shown["refused"]) == (0, 0, 0)
        assert shown["estimated_bytes"] == pytest.approx(shown["bytes"], rel=0.25)
        chosen = Coverage(client).of(product).chosen
        assert (chosen.known, chosen.declared) == (shown["declared"], shown["declared"])


def test_whoever_is_told_to_wait_is_served_next_with_more_single_values_than_the_budget(
    demo_home: Path, run, read, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "1")
    assert run("refresh_kpis").success
    requests = Requests(client)
    clients = values_of(read(), "client")
    awaited = [
        Filter.of({"client": clients[-1], "state": "pagado"}),
        Filter.of({"client": clients[0], "state": "pagado"}),
        two_clients(read()),
    ]
    for filter_ in awaited:
        requests.submit(RequestKind.WARM, "kpis", filter_)
    (spec,) = run_request_specs(requests.pending("test", 10))
    assert run(spec.job, tags=spec.tags).success
    for filter_ in awaited:
        assert read().answer("kpis", filter_).state is AnswerState.FRESH


def test_a_tight_budget_keeps_everything_and_single_values_and_what_is_popular(
    demo_home: Path, run, read, instance, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("refresh_kpis").success
    before = told(instance)
    requested = Filter.of({"client": values_of(read(), "client")[-1], "state": "pagado"})
    UsageCounters(client).add_requests("kpis", {requested: 3, two_clients(read()): 1})
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "400")
    assert run("refresh_kpis").success
    shown = told(instance)
    assert shown["variants"] == read().manifest()["kpis"].variants == 400
    assert (shown["declared"], shown["requested"]) == (before["declared"], 1)
    assert shown["left_out"] == shown["declared"] - 399
    singles = [
        Filter.of({one["name"]: held["value"]})
        for one in read().catalogue("kpis")["dimensions"]
        for held in one["values"]
    ]
    singles.append(Filter.of({"state": ["enviado", "revision"]}))
    for one in (EVERYTHING, *singles, requested, two_clients(read())):
        assert read().answer("kpis", one).state is AnswerState.FRESH
    assert Coverage(client).of("kpis").chosen.left_out == shown["left_out"]


def test_a_budget_in_bytes_bounds_what_is_stored(
    demo_home: Path, run, instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_BYTES", "6000000")
    assert run("refresh_kpis").success
    shown = told(instance)
    assert shown["left_out"] > 0
    assert shown["within_budget"] is True
    assert shown["estimated_bytes"] <= 6_000_000
    # Single values come first, and tell more than the pairs that the estimate takes them for.
    assert 4_000_000 < shown["bytes"] < 7_500_000


def test_single_values_go_beyond_a_budget_that_is_too_small_and_that_is_told(
    demo_home: Path, run, instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "3")
    assert run("refresh_kpis").success
    shown = told(instance)
    assert shown["within_budget"] is False
    assert shown["variants"] == shown["declared"] - shown["left_out"] > 3


def test_a_precompute_set_that_stays_the_same_is_not_written_again(
    demo_home: Path, run, read, instance, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "400")
    assert run("refresh_kpis").success
    UsageCounters(client).add_requests("kpis", {EVERYTHING: 5})
    assert run("refresh_kpis").success
    assert told(instance)["outcome"] == "unchanged"
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "401")
    assert run("refresh_kpis").success
    assert told(instance)["outcome"] == "written"
    assert read().manifest()["kpis"].variants == 401


def test_who_asks_for_a_missing_variant_gets_it_from_the_run_that_follows(
    demo_home: Path, run, read, instance, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PATIENCE_S", 0.0)
    assert run("refresh_kpis").success
    live = read().manifest()["kpis"]
    first, second = values_of(read(), "client")[:2]
    web = create_app(
        Settings(_env_file=None, KPI_HOME=demo_home, REDIS_URL=os.environ["REDIS_URL"])
    ).test_client()
    parameters = {"cliente": [first.upper(), second], "estado": "PAGADO"}
    missing = web.get("/manager/api/kpis", query_string=parameters)
    assert missing.status_code == 202
    assert missing.get_json()["meta"]["essential"] is True
    assert missing.get_json()["data"]["kpis"]
    task = missing.get_json()["meta"]["task"]

    with build_sensor_context(instance=instance, resources={"cache": CacheResource()}) as context:
        requested = [one for one in requested_refreshes(context) if not isinstance(one, SkipReason)]
    (order,) = requested
    assert f"kpi-task/{task['id']}" in order.tags
    assert (
        defs.resolve_job_def(str(order.job_name))
        .execute_in_process(instance=instance, tags=order.tags)
        .success
    )

    def answered():
        reply = web.get("/manager/api/kpis", query_string=parameters)
        return None if reply.status_code == 202 else reply

    found = wait_until(answered)
    assert found.status_code == 200
    assert found.get_json()["meta"]["state"] == "fresh"
    assert found.get_json()["meta"]["filter"] == {"client": sorted([first, second]), "state": ["pagado"]}
    assert read().manifest()["kpis"].generation == live.generation

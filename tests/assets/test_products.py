"""Products are computed, checked, written and only then made live."""

import os
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.compute as pc
import pytest
import redis
from dagster import AssetKey

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import members_key, payload_key, variant_key
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.alerts.kinds import WATCHED_WITH
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.resources.stored_tables import StoredTable, read_table, write_table
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

REBUILD = {"kpi/rebuild": "always"}
CHECKS = {"variants_reconcile", "values_in_range", "reads_back"}
SOURCE = ("certificates", "quarantine", "costs", "cost_quarantine")
BEFORE_THE_FLIP = (*SOURCE, *ROLLUP_TABLES, "kpis")


def reading(reader: CacheReader, kpi: str, requested: Filter = EVERYTHING) -> dict[str, Any]:
    """What is told of a KPI, of which there is one reading."""
    (found,) = reader.answer("kpis", requested).payload.data()["kpis"][kpi]
    return found


def test_one_run_makes_every_product_live_behind_its_checks_and_shows_what_was_made(
    demo_home: Path, run, read, instance
) -> None:
    result = run()
    assert result.success
    checks = result.get_asset_check_evaluations()
    assert all(check.passed for check in checks)
    for product in PRODUCTS:
        assert {check.check_name for check in checks if check.asset_key == AssetKey(product)} == CHECKS
    entries = read().manifest()
    assert set(entries) == set(PRODUCTS)
    assert {entry.run_id for entry in entries.values()} == {result.run_id}
    assert len({entry.fence for entry in entries.values()}) == 1
    # And what alerts watch one by one is published with it.
    watched = read().watch_list(entries[WATCHED_WITH])
    assert watched.as_of == entries[WATCHED_WITH].as_of
    assert watched.is_complete
    idle = [(watched.as_of - one.moved_on).days for one in watched.certificates if one.moved_on is not None]
    assert any(7 <= days <= 59 for days in idle)
    assert any(one.overdue_days for one in watched.certificates)
    # Engineers see what was made.
    made = {
        product: instance.get_latest_materialization_event(AssetKey(product)).asset_materialization.metadata
        for product in PRODUCTS
    }
    for told in made.values():
        assert {"generation", "variants", "bytes", "seconds", "as_of", "outcome"} <= set(told)
        assert told["variants"].value > 100
    picture = made["charts"]["preview_monthly_trend"]
    assert picture.value.startswith("![Tendencia mensual](data:image/png;base64,iVBOR")


def test_what_is_served_equals_the_roll_up(published: Path, read) -> None:
    rollup = StoredTable.of_run("rollup", read().manifest()["kpis"].run_id)
    assert rollup is not None
    stored = rollup.table().to_pylist()
    today, cohorts = ([cell for cell in stored if cell["place"] == place] for place in (AS_OF, COHORT))
    client, month = (max(cell[name] for cell in today) for name in ("client", "month"))
    for requested, held in (
        (EVERYTHING, today),
        (Filter.of({"client": client}), [cell for cell in today if cell["client"] == client]),
        (Filter.of({"month": month}), [cell for cell in cohorts if cell["month"] == month]),
    ):
        answer = read().answer("kpis", requested)
        assert answer.state is AnswerState.FRESH
        proposed, certificates = (reading(read(), kpi, requested) for kpi in ("proposed", "certificates"))
        assert proposed["currency"] == "CLP"
        assert proposed["value"] == sum(cell["proposed_amount"] for cell in held)
        assert certificates["value"] == sum(cell["proposed_count"] for cell in held)


def test_a_products_own_job_renews_that_product_alone(published: Path, run, read) -> None:
    before = read().manifest()
    assert run("refresh_kpis", tags=REBUILD).success
    after = read().manifest()
    assert after["kpis"].generation != before["kpis"].generation
    assert before["kpis"].generation in after["kpis"].previous
    assert {name: after[name] for name in PRODUCTS if name != "kpis"} == {
        name: before[name] for name in PRODUCTS if name != "kpis"
    }


def test_figures_are_as_old_as_the_reading_of_the_source(demo_home: Path, run, read) -> None:
    assert run("refresh_kpis").success
    before = read().manifest()["kpis"]
    assert run("refresh_kpis", "kpis", "live_kpis", tags=REBUILD).success
    again = read().manifest()["kpis"]
    assert again.generation != before.generation
    assert (again.computed_at, again.fresh_until) == (before.computed_at, before.fresh_until)


def test_an_unchanged_source_verifies_what_is_live_and_writes_nothing(
    published: Path, run, read, instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read().manifest()["kpis"]
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        key = payload_key(before.generation, variant_key("kpis", EVERYTHING))
        expiry = client.expiretime(key)
        monkeypatch.setenv("REDIS_CACHE_STALE_GRACE", "90000")
        assert run("refresh_kpis").success
        after = read().manifest()["kpis"]
        assert client.expiretime(key) >= expiry + 90_000 - 86_400
        assert client.expiretime(members_key(after.generation)) == client.expiretime(key)
    assert (after.generation, after.computed_at) == (before.generation, before.computed_at)
    assert (after.reading, after.first_read_at) == (before.reading, before.first_read_at)
    assert after.verified_at > before.verified_at
    assert after.fresh_until == pytest.approx(after.verified_at + 600)
    assert after.fence > before.fence
    told = instance.get_latest_materialization_event(AssetKey("kpis")).asset_materialization.metadata
    assert told["outcome"].value == "unchanged"


def test_a_run_started_by_hand_in_the_ui_moves_the_served_generation(published: Path, run, read) -> None:
    before = read().manifest()
    assert run("refresh_all", tags={"dagster/from_ui": "true"}).success
    after = read().manifest()
    assert all(after[product].generation != before[product].generation for product in PRODUCTS)
    # The same contents are the same reading, whatever product they are of and however often they are read.
    assert len({entry.reading for entry in (*before.values(), *after.values())}) == 1
    assert {entry.first_read_at for entry in after.values()} == {
        entry.first_read_at for entry in before.values()
    }


def test_another_business_date_is_a_change(published: Path, run, read, monkeypatch) -> None:
    before = read().manifest()["kpis"]
    monkeypatch.setenv("KPI_AS_OF", "2024-06-29")
    assert run("refresh_kpis").success
    assert read().manifest()["kpis"].generation != before.generation


def test_a_changed_certificate_is_a_change(published: Path, run, read, small_demo, monkeypatch) -> None:
    before, before_amount = read().manifest()["kpis"], reading(read(), "proposed")["value"]
    changed = published / "changed.db"
    shutil.copy(small_demo, changed)
    with sqlite3.connect(changed) as source:
        source.execute(
            "UPDATE edp SET monto_propuesto = monto_propuesto + 1 WHERE rowid = "
            "(SELECT rowid FROM edp ORDER BY fecha_emision DESC LIMIT 1)"
        )
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{changed}")
    assert run("refresh_kpis").success
    after = read().manifest()["kpis"]
    assert after.generation != before.generation
    assert after.reading != before.reading
    assert after.first_read_at == after.computed_at
    assert reading(read(), "proposed")["value"] == before_amount + 1


@pytest.mark.parametrize("harm", ["corrupt", "lost"])
def test_an_unchanged_generation_that_is_damaged_is_written_anew(
    published: Path, run, read, harm: str
) -> None:
    before = read().manifest()["kpis"]
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        for key in client.smembers(members_key(before.generation)):
            if harm == "lost":
                client.unlink(key)
                break
            client.set(key, b"garbage", keepttl=True)
    assert run("refresh_kpis").success
    after = read().manifest()["kpis"]
    assert after.generation != before.generation
    assert read().answer("kpis", EVERYTHING).state is AnswerState.FRESH


def test_an_interrupted_refresh_does_not_extend_freshness(published: Path, run, read) -> None:
    before = read().manifest()
    # Everything but the flip: as when the run is cut before it.
    assert run("refresh_kpis", *BEFORE_THE_FLIP).success
    assert run("refresh_kpis", *BEFORE_THE_FLIP, tags=REBUILD).success
    assert read().manifest() == before


def test_a_roll_up_with_impossible_sums_never_goes_live(published: Path, run, read, failure) -> None:
    live = read().manifest()
    stored = StoredTable.of_run("rollup", live["kpis"].run_id)
    assert stored is not None
    for path in stored.paths:
        cells = read_table(path)
        place = cells.schema.get_field_index("reworked_count")
        of_certificates = pc.greater(cells["proposed_count"], 0)
        broken = cells.set_column(place, "reworked_count", pc.if_else(of_certificates, 10**6, 0))
        write_table(broken.replace_schema_metadata(cells.schema.metadata), path)
    result = run("refresh_kpis", "kpis", "live_kpis", tags=REBUILD)
    assert "reworked_count exceeds rework_known_count" in failure(result)
    passed = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert passed == {"variants_reconcile": True, "values_in_range": False}
    assert read().manifest() == live


def test_keys_lost_before_the_flip_keep_the_generation_from_going_live(
    published: Path, run, read, failure
) -> None:
    live = read().manifest()
    begun, done = threading.Event(), threading.Event()

    def lose_payloads() -> None:
        held = f"kpi:v:{live['kpis'].generation}:*"
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as vandal:
            kept = set(vandal.keys(held))
            begun.set()
            while not done.is_set():
                if lost := set(vandal.keys("kpi:v:kpis-*")) - kept:
                    vandal.delete(*lost)

    with ThreadPoolExecutor(1) as aside:
        losing = aside.submit(lose_payloads)
        assert begun.wait(30)
        try:
            result = run("refresh_kpis", tags=REBUILD)
        finally:
            done.set()
        losing.result()
    assert "keys are gone" in failure(result)
    failed = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]
    assert failed == ["reads_back"]
    assert read().manifest() == live
    assert read().answer("kpis", EVERYTHING).payload is not None


def test_a_full_server_fails_the_run_and_leaves_what_is_live(published: Path, run, read) -> None:
    live = read().manifest()
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as admin:
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] + 60_000)
        try:
            assert not run("refresh_kpis", tags=REBUILD).success
        finally:
            admin.config_set("maxmemory", 0)
    assert read().manifest() == live
    answer = read().answer("kpis", EVERYTHING)
    assert answer.payload is not None


def test_a_variant_that_readers_asked_for_is_computed_next_time(published: Path, run, read) -> None:
    catalogue = {one["name"]: one["values"] for one in read().catalogue("kpis")["dimensions"]}
    two = Filter.of({"client": [held["value"] for held in catalogue["client"][:2]]})
    gone = Filter.of({"client": "nobody we know"})
    assert read().answer("kpis", two).state is AnswerState.MISSING
    with connect(os.environ["REDIS_URL"]) as client:
        for requested in (two, gone, EVERYTHING):
            UsageCounters(client).add_request("kpis", requested)
    assert run("refresh_kpis").success
    answer = read().answer("kpis", two)
    assert answer.state is AnswerState.FRESH
    alone = [Filter.of({"client": held["value"]}) for held in catalogue["client"][:2]]
    assert reading(read(), "certificates", two)["value"] == sum(
        reading(read(), "certificates", one)["value"] for one in alone
    )
    assert read().answer("kpis", gone).state is AnswerState.MISSING


def test_a_run_whose_source_was_read_earlier_never_replaces_a_newer_one(
    demo_home: Path, run, read, instance
) -> None:
    assert run("refresh_kpis", *BEFORE_THE_FLIP).success
    late = next((demo_home / "storage" / "kpis").glob("*.json")).read_bytes()
    assert run("refresh_kpis").success
    live = read().manifest()["kpis"]
    # The first run's entry comes to the flip after the second one's.
    pointer = demo_home / "storage" / "kpis" / "latest"
    (demo_home / "storage" / "kpis" / pointer.read_text()).write_bytes(late)
    result = run("refresh_kpis", "live_kpis")
    assert result.success
    told = instance.get_latest_materialization_event(AssetKey("live_kpis")).asset_materialization.metadata
    assert told["outcome"].value == "superseded"
    assert read().manifest()["kpis"] == live


@pytest.mark.parametrize("tags", [{}, REBUILD], ids=["refresh", "rebuild"])
def test_two_runs_at_once_the_earlier_reading_ends_last(published: Path, run, read, tags) -> None:
    first = read().manifest()["kpis"]
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client, ThreadPoolExecutor(1) as aside:
        leases, publisher = Leases(client), Publisher(client)
        assert leases.take("kpis", "the later one")
        rolled_up = (published / "storage" / "rollup" / "latest").read_text()
        earlier = aside.submit(run, "refresh_kpis", tags=tags)
        wait_until(lambda: (published / "storage" / "rollup" / "latest").read_text() != rolled_up)
        times = {
            name: getattr(first, name) + 60
            for name in ("computed_at", "verified_at", "fresh_until", "stale_until")
        }
        later = replace(first, fence=publisher.next_fence(), run_id="the later one", **times)
        assert publisher.flip(later) is Flip.LIVE
        assert leases.release("kpis", "the later one")
        assert earlier.result().success
    assert read().manifest()["kpis"] == later


def test_two_runs_at_once_the_later_fence_has_the_earlier_time(published: Path, run, read) -> None:
    """One draws its fence first and begins to read last, and publishes first."""
    first = read().manifest()["kpis"]
    with connect(os.environ["REDIS_URL"]) as client:
        later = replace(
            first,
            computed_at=first.computed_at + 60,
            verified_at=first.verified_at + 60,
            fresh_until=first.fresh_until + 60,
            stale_until=first.stale_until + 60,
        )
        assert Publisher(client).flip(later) is Flip.LIVE
    assert run("refresh_kpis").success
    live = read().manifest()["kpis"]
    assert live.fence > later.fence
    assert live == replace(later, fence=live.fence, run_id=live.run_id)


@pytest.mark.parametrize("when", ["before it is written", "before it goes live"])
def test_a_terminated_run_publishes_nothing_even_if_it_goes_on(
    published: Path, instance, run, read, monkeypatch, when: str
) -> None:
    before = read().manifest()
    run_id = str(uuid4())
    with connect(os.environ["REDIS_URL"]) as client:
        if when == "before it is written":
            Leases(client).revoke(run_id)
        else:
            stage = Publisher.stage

            def stage_and_be_revoked(*args, **kwargs):
                staged = stage(*args, **kwargs)
                Leases(client).revoke(run_id)
                return staged

            monkeypatch.setattr(Publisher, "stage", stage_and_be_revoked)
        ended = defs.resolve_job_def("refresh_kpis").execute_in_process(
            instance=instance, run_id=run_id, tags=REBUILD, raise_on_error=False
        )
        assert Leases(client).holder("kpis") is None
    assert not ended.success
    assert read().manifest() == before


def test_a_failed_save_releases_the_lease(demo_home: Path, run) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as admin:
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] + 60_000)
        try:
            assert not run("refresh_kpis").success
        finally:
            admin.config_set("maxmemory", 0)
        assert Leases(admin).holder("kpis") is None
    assert run("refresh_kpis").success


def test_a_run_waits_for_the_one_that_rebuilds_the_product(demo_home: Path, run, read) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client, ThreadPoolExecutor(1) as aside:
        leases = Leases(client)
        assert leases.take("kpis", "another run")
        waiting = aside.submit(run, "refresh_kpis")
        wait_until((demo_home / "storage" / "rollup" / "latest").exists)
        assert read().manifest() == {}
        assert leases.release("kpis", "another run")
        assert waiting.result().success
    assert "kpis" in read().manifest()


def test_a_lease_loser_never_brings_back_data_older_than_what_is_live(published: Path, run, read) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client, ThreadPoolExecutor(1) as aside:
        leases, publisher = Leases(client), Publisher(client)
        assert leases.take("kpis", "the winner")
        rolled_up = (published / "storage" / "rollup" / "latest").read_text()
        losing = aside.submit(run, "refresh_kpis", tags=REBUILD)
        wait_until(lambda: (published / "storage" / "rollup" / "latest").read_text() != rolled_up)
        # The loser has read the source by now; the winner has read it later, and publishes first.
        newer = replace(publisher.live("kpis"), fence=publisher.next_fence(), run_id="the winner")
        assert publisher.flip(newer) is Flip.LIVE
        assert leases.release("kpis", "the winner")
        assert losing.result().success
    live = read().manifest()["kpis"]
    assert (live.run_id, live.generation) == ("the winner", newer.generation)
    assert read().answer("kpis", EVERYTHING).state is AnswerState.FRESH


def test_a_source_without_certificates_gives_answers_without_figures(
    demo_home: Path, run, read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AS_OF", "2001-01-01")
    assert run().success
    data = read().answer("dashboards", EVERYTHING).payload.data()
    assert data["currencies"] == []
    assert data["kpis"]["proposed"] == []
    assert reading(read(), "certificates")["value"] == 0
    (acceptance,) = data["kpis"]["acceptance_days"]
    assert (acceptance["value"], acceptance["numerator"], acceptance["denominator"]) == (None, 0, 0)
    # What can be chosen without a name of the data: a month, states, bands, days since issue, periods.
    assert {
        name for one in read().catalogue("kpis")["dimensions"] if one["values"] for name in [one["name"]]
    } == {
        *("month", "state", "amount_band", "issued_age"),
    }
    assert read().answer("kpis", Filter.of({"amount_band": "bajo"})).state is AnswerState.FRESH

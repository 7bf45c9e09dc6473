"""Unchanged answers are reused from the live generation, and the result is as if all were written."""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import redis
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult

from kpi_pipeline.assets.reuse import basis_digest
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import CATALOGUE, added_key, members_key, payload_key, variant_key, wanted_key
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources import snapshots

pytestmark = pytest.mark.slow

AS_OF = date(2024, 6, 28)
REBUILD = {"kpi/rebuild": "always"}
OF_EVERYTHING = variant_key("kpis", EVERYTHING)

ONE_AMOUNT = "UPDATE edp SET monto_propuesto = monto_propuesto + 1 WHERE rowid = 7"
LATE_APPROVAL = (
    "UPDATE edp SET monto_aprobado = monto_aprobado + 1000 WHERE rowid = "
    "(SELECT rowid FROM edp WHERE typeof(monto_aprobado) = 'integer' ORDER BY fecha_conformidad DESC LIMIT 1)"
)
NEW_CLIENT = "UPDATE edp SET cliente = 'Alguien Nuevo SpA' WHERE rowid = 7"


@pytest.fixture
def refresh(run) -> Callable[..., ExecuteInProcessResult]:
    """Publish the KPIs, or everything."""

    def execute(*assets: str, job: str = "refresh_kpis", **tags: str) -> ExecuteInProcessResult:
        result = run(job, *assets, tags=tags)
        assert result.success
        return result

    return execute


@pytest.fixture
def told(instance: DagsterInstance) -> Callable[..., tuple[int, int]]:
    """How many answers the last generation took over, and how many it has."""

    def counts(product: str = "kpis") -> tuple[int, int]:
        event = instance.get_latest_materialization_event(AssetKey(product))
        metadata = event.asset_materialization.metadata
        return metadata["reused"].value, metadata["variants"].value

    return counts


def live(product: str = "kpis") -> ManifestEntry:
    with connect(os.environ["REDIS_URL"]) as client:
        found = Publisher(client).live(product)
    assert found is not None
    return found


def frames(product: str = "kpis") -> dict[str, bytes]:
    """Every answer of the live generation, and its catalogue, as they are stored."""
    generation = live(product).generation
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        keys = sorted(key.decode() for key in client.smembers(members_key(generation)))
        return {key.rpartition(":")[2]: client.get(key) for key in keys}


CHANGES = {
    "an amount": ONE_AMOUNT,
    "an approved amount": LATE_APPROVAL,
    "a state": "UPDATE edp SET estado = 'pagado' WHERE rowid IN "
    "(SELECT rowid FROM edp WHERE estado = 'enviado' ORDER BY rowid LIMIT 1)",
    "a certificate that is gone": "DELETE FROM edp WHERE rowid = 11",
    "a certificate that is another client's": "UPDATE edp SET cliente = "
    "(SELECT cliente FROM edp WHERE cliente <> (SELECT cliente FROM edp WHERE rowid = 7) LIMIT 1) "
    "WHERE rowid = 7",
    "a cost": "UPDATE cost_header SET importe_neto = importe_neto + 1 WHERE cost_id = 3",
}


def all_frames() -> dict[str, dict[str, bytes]]:
    return {product: frames(product) for product in PRODUCTS}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "compares_each", [pytest.param(True, id="each", marks=pytest.mark.sweep), pytest.param(False, id="last")]
)
def test_after_changes_the_generation_equals_one_that_is_written_whole(
    compares_each: bool, source, refresh, told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_PRECOMPUTE_MAX_VARIANTS", "120")
    refresh(job="refresh_all")
    after = all_frames()
    for change, statement in CHANGES.items():
        before = after
        source(statement)
        refresh(job="refresh_all")
        after = all_frames()
        assert after != before, change
        if change == "an amount":
            for product in PRODUCTS:
                reused, variants = told(product)
                assert variants > reused > 0
        # What one change leaves wrong stays wrong in the answers that no later one concerns.
        if compares_each or change == list(CHANGES)[-1]:
            refresh(job="reconcile")
            assert all(told(product)[0] == 0 for product in PRODUCTS)
            assert all_frames() == after, change


def test_metadata_tell_how_much_was_reused(source, refresh, told) -> None:
    refresh()
    assert told() == (0, live().variants)
    refresh()
    assert told() == (live().variants, live().variants)
    source(ONE_AMOUNT)
    refresh()
    reused, variants = told()
    assert variants == live().variants
    assert 0 < reused < variants


def test_a_share_of_all_is_computed_anew_everywhere(published, source, refresh, told) -> None:
    before = frames()
    source(LATE_APPROVAL)
    refresh()
    after = frames()
    moved = sum(before[name] != frame for name, frame in after.items())
    reused, variants = told()
    # Most answers are taken over, but for their completion: more are new than were computed.
    assert moved > 2 * (variants - reused)


def test_other_loss_rates_have_not_all_written() -> None:
    tables = CERTIFICATE_SCHEMA.empty_table(), COST_SCHEMA.empty_table()
    cube = Cube(roll_up(*tables, AS_OF, Thresholds(), 12), AS_OF, 12, Thresholds())
    described = catalogue(cube)
    other = {**described, "loss_rates": {"CLP": {"0-30": 1}}}
    assert basis_digest("kpis", cube, other) == basis_digest("kpis", cube, described)
    assert basis_digest("kpis", cube, {**described, "window_first": "x"}) != basis_digest(
        "kpis", cube, described
    )


def other_values(source, monkeypatch: pytest.MonkeyPatch) -> None:
    source(NEW_CLIENT)


def another_day(source, monkeypatch: pytest.MonkeyPatch) -> None:
    source(ONE_AMOUNT)
    monkeypatch.setenv("KPI_AS_OF", "2024-06-29")


def other_thresholds(source, monkeypatch: pytest.MonkeyPatch) -> None:
    source(ONE_AMOUNT)
    monkeypatch.setenv("KPI_CRITICAL_DAYS", "45")


def another_window(source, monkeypatch: pytest.MonkeyPatch) -> None:
    source(ONE_AMOUNT)
    monkeypatch.setenv("KPI_WINDOW_MONTHS", "6")


@pytest.mark.parametrize("happens", [other_values, another_day, other_thresholds, another_window])
def test_what_moves_every_answer_has_all_written(
    published, source, refresh, told, monkeypatch: pytest.MonkeyPatch, happens
) -> None:
    happens(source, monkeypatch)
    refresh()
    assert told() == (0, live().variants)


@pytest.mark.parametrize("difference", [{"basis": "of an earlier program"}, {"schema_version": 1}])
def test_answers_of_another_program_are_not_reused(published, source, refresh, told, difference) -> None:
    with connect(os.environ["REDIS_URL"]) as client:
        assert Publisher(client).flip(replace(live(), **difference)) is Flip.LIVE
    source(ONE_AMOUNT)
    refresh()
    assert told() == (0, live().variants)


@pytest.mark.parametrize(
    ("harm", "table"),
    [
        ("lost", ROLLUP_TABLES[0]),
        *(pytest.param("lost", table, marks=pytest.mark.sweep) for table in ROLLUP_TABLES[1:-1]),
        ("lost", ROLLUP_TABLES[-1]),
        ("cut", ROLLUP_TABLES[0]),
    ],
)
def test_without_the_roll_up_of_what_is_live_all_is_written(
    published: Path, source, refresh, told, harm: str, table: str
) -> None:
    folder = published / "storage" / "archive" / "rollups" / live().reading / table
    stored = min(folder.iterdir())
    if harm == "lost":
        stored.unlink()
    else:
        stored.write_bytes(stored.read_bytes()[:100])
    source(ONE_AMOUNT)
    refresh()
    assert told() == (0, live().variants)


@pytest.mark.parametrize("harm", ["lost", "corrupt"])
def test_where_answers_of_what_is_live_are_not_good_all_is_written(
    published, source, refresh, told, read, harm: str
) -> None:
    with connect(os.environ["REDIS_URL"]) as client:
        stored = set(client.smembers(members_key(live().generation)))
        spared = {payload_key(live().generation, name).encode() for name in (CATALOGUE, OF_EVERYTHING)}
        harmed = sorted(stored - spared)
        if harm == "lost":
            client.unlink(*harmed)
        else:
            for key in harmed:
                client.set(key, b"garbage", keepttl=True)
        source(ONE_AMOUNT)
        refresh()
        assert told() == (0, live().variants)
        generations = {live().generation, *live().previous}
        assert set(client.keys("kpi:g:kpis-*")) == {members_key(one).encode() for one in generations}
        assert {key.split(b":")[2].decode() for key in client.keys("kpi:v:kpis-*")} <= generations
    found = frames()
    refresh(**REBUILD)
    assert frames() == found


def flip_a_bit(client: redis.Redis, key: str) -> None:
    frame = client.get(key)
    middle = len(frame) // 2
    client.set(key, frame[:middle] + bytes([frame[middle] ^ 1]) + frame[middle + 1 :], keepttl=True)


@pytest.mark.parametrize("harm", ["flipped", "lost"])
@pytest.mark.parametrize("name", ["everything", CATALOGUE])
def test_one_damaged_answer_is_mended_by_the_next_refresh_and_the_rest_reused(
    published, source, refresh, told, harm: str, name: str
) -> None:
    written = frames()
    damaged = live().generation
    key = payload_key(damaged, OF_EVERYTHING if name == "everything" else name)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        if harm == "flipped":
            flip_a_bit(client, key)
        else:
            client.unlink(key)
    refresh()
    assert live().generation != damaged
    assert frames() == written
    variants = live().variants
    assert told() == (variants - (name == "everything"), variants)


def test_a_damaged_answer_is_mended_when_only_others_change(published, source, refresh, small_demo) -> None:
    with sqlite3.connect(small_demo) as database:
        changed = database.execute("SELECT cliente FROM edp WHERE rowid = 7").fetchone()[0]
        ((other,),) = database.execute(
            "SELECT cliente FROM edp WHERE cliente <> ? GROUP BY 1 ORDER BY count(*) DESC LIMIT 1", (changed,)
        ).fetchall()
    key = variant_key("kpis", Filter.of({"client": other}))
    before = frames()
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        flip_a_bit(client, payload_key(live().generation, key))
    source(ONE_AMOUNT)
    refresh()
    assert frames()[key] == before[key]


@pytest.mark.parametrize("tags", [REBUILD, {"dagster/from_ui": "true"}])
def test_who_wants_everything_written_gets_it(published, source, refresh, told, tags: dict[str, str]) -> None:
    source(ONE_AMOUNT)
    refresh(**tags)
    assert told() == (0, live().variants)


def test_what_readers_ask_for_beyond_is_computed_with_the_rest_reused(
    published, source, refresh, told, read
) -> None:
    (clients,) = (one["values"] for one in read().catalogue("kpis")["dimensions"] if one["name"] == "client")
    two = Filter.of({"client": [one["value"] for one in clients[:2]]})
    with connect(os.environ["REDIS_URL"]) as client:
        UsageCounters(client).add_request("kpis", two)
    for statement in (ONE_AMOUNT, ONE_AMOUNT):  # new at first, then held by what is live
        source(statement)
        refresh()
        assert 0 < told()[0] < live().variants
    found = frames()
    assert variant_key("kpis", two) in found
    refresh(**REBUILD)
    assert frames() == found


def test_a_rollback_stays_until_the_source_changes_or_somebody_ends_it(
    published, source, refresh, told
) -> None:
    first = live()
    source(ONE_AMOUNT)
    refresh()
    with connect(os.environ["REDIS_URL"]) as client:
        Rollback(client).roll_back(["kpis"])
    for tags in ({}, REBUILD):
        refresh(**tags)
        held = live()
        assert (held.generation, held.reading) == (first.generation, first.reading)
        assert (held.computed_at, held.verified_at) == (first.computed_at, first.verified_at)
        assert held.rolled_back_at is not None
        # Its age stays what it is; it does not expire while it is held.
        assert held.fresh_until > first.fresh_until
    refresh(**{"kpi/end_rollback": "yes"})
    assert live().reading != first.reading
    assert (live().rolled_back_at, live().rolled_back_from) == (None, None)


def test_what_readers_wait_for_is_added_to_a_rollback_from_its_own_reading(
    source, refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Later runs have removed what those handed on that published the reading.
    monkeypatch.setattr(snapshots, "KEPT_FILES", 1)
    with connect(os.environ["REDIS_URL"]) as client:
        requested = Filter.of({"state": ["pagado", "enviado"]})
        UsageCounters(client).add_request("kpis", requested)
        refresh()
        first, whole = live(), frames()
        # As if nobody had requested it before.
        client.delete(wanted_key("kpis"))
        key = payload_key(first.generation, variant_key("kpis", requested))
        client.delete(key)
        client.srem(members_key(first.generation), key)
        lacking = replace(first, variants=first.variants - 1)
        assert Publisher(client).flip(lacking) is Flip.LIVE
        source(ONE_AMOUNT)
        refresh()
        Rollback(client).roll_back(["kpis"])
        rolled_back = live()
        task = Requests(client).submit(RequestKind.WARM, "kpis", requested).id
        refresh(job="add_answers", **{f"kpi-task/{task}": "0-1"})
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        added = client.get(added_key(first.generation, variant_key("kpis", requested)))
    assert added == whole[variant_key("kpis", requested)]
    assert live() == rolled_back


def test_what_a_rollback_has_lost_is_computed_again_from_its_own_reading(
    published, source, refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "KEPT_FILES", 1)
    first, whole = live(), frames()
    source(ONE_AMOUNT)
    refresh()
    with connect(os.environ["REDIS_URL"]) as client:
        Rollback(client).roll_back(["kpis"])
        client.delete(payload_key(first.generation, OF_EVERYTHING))
    refresh()
    held = live()
    assert frames() == whole
    assert (held.reading, held.computed_at) == (first.reading, first.computed_at)
    assert held.verified_at == first.verified_at
    assert held.rolled_back_at is not None


def test_a_run_ends_a_rollback_though_a_later_one_has_left_it_as_it_was(
    published, source, run, refresh
) -> None:
    source(ONE_AMOUNT)
    refresh()
    second = live()
    with connect(os.environ["REDIS_URL"]) as client:
        Rollback(client).roll_back(["kpis"])
        begun_before = Publisher(client).next_fence()
        refresh()  # a schedule's run
        assert live().rolled_back_at is not None
        assert live().fence < begun_before
    refresh(**{"kpi/end_rollback": "yes"})
    assert (live().reading, live().rolled_back_at) == (second.reading, None)
    # The source has held it all the time.
    assert live().first_read_at == second.first_read_at


def test_after_a_rollback_answers_are_reused_from_what_is_live_again(
    published, source, refresh, told
) -> None:
    first = live()
    source(ONE_AMOUNT)
    refresh()
    with connect(os.environ["REDIS_URL"]) as client:
        Rollback(client).roll_back(["kpis"])
    assert live().generation == first.generation
    assert live().rolled_back_at is not None
    source(ONE_AMOUNT)
    refresh()
    assert live().reading != first.reading
    assert live().rolled_back_at is None
    assert 0 < told()[0] < live().variants
    found = frames()
    refresh(**REBUILD)
    assert frames() == found

"""What nobody names goes away; what somebody names, or may name soon, stays."""

import time
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest

from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.agreements import publish_agreement
from kpi_pipeline.cache.keys import (
    LASTING_KEYS,
    MANIFEST_KEY,
    REPLACED_KEY,
    REQUESTS_KEY,
    SUMMARIES_KEY,
    generation_time,
    members_key,
    new_generation,
    payload_key,
    retired_key,
    variant_key,
)
from kpi_pipeline.cache.operations import publish_operations
from kpi_pipeline.cache.publishing.cleanup import GRACE_S, UNEXPECTED_KEPT_S, Cleanup
from kpi_pipeline.cache.publishing.history import KEPT_S, History
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.worker_signs import give_sign
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.agreement import Agreement
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.operations import Operation
from kpi_pipeline.model.readings import SourceReadings
from kpi_pipeline.model.scopes import Policy

LONG_AGO = date(2000, 1, 31)
FEBRUARY = date(2024, 2, 29)
ACME = Filter.of({"client": "ACME"})


def clean(client, *, after_s: float = 0, first: date = LONG_AGO, size: int = 10**9):
    return Cleanup(client).run(time.time() + after_s, first, size)


def keys(client) -> set[bytes]:
    return set(client.scan_iter("*", count=1000))


def test_an_orphan_goes_once_it_is_older_than_any_run(each_newsroom, each_client) -> None:
    each_newsroom.publish(EVERYTHING, ACME)
    before = keys(each_client)
    orphan = each_newsroom.stage(EVERYTHING, ACME)
    assert clean(each_client, after_s=GRACE_S - 60).orphans == ()
    done = clean(each_client, after_s=GRACE_S + 60)
    assert done.orphans == (orphan.generation,)
    assert (done.keys, done.bytes) == (4, orphan.bytes)
    assert keys(each_client) == before
    assert done.keys_left == len(before)
    assert clean(each_client, after_s=GRACE_S + 60).orphans == ()


def test_what_is_live_replaced_or_historic_stays(each_newsroom, each_client) -> None:
    for mark in range(3):
        each_newsroom.publish(mark=mark)
    kept = each_newsroom.entry(each_newsroom.stage(), fence=1, as_of=FEBRUARY)
    History(each_client).keep(kept)
    before = keys(each_client)
    done = clean(each_client, after_s=GRACE_S + 60)
    assert (done.orphans, done.keys, done.without_expiry) == ((), 0, ())
    assert keys(each_client) == before


def test_a_removal_that_was_cut_is_finished(each_newsroom, each_client) -> None:
    before = keys(each_client)
    cut = each_newsroom.stage(EVERYTHING, ACME)
    each_client.rename(members_key(cut.generation), retired_key(cut.generation))
    assert clean(each_client).orphans == (cut.generation,)
    assert keys(each_client) == before


def test_payloads_without_their_set_go_unless_they_are_live(each_newsroom, each_client) -> None:
    live, orphan = each_newsroom.publish(), each_newsroom.stage()
    each_client.delete(members_key(live.generation), members_key(orphan.generation))
    done = clean(each_client, after_s=GRACE_S + 60)
    assert (done.orphans, done.keys) == ((orphan.generation,), 2)
    assert each_client.exists(payload_key(live.generation, variant_key("kpis", EVERYTHING)))


def test_a_generation_named_otherwise_is_left_to_its_expiry(each_newsroom, each_client) -> None:
    each_newsroom.publisher.stage("kpis", "by-hand", [(EVERYTHING, {})], {}, time.time() + 60)
    assert clean(each_client, after_s=10 * GRACE_S).orphans == ()
    assert each_client.exists(members_key("by-hand"))


def test_month_ends_beyond_the_bounds_go_and_others_are_prolonged(each_newsroom, each_client) -> None:
    history, now = History(each_client), time.time()
    early, late = (
        each_newsroom.entry(each_newsroom.stage(), fence=1, as_of=as_of)
        for as_of in (date(2024, 1, 31), FEBRUARY)
    )
    history.keep(early)
    history.keep(late)
    done = clean(each_client, first=FEBRUARY)
    assert (done.month_ends_dropped, done.month_ends_prolonged) == (("kpis:2024-01",), 1)
    assert history.entries() == [late]
    assert not each_client.exists(members_key(early.generation))
    assert each_client.expiretime(members_key(late.generation)) >= now + KEPT_S - 1
    each_client.delete(payload_key(late.generation, "catalogue"))
    assert clean(each_client, after_s=KEPT_S).month_ends_lost == ("kpis:2024-02",)


def test_entries_to_which_nothing_can_be_rolled_back_are_forgotten(each_newsroom, each_client) -> None:
    first = each_newsroom.publish()
    each_newsroom.publish()
    each_client.hset(REPLACED_KEY, "gone", "{}")
    assert clean(each_client).replaced_forgotten == 1
    assert each_client.hkeys(REPLACED_KEY) == [first.generation.encode()]


def test_requests_whose_tasks_are_forgotten_leave_the_stream(each_client) -> None:
    Requests(each_client).submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    assert clean(each_client).requests_dropped == 0
    assert clean(each_client, after_s=90_000).requests_dropped == 1
    assert each_client.xlen(REQUESTS_KEY) == 0
    assert clean(each_client, after_s=90_000).requests_dropped == 0


def test_every_key_expires_but_the_few_that_last(each_newsroom, each_client) -> None:
    for mark in range(2):
        each_newsroom.publish(mark=mark)
    History(each_client).keep(each_newsroom.entry(each_newsroom.stage(), fence=1, as_of=FEBRUARY))
    requests = Requests(each_client)
    requests.submit(RequestKind.WARM, "kpis", ACME)
    (requested,) = requests.pending("test", 1)
    requests.started(requested.id, "run")
    UsageCounters(each_client).add_request("kpis", ACME)
    Leases(each_client).take("kpis", "run")
    publish_readings(each_client, SourceReadings())
    PublishedScopes(each_client).publish(Policy())
    assert AlertStore(each_client).take_turn("pipeline")
    AlertStore(each_client).save(AlertState())
    each_client.hset(SUMMARIES_KEY, "board", "{}")
    give_sign(each_client, "a worker")
    publish_agreement(each_client, Agreement("kpis", "kpis-1", 1.0, 1, 1, 1, 0))
    publish_operations(each_client, [Operation("id", 1, 1.0, "console:ana", AuditAction.CLEAR, "all")])
    lasting = {key for key in keys(each_client) if each_client.ttl(key) == -1}
    assert lasting == {key.encode() for key in LASTING_KEYS}
    assert clean(each_client).without_expiry == ()
    each_client.set("kpi:odd", 1)
    assert clean(each_client).without_expiry == ("kpi:odd",)
    # Whoever wrote it may have died before it could say when it expires.
    assert 0 < each_client.ttl("kpi:odd") <= UNEXPECTED_KEPT_S
    assert clean(each_client).without_expiry == ()


def test_a_clean_up_of_an_empty_or_corrupt_cache_harms_nothing(each_client) -> None:
    done = asdict(clean(each_client))
    assert not any(done.values())
    each_client.hset(MANIFEST_KEY, "kpis", "garbage")
    assert clean(each_client).keys_left == 1


def test_what_can_stand_in_is_not_forgotten_while_an_entry_is_damaged(each_newsroom, each_client) -> None:
    former, live = (each_newsroom.publish(mark=mark) for mark in (1, 2))
    each_client.hset(MANIFEST_KEY, "kpis", live.to_json()[:-9])
    assert clean(each_client, after_s=GRACE_S + 60).replaced_forgotten == 0
    assert each_client.hkeys(REPLACED_KEY) == [former.generation.encode()]
    each_client.hdel(MANIFEST_KEY, "kpis")
    assert clean(each_client).replaced_forgotten == 1


@pytest.mark.slow
def test_500_publications_leave_the_key_count_flat(each_newsroom, each_client) -> None:
    counts = set()
    for number in range(500):
        each_newsroom.publish(EVERYTHING, ACME, mark=number)
        if number % 7 == 0:
            each_newsroom.stage(EVERYTHING, ACME)  # a run that dies before it goes live
        if number % 50 == 49:
            clean(each_client, after_s=GRACE_S + 60)
            counts.add(each_client.dbsize())
    assert counts == {3 * 4 + len({"manifest", "fence", "replaced"})}


@pytest.mark.parametrize(
    "odd", ["", "kpis", "kpis-20240131T000000.000000Z", "kpis-99999999T999999.000000Z-0a1b2c3d"]
)
def test_a_name_that_tells_no_time_has_none(odd: str) -> None:
    assert generation_time(odd) is None


def test_a_generation_tells_when_it_was_named() -> None:
    at = datetime(2024, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC)
    assert generation_time(new_generation("month-end", at)) == at.timestamp()

"""Figures that stay stale raise one alarm and request rebuilds, with pauses between them."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from dagster import SkipReason

from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.definitions import defs
from kpi_pipeline.sensors import freshness_violations as module
from kpi_pipeline.sensors.freshness_violations import GRACE_S, freshness_violations

from .conftest import Tick, TicksOf


@pytest.fixture
def server(published: Path):
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


@pytest.fixture
def tick(ticks_of: TicksOf) -> Tick:
    return ticks_of(freshness_violations)


@pytest.fixture
def age(server: redis.Redis) -> Callable[..., None]:
    """Make a product stale for some seconds, by another verification each time."""

    def verify(stale_s: float, product: str = "kpis") -> None:
        publisher = Publisher(server)
        live, ended = publisher.live(product), time.time() - stale_s
        times = dict.fromkeys(("computed_at", "verified_at", "fresh_until"), ended)
        publisher.flip(replace(live, fence=publisher.next_fence(), **times))

    return verify


def alarms(server: redis.Redis) -> int:
    return int(server.hget("kpi:metrics:alarms", "freshness_violated") or 0)


def rebuilds(requests: Requests) -> list[str]:
    taken = requests.pending("test", 100)
    for request in taken:
        requests.acknowledge(request.entry)
        requests.finished(request.id, ok=False, reason="the source is out of reach")
    return [request.product for request in taken]


@pytest.mark.parametrize("stale_s", [-30, GRACE_S / 2])
def test_what_is_fresh_or_about_to_be_renewed_is_no_violation(
    server, requests: Requests, tick: Tick, age, stale_s: float
) -> None:
    age(stale_s)
    assert tick().skip_reason.skip_message == "every live generation is on time"
    assert (alarms(server), rebuilds(requests)) == (0, [])


def test_a_violation_is_one_alarm_and_one_rebuild(server, requests: Requests, tick: Tick, age) -> None:
    age(GRACE_S + 10)
    assert tick().skip_reason.skip_message == "stale for too long: kpis"
    assert (alarms(server), rebuilds(requests)) == (1, ["kpis"])
    tick()
    assert (alarms(server), rebuilds(requests)) == (1, [])


def test_several_violations_are_one_run_of_all_products(server, requests: Requests, tick: Tick, age) -> None:
    for product in ("kpis", "charts"):
        age(GRACE_S + 10, product)
    tick()
    assert (alarms(server), rebuilds(requests)) == (2, ["all"])
    # That run may take a while.
    assert tick().skip_reason.skip_message == "stale for too long: kpis, charts"


def test_while_rebuilds_fail_another_is_asked_for_after_a_while(
    server, requests: Requests, tick: Tick, age, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(GRACE_S + 10)
    tick()
    assert rebuilds(requests) == ["kpis"]
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    tick()
    assert (alarms(server), rebuilds(requests)) == (1, ["kpis"])


def test_the_next_violation_is_another_alarm(server, requests: Requests, tick: Tick, age) -> None:
    for count in (1, 2):
        age(GRACE_S + 10)
        tick()
        assert (alarms(server), rebuilds(requests)) == (count, ["kpis"])


def test_a_run_under_way_is_waited_for(server, requests: Requests, instance, tick: Tick, age) -> None:
    age(GRACE_S + 10)
    instance.create_run_for_job(defs.resolve_job_def("refresh_all"))
    tick()
    assert (alarms(server), rebuilds(requests)) == (1, [])


def test_what_a_clock_that_was_ahead_has_verified_is_rebuilt(
    server, requests: Requests, tick: Tick, age
) -> None:
    age(-3600)
    assert tick().skip_reason.skip_message == "stale for too long: kpis"
    assert (alarms(server), rebuilds(requests)) == (1, ["kpis"])


def test_a_clock_that_was_set_back_holds_no_rebuild_up(
    server, requests: Requests, ticks_of: TicksOf, age
) -> None:
    age(GRACE_S + 10)
    live = Publisher(server).live("kpis")
    assert live is not None
    ahead = json.dumps({"kpis": [live.fence, time.time() + 3600]})
    ticks_of(freshness_violations, ahead)()
    assert rebuilds(requests) == ["kpis"]


def test_a_server_that_does_not_answer_is_told(
    demo_home: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    skipped = tick()
    assert isinstance(skipped, SkipReason)
    assert "does not answer" in str(skipped.skip_message)

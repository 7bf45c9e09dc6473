"""Requests on real servers: shared in flight, delivered at least once, their state told to who asked."""

import threading
from dataclasses import replace

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import ALARMS_KEY, REQUESTS_KEY, progress_key, task_key
from kpi_pipeline.cache.requests import requests as requests_module
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import Progress, Request, RequestKind, TaskState
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.conftest import leave_idle

ACME = Filter.of({"client": "ACME"})


class Clock:
    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def requests(each_client, clock) -> Requests:
    return Requests(each_client, clock=clock)


def test_a_request_is_delivered_as_asked(requests, clock) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME, "north")
    assert not task.joined
    (request,) = requests.pending("worker", 10)
    assert (
        request.id,
        request.kind,
        request.product,
        request.filter,
        request.scope,
        request.requested_at,
    ) == (
        task.id,
        RequestKind.REFRESH,
        "kpis",
        ACME,
        "north",
        clock.now,
    )


def test_a_start_that_is_told_again_stays_when_it_was(requests, clock) -> None:
    """The run tells it, and a sensor a moment later; a run that tries again starts anew."""
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    began = clock.now
    assert requests.started(task.id, "run-1")
    clock.now += 5
    assert requests.started(task.id, "run-1")
    assert requests.status(task.id).started_at == began
    assert requests.started(task.id, "run-2")
    assert (requests.status(task.id).started_at, requests.status(task.id).run_id) == (began + 5, "run-2")


def test_equal_requests_in_flight_share_a_task(requests) -> None:
    first = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    again = requests.submit(RequestKind.REFRESH, "kpis", Filter.of({"client": " acmé"}))
    assert (again.id, again.joined) == (first.id, True)
    others = [
        requests.submit(RequestKind.WARM, "kpis", ACME),
        requests.submit(RequestKind.REFRESH, "charts", ACME),
        requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING),
        requests.submit(RequestKind.REFRESH, "kpis", ACME, "north"),
    ]
    assert len({first.id, *(task.id for task in others)}) == 5
    assert len(requests.pending("worker", 10)) == 5


def test_a_thousand_at_once_are_one(each_cache_url, each_client) -> None:
    ids: list[str] = []

    def submit() -> None:
        with connect(each_cache_url) as own:
            mine = Requests(own)
            ids.extend(mine.submit(RequestKind.WARM, "kpis", ACME).id for _ in range(125))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1000
    assert len(set(ids)) == 1
    assert each_client.xlen(REQUESTS_KEY) == 1


def test_the_life_of_a_task(requests, clock, each_client) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    status = requests.status(task.id)
    assert (status.id, status.kind, status.product, status.filter) == (
        task.id,
        RequestKind.REFRESH,
        "kpis",
        ACME,
    )
    assert (status.state, status.requested_at, status.started_at, status.run_id) == (
        TaskState.QUEUED,
        clock.now,
        None,
        None,
    )
    clock.now += 1
    assert requests.started(task.id, "run-1")
    status = requests.status(task.id)
    assert (status.state, status.started_at, status.run_id) == (TaskState.STARTED, clock.now, "run-1")
    clock.now += 1
    assert requests.finished(task.id, ok=True)
    status = requests.status(task.id)
    assert (status.state, status.finished_at, status.reason) == (TaskState.SUCCEEDED, clock.now, None)
    assert each_client.ttl(task_key(task.id)) > 80_000


def test_a_failure_has_a_reason(requests) -> None:
    tasks = [requests.submit(RequestKind.REFRESH, product, ACME) for product in ("kpis", "charts")]
    requests.finished(tasks[0].id, ok=False, reason="the source is away")
    requests.finished(tasks[1].id, ok=False)
    statuses = [requests.status(task.id) for task in tasks]
    assert [status.state for status in statuses] == [TaskState.FAILED] * 2
    assert [status.reason for status in statuses] == [
        "the source is away",
        "no reason was given: see the run",
    ]


@pytest.mark.parametrize("ok", [True, False])
def test_what_has_ended_may_be_asked_anew(requests, ok: bool) -> None:
    first = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    requests.started(first.id, "run-1")
    assert requests.submit(RequestKind.REFRESH, "kpis", ACME).id == first.id
    requests.finished(first.id, ok)
    second = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    assert second.id != first.id
    # The end of an old task, told again, does not end the flight of the new one.
    assert not requests.finished(first.id, not ok)
    assert requests.submit(RequestKind.REFRESH, "kpis", ACME).id == second.id


def test_the_first_end_counts(requests) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    requests.finished(task.id, ok=False, reason="first")
    assert not requests.finished(task.id, ok=True)
    assert not requests.started(task.id, "late")
    assert (requests.status(task.id).state, requests.status(task.id).run_id) == (TaskState.FAILED, None)


def test_what_nobody_finishes_expires(requests, clock) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    clock.now += 899
    assert requests.status(task.id).state is TaskState.QUEUED
    clock.now += 1
    assert requests.status(task.id).state is TaskState.EXPIRED
    # A run that takes it up late has its own time.
    requests.started(task.id, "run-1")
    clock.now += 899
    assert requests.status(task.id).state is TaskState.STARTED
    clock.now += 1
    assert requests.status(task.id).state is TaskState.EXPIRED
    requests.finished(task.id, ok=True)
    assert requests.status(task.id).state is TaskState.SUCCEEDED


def test_a_flight_ends_by_itself(requests, each_client) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    (in_flight,) = each_client.keys("kpi:task:of:*")
    assert 0 < each_client.ttl(in_flight) <= 900
    each_client.expire(in_flight, 10)
    requests.started(task.id, "run-1")
    assert 10 < each_client.ttl(in_flight) <= 900


def test_a_late_end_does_not_end_the_flight_of_a_later_request(requests, each_client) -> None:
    late = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    (in_flight,) = each_client.keys("kpi:task:of:*")
    each_client.delete(in_flight)
    later = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    assert requests.finished(late.id, ok=True)
    assert requests.submit(RequestKind.REFRESH, "kpis", ACME).id == later.id


@pytest.mark.parametrize("task_id", ["", "x", "0" * 32, "0" * 31 + "\n", "*"])
def test_an_unknown_task(requests, task_id: str) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", ACME)
    assert requests.status(task_id) is None


def test_a_key_that_is_no_task_is_an_unknown_task(requests, each_client) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", ACME)
    (in_flight,) = each_client.keys("kpi:task:of:*")
    assert requests.status(in_flight.decode().removeprefix("kpi:task:")) is None


def test_a_task_that_is_gone_is_not_revived(requests, each_client) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", ACME)
    each_client.delete(task_key(task.id))
    assert not requests.started(task.id, "run-1")
    assert not requests.finished(task.id, ok=True)
    assert not each_client.exists(task_key(task.id))
    assert requests.status(task.id) is None


def test_a_request_goes_to_one_consumer_until_it_is_abandoned(requests, each_client) -> None:
    for product in ("kpis", "charts", "financials"):
        requests.submit(RequestKind.REFRESH, product, EVERYTHING)
    first = requests.pending("one", 2)
    second = requests.pending("two", 10)
    assert [request.product for request in (*first, *second)] == ["kpis", "charts", "financials"]
    assert requests.pending("two", 10) == []
    leave_idle(each_client, 61)
    requests.acknowledge(first[0].entry)
    reclaimed = requests.pending("three", 10)
    assert {request.id for request in reclaimed} == {first[1].id, second[0].id}
    for request in reclaimed:
        requests.acknowledge(request.entry)
    assert requests.pending("three", 10) == []
    assert each_client.xlen(REQUESTS_KEY) == 0
    assert each_client.xpending(REQUESTS_KEY, "pipeline")["pending"] == 0


def test_what_was_abandoned_comes_before_what_is_new(requests, each_client) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    (left,) = requests.pending("one", 1)
    requests.submit(RequestKind.REFRESH, "charts", EVERYTHING)
    leave_idle(each_client, 61)
    assert requests.pending("two", 1) == [replace(left, again=True)]
    for number in range(5):
        requests.submit(RequestKind.WARM, "kpis", Filter.of({"client": str(number)}))
    leave_idle(each_client, 61)
    assert [request.product for request in requests.pending("two", 3)] == ["kpis", "charts", "kpis"]


def test_new_requests_are_left_to_others_for_a_while(requests, each_client) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    assert requests.pending("patient", 10, patience_s=60) == []
    assert len(requests.pending("patient", 10, patience_s=0)) == 1


def test_whoever_waits_gets_a_request_when_it_is_asked(requests, each_cache_url) -> None:
    taken: list[Request] = []

    def take() -> None:
        with connect(each_cache_url) as own:
            mine = Requests(own)
            while not taken:
                taken.extend(mine.take("waiting", 10, 0.5))

    thread = threading.Thread(target=take)
    thread.start()
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    thread.join(30)
    assert [(request.id, request.again) for request in taken] == [(task.id, False)]


def test_a_successor_takes_what_its_predecessor_left_and_nothing_of_others(requests, each_client) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    (mine,) = requests.take("mine", 1, 0.01)
    requests.submit(RequestKind.REFRESH, "charts", EVERYTHING)
    (theirs,) = requests.take("theirs", 1, 0.01)
    # What the predecessor had begun may not be over yet.
    assert requests.take("mine", 10, 0.01) == []
    leave_idle(each_client, 6)
    assert requests.take("mine", 10, 0.01) == [replace(mine, again=True)]
    requests.acknowledge(mine.entry)
    assert requests.take("mine", 10, 0.01) == []
    assert requests.take("theirs", 10, 0.01) == [replace(theirs, again=True)]


def test_progress_is_told_with_the_task_of_the_run(requests, each_client) -> None:
    task = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    requests.progressed("run-1", 4, 0)
    assert requests.status(task.id).progress == Progress()
    requests.started(task.id, "run-1")
    assert requests.status(task.id).progress == Progress(steps=4)
    requests.progressed("run-1", 4, 3, computed_at=12.5)
    assert requests.status(task.id).progress == Progress(steps=4, steps_done=3, computed_at=12.5)
    assert each_client.ttl(progress_key("run-1")) > 80_000
    each_client.hset(progress_key("run-1"), "steps", "odd")
    assert requests.status(task.id).progress == Progress()


def test_requests_asked_before_the_first_consumer_and_after_a_flush(requests, each_client) -> None:
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    assert len(requests.pending("worker", 10)) == 1
    each_client.flushall()
    assert requests.pending("worker", 10) == []
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    assert len(requests.pending("worker", 10)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "explode"},
        {"product": "secrets"},
        {"filter": "x"},
        {"filter": '{"colour":["red"]}'},
        {"asked_at": "soon"},
        {"id": "of:x"},
        {"scope": b"\xff"},
        {"product": None},
    ],
)
def test_what_is_no_request_is_dropped_with_an_alarm(requests, each_client, caplog, changes) -> None:
    fields = {
        "id": "0" * 32,
        "kind": "warm",
        "product": "kpis",
        "filter": "{}",
        "scope": "all",
        "asked_at": "1.0",
    }
    odd = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    each_client.xadd(REQUESTS_KEY, odd)
    each_client.xadd(REQUESTS_KEY, fields)
    (request,) = requests.pending("worker", 10)
    assert request.kind is RequestKind.WARM
    assert each_client.xlen(REQUESTS_KEY) == 1
    assert each_client.hgetall(ALARMS_KEY) == {b"request_malformed": b"1"}
    assert "dropped" in caplog.text


def test_the_backlog_tells_what_is_left_and_whether_anybody_looks(requests, each_client) -> None:
    assert requests.backlog() == (0, 0, None)
    for product in ("kpis", "charts", "dashboards"):
        requests.submit(RequestKind.REFRESH, product, EVERYTHING)
    assert requests.backlog() == (3, 0, None)
    first, second = requests.pending("worker", 2)
    assert requests.backlog()[:2] == (1, 2)
    requests.acknowledge(first.entry)
    waiting, taken, seen_s = requests.backlog()
    assert (waiting, taken) == (1, 1)
    assert seen_s is not None
    assert 0 <= seen_s < 60
    # Entries that the bound of the stream has cut are left to nobody.
    each_client.xtrim(REQUESTS_KEY, maxlen=0, approximate=False)
    assert requests.backlog()[0] == 0
    requests.acknowledge(second.entry)


def test_a_full_stream_takes_nothing_more_and_loses_nothing(requests, each_client, monkeypatch) -> None:
    monkeypatch.setattr(requests_module, "STREAM_LENGTH", 2)
    first = requests.submit(RequestKind.WARM, "kpis", ACME)
    second = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    with pytest.raises(redis.ResponseError, match="the stream of requests is full"):
        requests.submit(RequestKind.REFRESH, "charts", EVERYTHING)
    # It would be a task that nobody works on, and equal requests would share it.
    assert {key.decode() for key in each_client.scan_iter("kpi:task:*", _type="hash")} == {
        task_key(first.id),
        task_key(second.id),
    }
    assert requests.submit(RequestKind.WARM, "kpis", ACME).id == first.id
    taken = requests.pending("test", 10)
    assert [request.id for request in taken] == [first.id, second.id]
    requests.acknowledge(taken[0].entry)
    assert not requests.submit(RequestKind.REFRESH, "charts", EVERYTHING).joined


def test_an_unknown_product_is_refused(requests) -> None:
    with pytest.raises(ValueError, match="one of: kpis"):
        requests.submit(RequestKind.WARM, "secrets", EVERYTHING)

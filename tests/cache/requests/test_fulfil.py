"""Requests become the fewest runs, each of which names its tasks, and none is lost on the way."""

import time
from dataclasses import replace

import pytest

from kpi_pipeline.cache.requests.fulfil import (
    GIVE_UP_S,
    LaunchRefused,
    RunRequestSpec,
    fulfil,
    run_request_specs,
)
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, TaskState
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter


def request(number: int, product: str, kind: RequestKind = RequestKind.REFRESH) -> Request:
    return Request(f"{number}-0", f"{number:032}", kind, product, EVERYTHING, "all", float(number))


def test_without_requests_there_is_no_run() -> None:
    assert run_request_specs([]) == []


def test_one_run_a_product_names_every_task_and_its_place_in_the_stream() -> None:
    warm = replace(request(3, "charts", RequestKind.WARM), needs_refresh=True)
    kpis, charts = run_request_specs([request(1, "charts"), request(2, "kpis"), warm])
    assert (kpis.job, charts.job) == ("refresh_kpis", "refresh_charts")
    assert {tag: value for tag, value in charts.tags.items() if tag.startswith("kpi-task/")} == {
        f"kpi-task/{1:032}": "1-0",
        f"kpi-task/{3:032}": "3-0",
    }
    assert charts.tags["kpi/asked_by"] == '["refresh", "warm"]'


@pytest.mark.parametrize(
    ("kinds", "rebuilds"),
    [
        ([RequestKind.REFRESH, RequestKind.REFRESH], False),
        ([RequestKind.REFRESH, RequestKind.CLEAR], True),
    ],
)
def test_a_request_to_clear_rebuilds_everything(kinds: list[RequestKind], rebuilds: bool) -> None:
    (spec,) = run_request_specs(request(number, "kpis", kind) for number, kind in enumerate(kinds))
    assert (spec.tags.get("kpi/rebuild") == "always") is rebuilds


def test_one_run_adds_the_awaited_answers_of_all_products() -> None:
    added, refreshed = run_request_specs(
        [request(1, "kpis", RequestKind.WARM), request(2, "kpis"), request(3, "charts", RequestKind.WARM)]
    )
    assert (added.job, refreshed.job) == ("add_answers", "refresh_kpis")
    assert set(added.task_ids) == {f"{1:032}", f"{3:032}"}


ACME = Filter.of({"client": "ACME"})


class Server:
    """Where runs are started: it records them, delays or refuses them."""

    def __init__(self, client) -> None:
        self.run_tasks = RunTasks(client)
        self.requests = Requests(client)
        self.usage_counters = UsageCounters(client)
        self.launched: list[RunRequestSpec] = []
        self.records = True
        self.refuses = False
        self.has_run = False

    def fulfil(self, taken: list[Request]) -> list[Request]:
        return fulfil(
            taken,
            self.requests,
            self.usage_counters,
            run_tasks=self.run_tasks,
            under_way=list,
            has_run=lambda request: self.has_run,
            launch=self.launch,
        )

    def launch(self, spec: RunRequestSpec) -> str | None:
        if self.refuses:
            raise LaunchRefused("the code server is starting")
        self.launched.append(spec)
        return f"run of {spec.job}" if self.records else None

    def take(self) -> list[Request]:
        return self.requests.pending("test", 10)


@pytest.fixture
def server(client) -> Server:
    return Server(client)


def test_requests_whose_run_is_recorded_are_acknowledged(server: Server) -> None:
    for product in ("kpis", "charts"):
        server.requests.submit(RequestKind.REFRESH, product, EVERYTHING)
    assert server.fulfil(server.take()) == []
    assert [spec.job for spec in server.launched] == ["refresh_kpis", "refresh_charts"]
    assert server.requests.backlog()[:2] == (0, 0)


def test_requests_whose_run_is_not_recorded_yet_stay(server: Server) -> None:
    server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    server.records = False
    assert server.fulfil(server.take()) == []
    assert len(server.launched) == 1
    assert server.requests.backlog()[:2] == (0, 1)


@pytest.mark.parametrize(("again", "launched"), [(False, 1), (True, 0)])
def test_only_a_request_delivered_before_can_have_a_run(server: Server, again: bool, launched: int) -> None:
    server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    server.has_run = True
    server.fulfil([replace(request, again=again) for request in server.take()])
    assert len(server.launched) == launched
    assert server.requests.backlog()[:2] == (0, 0)


def test_requested_variants_are_counted_for_the_next_generation(server: Server) -> None:
    server.requests.submit(RequestKind.WARM, "kpis", ACME)
    server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    server.fulfil(server.take())
    assert server.usage_counters.most_requested_filters("kpis", 10) == [ACME]


def test_a_refused_run_leaves_requests_for_another_try_until_they_fail(server: Server, caplog) -> None:
    young = server.requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    old = server.requests.submit(RequestKind.REFRESH, "charts", EVERYTHING)
    server.refuses = True
    kpis, charts = server.take()
    assert server.fulfil([kpis, replace(charts, requested_at=time.time() - GIVE_UP_S - 1)]) == []
    assert server.requests.status(young.id).state is TaskState.QUEUED
    failed = server.requests.status(old.id)
    assert (failed.state, failed.reason) == (TaskState.FAILED, "the code server is starting")
    assert server.requests.backlog()[:2] == (0, 1)
    assert "the code server is starting" in caplog.text

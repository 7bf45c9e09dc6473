"""What a reader waits for is added to what is live: the same answer as a whole generation would hold."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import members_key, payload_key, sealed_key, variant_key
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.fulfil import run_request_specs
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import Request, RequestKind, TaskState
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.sensors.task_progress import reporter_of
from tests.cache.conftest import Newsroom

pytestmark = pytest.mark.slow


@pytest.fixture
def client(demo_home: Path) -> Iterator[redis.Redis]:
    with connect(os.environ["REDIS_URL"]) as connected:
        yield connected


@pytest.fixture
def execute(instance: DagsterInstance, client: redis.Redis) -> Callable[[list[Request]], None]:
    """Execute the run that fulfils requests, as the worker does: its events are written to its tasks."""

    def run(taken: list[Request]) -> None:
        (spec,) = run_request_specs(taken)
        job = defs.resolve_job_def(spec.job)
        begun = instance.create_run_for_job(job, tags=spec.tags)
        reporter = reporter_of(instance, client, begun)
        for event in execute_run_iterator(InMemoryJob(job), begun, instance):
            reporter.report(event)
        assert instance.get_run_by_id(begun.run_id).is_success

    return run


def two_clients(reader: CacheReader, product: str = "kpis", *, first: int = 0) -> Filter:
    (clients,) = (one for one in reader.catalogue(product)["dimensions"] if one["name"] == "client")
    return Filter.of({"client": [held["value"] for held in clients["values"][first : first + 2]]})


def answered(reader: CacheReader, product: str, requested: Filter) -> object:
    answer = reader.answer(product, requested)
    assert (answer.state, answer.answered) == (AnswerState.FRESH, requested)
    assert answer.payload is not None
    return answer.payload.data()


def ends(client: redis.Redis, *tasks: str) -> list[TaskState]:
    known = map(Requests(client).status, tasks)
    return [status.state for status in known if status is not None]


@pytest.mark.parametrize("is_held", [True, False])
def test_an_added_answer_equals_that_of_a_whole_generation(
    request, run, read, client, execute, is_held: bool
) -> None:
    if is_held:
        assert run().success
    else:
        # By another worker than this one.
        request.getfixturevalue("published")
    before, requests = read().manifest(), Requests(client)
    wanted = {product: two_clients(read(), product) for product in PRODUCTS}
    tasks = [requests.submit(RequestKind.WARM, product, one).id for product, one in wanted.items()]
    execute(requests.pending("test", 10))
    assert ends(client, *tasks) == [TaskState.SUCCEEDED] * len(PRODUCTS)
    assert read().manifest() == before
    added = {product: answered(read(), product, one) for product, one in wanted.items()}
    for product, one in wanted.items():
        UsageCounters(client).add_request(product, one)
    assert run("reconcile").success
    for product, one in wanted.items():
        assert client.exists(payload_key(read().manifest()[product].generation, variant_key(product, one)))
        assert answered(read(), product, one) == added[product]


def test_a_generation_with_what_was_added_is_confirmed_and_not_written_again(
    published, run, read, client, execute
) -> None:
    live, requests = read().manifest()["kpis"], Requests(client)
    wanted = two_clients(read())
    requests.submit(RequestKind.WARM, "kpis", wanted)
    taken = requests.pending("test", 10)
    UsageCounters(client).add_request("kpis", wanted)
    execute(taken)
    assert run("refresh_kpis").success
    assert read().manifest()["kpis"].generation == live.generation
    assert client.scard(members_key(live.generation)) == live.variants + 1
    assert answered(read(), "kpis", wanted)


def test_what_is_there_is_not_computed_again(published, read, client, execute) -> None:
    requests = Requests(client)
    for _ in range(2):
        task = requests.submit(RequestKind.WARM, "kpis", two_clients(read())).id
        execute(requests.pending("test", 10))
        assert ends(client, task) == [TaskState.SUCCEEDED]


def test_without_its_reading_the_request_waits_for_a_refresh(
    published: Path, run, read, client, execute
) -> None:
    requests, wanted = Requests(client), two_clients(read())
    task = requests.submit(RequestKind.WARM, "kpis", wanted).id
    for folder in ("archive/rollups", "rollup"):
        for path in sorted((published / "storage" / folder).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    execute(requests.pending("test", 10))
    assert ends(client, task) == [TaskState.QUEUED]
    (handed_on,) = requests.pending("test", 10)
    assert (handed_on.id, handed_on.needs_refresh) == (task, True)
    (spec,) = run_request_specs([handed_on])
    assert spec.job == "refresh_kpis"
    assert run(spec.job, tags=spec.tags).success
    assert answered(read(), "kpis", wanted)


def test_a_rollback_whose_reading_is_not_kept_is_sealed_and_the_request_fails(client, execute) -> None:
    newsroom = Newsroom(client)
    newsroom.publish(EVERYTHING, mark=1)
    newsroom.publish(EVERYTHING, mark=2)
    live = Rollback(client).roll_back(["kpis"]).products["kpis"]
    requests, mine = Requests(client), Filter.of({"client": "Minera Ñandú"})
    task = requests.submit(RequestKind.WARM, "kpis", mine).id
    execute(requests.pending("test", 10))
    status = requests.status(task)
    assert status is not None
    assert status.state is TaskState.FAILED
    assert "`kpi warm` ends the rollback" in str(status.reason)
    assert client.ttl(sealed_key(live.generation)) > 0

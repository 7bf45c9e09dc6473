"""The client's queries are those of the installed Dagster's GraphQL API, and what it makes of answers."""

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickData, TickStatus
from dagster_graphql.schema import create_schema
from graphql import GraphQLSchema, parse, validate

from kpi_pipeline.stack import dagster_queries
from kpi_pipeline.stack.dagster_client import Automation, DagsterClient, UnfinishedRun

QUERIES = {
    name: text
    for name, text in vars(dagster_queries).items()
    if isinstance(text, str) and text.strip().startswith(("mutation", "query", "{"))
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return create_schema().graphql_schema


def test_there_are_queries() -> None:
    assert len(QUERIES) == 11


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_valid(schema: GraphQLSchema, name: str) -> None:
    problems = [problem.message for problem in validate(schema, parse(QUERIES[name]))]
    assert problems == [], f"the GraphQL API of dagster {version('dagster')} has changed: adapt {name}"


class Answering(DagsterClient):
    """Gets one answer, without a server."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:9")
        self._answer = answer

    def _query(self, query: str, **variables: Any) -> dict[str, Any]:
        self.variables = variables
        return self._answer


def error_of(cause: str) -> dict[str, Any]:
    return {
        "className": "SensorExecutionError",
        "message": "dagster.SensorExecutionError: Error occurred during the execution of evaluation_fn\n",
        "cause": {"className": "Failure", "message": cause},
    }


def state(*ticks: dict[str, Any], status: str = "RUNNING") -> dict[str, Any]:
    return {"status": status, "ticks": list(ticks)}


def tick(at: float, status: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"timestamp": at, "status": status, "error": error}


def test_unfinished_runs_and_their_last_sign() -> None:
    run = {"runId": "a", "jobName": "refresh_kpis", "creationTime": 1.0}
    limit = {"key": "dagster/max_runtime", "value": "900"}
    began = {"startTime": 7.0, "endTime": None}
    ended = {"startTime": 3.0, "endTime": 6.0}
    answer = {
        "waiting": {"results": [{**run, "tags": [limit]}]},
        "started": {
            "results": [
                {**run, "runId": "b", "startTime": 2.0, "tags": [limit], "stepStats": [ended, began]},
                {**run, "runId": "c", "startTime": None, "tags": [], "stepStats": []},
            ]
        },
    }
    assert Answering(answer).unfinished_runs() == [
        UnfinishedRun("a", "refresh_kpis", False, 1.0),
        UnfinishedRun("b", "refresh_kpis", True, 7.0, 900.0),
        UnfinishedRun("c", "refresh_kpis", True, 1.0),
    ]


def test_sensors_and_schedules_that_are_turned_on() -> None:
    failed = error_of("dagster._core.definitions.events.Failure: there is no file: none\n")
    sensors = {
        # The tick under way has no result yet.
        "failing": state(tick(9.0, "STARTED"), tick(5.0, "FAILURE", failed)),
        "well": state(tick(9.0, "SKIPPED"), tick(5.0, "FAILURE", failed)),
        "new": state(),
        "off": state(tick(9.0, "FAILURE", failed), status="STOPPED"),
    }
    schedule = {"name": "nightly", "scheduleState": state(tick(2.0, "SUCCESS"))}
    node = {
        "sensors": [
            {"name": name, "minIntervalSeconds": 10, "sensorState": sensor}
            for name, sensor in sensors.items()
        ],
        "schedules": [{**schedule, "potentialTickTimestamps": [4.0, 104.0]}],
    }
    assert Answering({"repositoriesOrError": {"nodes": [node]}}).automations(10.0) == [
        Automation("failing", 9.0, "there is no file: none", interval_s=10.0),
        Automation("well", 9.0, interval_s=10.0),
        Automation("new", None, interval_s=10.0),
        Automation("nightly", 2.0, due_at=4.0),
    ]


def test_ticks_are_found_that_an_earlier_start_of_the_stack_has_left_the_sensor_with(tmp_path: Path) -> None:
    """Each start has another port of the code server, and that is a part of the origin of a sensor."""
    now = float(int(time.time()))
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        of_start = TickData(
            "this start", "one", InstigatorType.SENSOR, TickStatus.SKIPPED, now, selector_id="s"
        )
        instance.create_tick(of_start)
        found = instance.get_tick_summaries("the first start", "s", before=now + 86_400, limit=2)
    assert [one.timestamp for one in found] == [now], f"dagster {version('dagster')} reads ticks otherwise"
    asked = Answering({"repositoriesOrError": {}})
    asked.automations(now)
    assert "beforeTimestamp: $later" in dagster_queries.AUTOMATIONS
    assert asked.variables == {"now": now, "later": now + 86_400}


def test_code_that_cannot_be_loaded_has_no_sensors() -> None:
    assert Answering({"repositoriesOrError": {}}).automations(1.0) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            error_of("kpi_pipeline.sources.errors.Failure: cannot connect: no server\n"),
            "cannot connect: no server",
        ),
        (error_of("plain: message"), "plain: message"),
        ({"className": "KeyError", "message": "KeyError: 'x'\n", "cause": None}, "'x'"),
        (None, "no reason given"),
    ],
)
def test_a_reason_is_that_of_the_cause_without_its_class(error, reason: str) -> None:
    row = {"name": "s", "minIntervalSeconds": 1, "sensorState": state(tick(1.0, "FAILURE", error))}
    answer = {"repositoriesOrError": {"nodes": [{"sensors": [row], "schedules": []}]}}
    (found,) = Answering(answer).automations(1.0)
    assert found.failure == reason

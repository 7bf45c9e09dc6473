"""Dagster runs, asked for from outside: through the web server when the stack runs, else in this process."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_LAUNCH: Final = """
mutation Launch($job: String!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "kpi_pipeline", repositoryName: "__repository__", jobName: $job}
    executionMetadata: {tags: $tags}
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PipelineNotFoundError { message }
  }
}
"""
_FOLLOW: Final = """
query Follow($run: ID!) {
  runOrError(runId: $run) {
    __typename
    ... on Run { status stepStats { stepKey status } assets { key { path } } }
    ... on Error { message }
  }
}
"""
_FAILURE: Final = """
query Failure($run: ID!) {
  logsForRun(runId: $run) {
    ... on EventConnection {
      events {
        __typename
        ... on ExecutionStepFailureEvent {
          stepKey error { message cause { message } } failureMetadata { description }
        }
        ... on RunFailureEvent { message }
      }
    }
  }
}
"""
FINISHED: Final = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
"""Statuses after which a run does not change."""


class DagsterUnreachable(RuntimeError):
    """The web server does not answer; the message says what to do."""


class RunRefused(RuntimeError):
    """The web server would not start the run."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.

    Attributes:
        status: Dagster's word for the run.
        steps: Step key to its status, of steps begun.
    """

    status: str
    steps: dict[str, str]


class DagsterServer:
    """A running Dagster web server.

    Args:
        url: Its address, such as http://127.0.0.1:3000.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def answers(self) -> bool:
        """Whether it is up and has loaded the code location."""
        try:
            answer = self._ask(
                "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }", {}
            )
        except DagsterUnreachable:
            return False
        return bool(answer["repositoriesOrError"].get("nodes"))

    def launch(self, job: str, tags: dict[str, str]) -> str:
        """Start a run; returns its id.

        Raises:
            DagsterUnreachable: If the server does not answer.
            RunRefused: If it would not start the run; carries its reason.
        """
        given = [{"key": key, "value": value} for key, value in tags.items()]
        answer = self._ask(_LAUNCH, {"job": job, "tags": given})["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise RunRefused(f"Dagster would not start {job}: {answer.get('message') or answer}")
        return str(answer["run"]["runId"])

    def link(self, run_id: str) -> str:
        """The run's page."""
        return f"{self.url}/runs/{run_id}"

    def follow(self, run_id: str, timeout_s: float, poll_s: float = 0.2) -> Iterator[RunProgress]:
        """Yield the run's progress until it has finished.

        Raises:
            DagsterUnreachable: If the server stops answering.
            TimeoutError: If the run has not finished in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._ask(_FOLLOW, {"run": run_id})["runOrError"]
            progress = RunProgress(
                answer.get("status", "UNKNOWN"),
                {step["stepKey"]: step["status"] or "" for step in answer.get("stepStats", [])},
            )
            yield progress
            if progress.status in FINISHED:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"run {run_id} has not finished in {timeout_s:.0f} s: see {self.link(run_id)}"
                )
            time.sleep(poll_s)

    def failure_reason(self, run_id: str) -> str:
        """Why a run failed, in the words of its first failed step."""
        events = self._ask(_FAILURE, {"run": run_id})["logsForRun"].get("events", [])
        for event in events:
            if event["__typename"] == "ExecutionStepFailureEvent":
                described = (event.get("failureMetadata") or {}).get("description")
                error = event.get("error") or {}
                message = described or (error.get("cause") or error).get("message", "no reason given")
                return f"{event['stepKey']}: {message.strip()}"
        return next(
            (event["message"] for event in events if event["__typename"] == "RunFailureEvent"),
            f"no reason given: see {self.link(run_id)}",
        )

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(  # noqa: S310 - the address is ours, and http
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as response:  # noqa: S310
                answer: dict[str, Any] = json.load(response)
        except (OSError, urllib.error.URLError, json.JSONDecodeError) as error:
            raise DagsterUnreachable(
                f"Dagster's web server at {self.url} does not answer ({error}): is `kpi up` running?"
            ) from error
        if answer.get("errors"):
            raise RunRefused(f"Dagster refused the query: {answer['errors'][0].get('message')}")
        data: dict[str, Any] = answer["data"]
        return data

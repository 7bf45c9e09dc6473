"""A client of Dagster's web server: starts runs and follows them through its GraphQL API.

Dagster's own `DagsterGraphQLClient` is not used: it offers neither steps, failures nor lists of runs, honours
proxies of the environment, and takes a second to import.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final

from kpi_pipeline.stack import dagster_queries
from kpi_pipeline.stack.addresses import OPENER

FINISHED: Final = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
"""Final statuses of a run."""

ENDED_SHOWN: Final = 200
"""How many runs are looked at of those that have ended since a moment, the newest first."""

UNFINISHED_SHOWN: Final = 50
"""How many unfinished runs are looked at of those that wait, and of those that are under way."""

_LONGEST_TAG: Final = "dagster/max_runtime"

_TIMEOUT_S: Final = 15
_OUTAGE_S: Final = 30
"""How long the web server may be down while a run is followed; its supervisor restarts it."""

_DAY_S: Final = 86_400.0


class DagsterUnreachable(RuntimeError):
    """The web server does not answer; the message says what to do."""


class RunRefused(RuntimeError):
    """The web server did not start the run, or has no run of that id; the message says why."""


class RunUnfinished(RuntimeError):
    """A run did not finish in time; the message links to it."""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Dagster's status of a step (IN_PROGRESS, SUCCESS, FAILURE ...) and its duration, None until it ends."""

    status: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Dagster's status of a run, its duration, None until it ends, and the steps that have begun by key."""

    status: str
    seconds: float | None
    steps: Mapping[str, StepProgress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run as `kpi status` lists it; `started_at` and `ended_at` in seconds since the epoch."""

    run_id: str
    job: str
    status: str
    started_at: float | None
    ended_at: float | None
    seconds: float | None
    link: str


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended; moments are seconds since the epoch.

    Attributes:
        run_id: Its id.
        job: Its job.
        status: How it ended, in Dagster's terms.
        started_at: When it started; None if it never did.
        ended_at: When it ended; None where Dagster does not say.
        steps: When each step began and ended, of those that have ended.
    """

    run_id: str
    job: str
    status: str
    started_at: float | None
    ended_at: float | None
    steps: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run that waits or is under way; moments are seconds since the epoch.

    Attributes:
        run_id: Its id.
        job: Its job.
        started: Whether a worker has started it.
        sign_at: When it was created; once it has started, when it or one of its steps last began or ended.
        longest_s: After how many seconds Dagster ends it; None where its job names no limit.
        tags: Its tags.
    """

    run_id: str
    job: str
    started: bool
    sign_at: float
    longest_s: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Automation:
    """A sensor or schedule that is turned on; moments are seconds since the epoch.

    Attributes:
        name: Its name.
        ticked_at: When it last ticked; None if it never has.
        failure: Why its last tick failed; empty where it did not, or is the first.
        interval_s: Of a sensor, the least seconds between two ticks; None of a schedule.
        due_at: Of a schedule, when it should have ticked last; None of a sensor.
    """

    name: str
    ticked_at: float | None
    failure: str = ""
    interval_s: float | None = None
    due_at: float | None = None


class DagsterClient:
    """A client of one Dagster web server.

    Args:
        url: Address of the server, such as http://127.0.0.1:3000.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def answers(self) -> bool:
        """Whether the server is up and has loaded the definitions."""
        try:
            return bool(self._query(dagster_queries.LOCATIONS)["repositoriesOrError"].get("nodes"))
        except (DagsterUnreachable, RunRefused):
            return False

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        """Start a run of a job, with tags in addition to the job's own; returns its id.

        Raises:
            DagsterUnreachable: If the server does not answer.
            RunRefused: If it does not start the run.
        """
        execution_tags = [{"key": key, "value": value} for key, value in tags.items()]
        answer = self._query(dagster_queries.LAUNCH, job=job, tags=execution_tags)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            reasons = [answer.get("message")] + [error["message"] for error in answer.get("errors", [])]
            raise RunRefused(
                f"Dagster did not start {job}: {'; '.join(filter(None, reasons)) or answer['__typename']}"
            )
        return str(answer["run"]["runId"])

    def run_with_tag(self, key: str, value: str) -> str | None:
        """The id of the newest run with a tag; None when there is none.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        rows = self._query(dagster_queries.TAGGED, key=key, value=value)["runsOrError"].get("results", [])
        return str(rows[0]["runId"]) if rows else None

    def link(self, run_id: str) -> str:
        """Address of a run's page."""
        return f"{self.url}/runs/{run_id}"

    def follow(self, run_id: str, timeout_s: float, poll_s: float = 0.2) -> Iterator[RunProgress]:
        """Yield the run's progress until it has finished.

        Raises:
            DagsterUnreachable: If the server stops answering for longer than 30 s.
            RunRefused: If there is no such run.
            RunUnfinished: If the run does not finish in time.
        """
        deadline = time.monotonic() + timeout_s
        answered_at = time.monotonic()
        while True:
            try:
                progress = self._progress(run_id)
            except DagsterUnreachable:
                if time.monotonic() > answered_at + _OUTAGE_S:
                    raise
            else:
                answered_at = time.monotonic()
                yield progress
                if progress.status in FINISHED:
                    return
            if time.monotonic() > deadline:
                raise RunUnfinished(
                    f"run {run_id} did not finish in {timeout_s:.0f} s: see {self.link(run_id)}"
                )
            time.sleep(poll_s)

    def failure_reason(self, run_id: str) -> str:
        """Why a run failed: the message of its first failed step."""
        events = self._query(dagster_queries.FAILURE, run=run_id)["logsForRun"].get("events", [])
        for event in events:
            if event["__typename"] == "ExecutionStepFailureEvent":
                description = (event.get("failureMetadata") or {}).get("description")
                message = description or _message(event.get("error") or {}) or "no reason given"
                return f"{event['stepKey']}: {message.strip()}"
        return next(
            (event["message"] for event in events if event["__typename"] == "RunFailureEvent"),
            f"no reason given: see {self.link(run_id)}",
        )

    def recent_runs(self, limit: int) -> list[RecentRun]:
        """The latest runs, newest first.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        rows = self._query(dagster_queries.RECENT, limit=limit)["runsOrError"].get("results", [])
        return [self._run(row) for row in rows]

    def latest_runs(self, assets: Sequence[str]) -> dict[str, RecentRun]:
        """The latest run that was to materialize each asset, whatever became of it; none where there is none.

        Raises:
            DagsterUnreachable: If the server does not answer.
            RunRefused: If it does not know an asset.
        """
        keys = [{"path": [asset]} for asset in assets]
        rows = self._query(dagster_queries.LATEST, assets=keys)["assetsLatestInfo"]
        return {row["assetKey"]["path"][-1]: self._run(row["latestRun"]) for row in rows if row["latestRun"]}

    def heartbeats(self) -> dict[str, float]:
        """When each daemon that Dagster needs gave its last sign, in seconds since the epoch; 0 if never.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        daemons = self._query(dagster_queries.DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return {row["daemonType"]: row["lastHeartbeatTime"] or 0.0 for row in daemons if row["required"]}

    def ended_runs(self, since: float) -> list[EndedRun]:
        """The runs that have ended and were last changed after a moment, at most `ENDED_SHOWN`.

        Args:
            since: Seconds since the epoch.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        answer = self._query(dagster_queries.ENDED, since=since, limit=ENDED_SHOWN)
        return [_ended(row) for row in answer["runsOrError"].get("results", [])]

    def unfinished_runs(self) -> list[UnfinishedRun]:
        """The runs that wait or are under way, at most `UNFINISHED_SHOWN` of each.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        answer = self._query(dagster_queries.UNFINISHED, limit=UNFINISHED_SHOWN)
        waiting = [
            UnfinishedRun(row["runId"], row["jobName"], False, row["creationTime"], tags=_tags(row))
            for row in answer["waiting"].get("results", [])
        ]
        return waiting + [_started(row) for row in answer["started"].get("results", [])]

    def automations(self, now: float) -> list[Automation]:
        """The sensors and schedules that are turned on; none while their code cannot be loaded.

        Args:
            now: Seconds since the epoch.

        Raises:
            DagsterUnreachable: If the server does not answer.
        """
        found = []
        answer = self._query(dagster_queries.AUTOMATIONS, now=now, later=now + _DAY_S)
        for node in answer["repositoriesOrError"].get("nodes", []):
            for row in node["sensors"]:
                if row["sensorState"]["status"] == "RUNNING":
                    interval = float(row["minIntervalSeconds"])
                    found.append(_automation(row["name"], row["sensorState"], interval_s=interval))
            for row in node["schedules"]:
                if row["scheduleState"]["status"] == "RUNNING":
                    due = max((at for at in row["potentialTickTimestamps"] if at <= now), default=None)
                    found.append(_automation(row["name"], row["scheduleState"], due_at=due))
        return found

    def _run(self, row: Mapping[str, Any]) -> RecentRun:
        return RecentRun(
            run_id=row["runId"],
            job=row["jobName"],
            status=row["status"],
            started_at=row["startTime"],
            ended_at=row["endTime"],
            seconds=_seconds(row),
            link=self.link(row["runId"]),
        )

    def _progress(self, run_id: str) -> RunProgress:
        answer = self._query(dagster_queries.FOLLOW, run=run_id)["runOrError"]
        if answer["__typename"] != "Run":
            raise RunRefused(
                f"Dagster has no run {run_id}: {answer.get('message', 'it may have been deleted')}"
            )
        steps = {
            step["stepKey"]: StepProgress(step["status"] or "IN_PROGRESS", _seconds(step))
            for step in answer["stepStats"]
        }
        return RunProgress(answer["status"], _seconds(answer), steps)

    def _query(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(  # noqa: S310 - the address is ours, and http
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with OPENER.open(request, timeout=_TIMEOUT_S) as response:
                answer: dict[str, Any] = json.load(response)
        except (OSError, HTTPException, json.JSONDecodeError) as error:
            raise DagsterUnreachable(
                f"Dagster's web server at {self.url} does not answer ({error}): is `kpi up` running?"
            ) from error
        if answer.get("errors"):
            raise RunRefused(f"Dagster rejected the query: {answer['errors'][0].get('message')}")
        data: dict[str, Any] = answer["data"]
        return data


def _ended(row: Mapping[str, Any]) -> EndedRun:
    steps = {
        step["stepKey"]: (float(step["startTime"]), float(step["endTime"]))
        for step in row["stepStats"]
        if step["startTime"] and step["endTime"]
    }
    return EndedRun(row["runId"], row["jobName"], row["status"], row["startTime"], row["endTime"], steps)


def _started(row: Mapping[str, Any]) -> UnfinishedRun:
    signs = [row["startTime"]]
    signs += [step[end] for step in row["stepStats"] for end in ("startTime", "endTime")]
    tags = _tags(row)
    longest = tags.get(_LONGEST_TAG)
    return UnfinishedRun(
        row["runId"],
        row["jobName"],
        True,
        max((sign for sign in signs if sign), default=row["creationTime"]),
        None if longest is None else float(longest),
        tags,
    )


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in row["tags"]}


def _automation(name: str, state: Mapping[str, Any], **when: float | None) -> Automation:
    ticks = state["ticks"]
    # A tick under way has no result yet: that of the one before it holds.
    ended = next((tick for tick in ticks if tick["status"] != "STARTED"), None)
    failure = ""
    if ended is not None and ended["status"] == "FAILURE":
        failure = _message(ended["error"] or {}) or "no reason given"
    return Automation(name, ticks[0]["timestamp"] if ticks else None, failure, **when)


def _message(error: Mapping[str, Any]) -> str:
    """The message of an error's cause, without the name of its class."""
    cause = error.get("cause") or error
    message = str(cause.get("message") or "").strip()
    before, named, after = message.partition(f"{cause.get('className')}: ")
    return after if named and " " not in before else message


def _seconds(row: Mapping[str, Any]) -> float | None:
    if row["startTime"] is None or row["endTime"] is None:
        return None
    return round(float(row["endTime"]) - float(row["startTime"]), 3)

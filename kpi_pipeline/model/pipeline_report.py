"""What the pipeline reports of itself: its processes, Dagster's daemons, and its runs and requests."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

_CONFIG: Final = ConfigDict(extra="forbid")

SILENT_S: Final = 60
"""A pipeline whose last report is older than so many seconds is silent."""

SOURCE_SENSOR: Final = "source_changes"
"""The sensor that probes the source."""

GIVEN_UP: Final = ("Run timed out due to taking longer than", "Exceeded maximum runtime of")
"""How the reasons begin for which Dagster ends runs that do not go on."""

ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
"""The end of a reason that was shortened."""

DISPATCHER_SILENT_S: Final = 60
"""A dispatcher that has read no requests for so many seconds hangs: it reads every second."""

WORKER_SILENT_S: Final = 30
"""A worker without a sign for so many seconds hangs. It gives one every two, also while runs keep it busy:
its child processes execute them.
"""

UNREAD_S: Final = 60
"""A request that nobody has read for so many seconds is left alone: after 10 a sensor reads it too."""

LAST_RUNS: Final = 10
"""So many runs that have ended are listed, whatever their job."""

LOW_DISK_BYTES: Final = 512 * 2**20
"""Below so much free space the disk is nearly full.

The server rewrites its file beside the old one, and Dagster's history grows by some MiB each hour.
"""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ProcessReport:
    """State of one supervised process in supervisord's terms, such as RUNNING."""

    name: str
    state: str
    detail: str = ""

    @property
    def is_well(self) -> bool:
        """Whether it runs or is being started."""
        return self.state in ("RUNNING", "STARTING")


@dataclass(frozen=True, slots=True, config=_CONFIG)
class RunReport:
    """A run that has ended.

    Attributes:
        run_id: Its id.
        job: Its job.
        status: How it ended, in Dagster's terms: SUCCESS, FAILURE or CANCELED.
        ended_at: When, in seconds since the epoch.
        reason: Why it failed; empty where it did not.
    """

    run_id: str
    job: str
    status: str
    ended_at: float
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether it failed by itself: one that somebody canceled did not."""
        return self.status == "FAILURE"

    @property
    def given_up(self) -> bool:
        """Whether Dagster ended it, for no worker started it or it did not go on."""
        return self.failed and self.reason.startswith(GIVEN_UP)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class StalledRun:
    """A run that should be under way and is not.

    Attributes:
        run_id: Its id.
        job: Its job.
        started: Whether a worker has started it.
        since: Since when nothing has happened to it, in seconds since the epoch.
    """

    run_id: str
    job: str
    started: bool
    since: float


@dataclass(frozen=True, slots=True, config=_CONFIG)
class RequestsReport:
    """The stream of requests.

    Attributes:
        unread: How many nobody has read.
        unread_s: For how many seconds the earliest of them waits; 0 without one.
        silent_s: For how many seconds the dispatcher has read none; None where it never has.
    """

    unread: int
    unread_s: float
    silent_s: float | None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class TickReport:
    """A sensor or schedule that should work and does not.

    Attributes:
        name: Its name.
        failure: Why its last tick failed; empty where it did not.
        silent_since: Since when it should have ticked and has not, in seconds since the epoch; None where
            it ticks.
        is_sensor: Whether it is a sensor; else it is a schedule.
    """

    name: str
    failure: str = ""
    silent_since: float | None = None
    is_sensor: bool = True


@dataclass(frozen=True, slots=True, config=_CONFIG)
class JobReport:
    """The last run of a job that has ended.

    Attributes:
        run_id: Its id.
        status: How it ended, in Dagster's terms: SUCCESS, FAILURE or CANCELED.
        ended_at: When, in seconds since the epoch.
        seconds: How long it took; None of one that never started.
        steps: How many seconds each of its steps took that has ended.
    """

    run_id: str
    status: str
    ended_at: float
    seconds: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class RunCounts:
    """How many runs have ended, counted on from one monitor to the next.

    Attributes:
        ended: How many, by job and by how they ended, in Dagster's terms.
        at: When they were last counted, in seconds since the epoch.
        recent: Ids of the last that were counted: Dagster lists them again.
    """

    ended: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    at: float = 0.0
    recent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, config=_CONFIG)
class PipelineReport:
    """The state of the pipeline at one moment.

    Attributes:
        at: When, in seconds since the epoch.
        processes: The supervised processes; empty when their supervisor does not answer, None without one.
        watched: Whether `kpi up` runs, which restarts the supervisor; true where there is none.
        daemons: Whether each required daemon of Dagster is healthy; None when Dagster does not answer.
        runs: The last run of each product that has ended, by product.
        last_runs: The last `LAST_RUNS` of all that have ended, the latest first.
        stalled: The runs that wait for a worker, or for the next sign of one, for too long.
        silent_workers: For how many seconds each worker that hangs has given no sign.
        requests: The stream of requests; None where it is not known.
        ticks: The sensors and schedules that should work and do not.
        disk_free: Bytes free on the disk of KPI_HOME; None where that is not known.
        jobs: The last run of each job that has ended, by job.
        run_counts: How many runs have ended.
        unfinished: How many runs wait, `queued`, or are under way, `started`, by job.
    """

    at: float
    processes: tuple[ProcessReport, ...] | None = None
    watched: bool = True
    daemons: Mapping[str, bool] | None = None
    runs: Mapping[str, RunReport] = field(default_factory=dict)
    last_runs: tuple[RunReport, ...] = ()
    stalled: tuple[StalledRun, ...] = ()
    silent_workers: Mapping[str, float] = field(default_factory=dict)
    requests: RequestsReport | None = None
    ticks: tuple[TickReport, ...] = ()
    disk_free: int | None = None
    jobs: Mapping[str, JobReport] = field(default_factory=dict)
    run_counts: RunCounts = field(default_factory=RunCounts)
    unfinished: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def source_failure(self) -> str:
        """Why the source cannot be probed; empty where it can."""
        return next((tick.failure for tick in self.ticks if tick.name == SOURCE_SENSOR), "")

    def is_silent(self, now: float) -> bool:
        """Whether a later report should have come by now, in seconds since the epoch."""
        return self.at < now - SILENT_S

    def to_json(self) -> bytes:
        """The report as a JSON object, for `from_json`."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, text: bytes) -> "PipelineReport | None":
        """Read a report; None where the text is none of this version."""
        try:
            return _REPORT.validate_json(text)
        except ValidationError:
            return None


_REPORT: Final = TypeAdapter(PipelineReport)

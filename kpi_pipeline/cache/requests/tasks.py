"""What is requested of the pipeline, and how far it has come with it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from kpi_pipeline.model.filters import Filter

SOURCE_STEP: Final = "read_source"
"""The step of a run that reads the source; why a step has failed begins with its name."""


class RequestKind(StrEnum):
    """What is requested."""

    REFRESH = "refresh"
    WARM = "warm"
    BRIDGE = "bridge"
    CLEAR = "clear"


class TaskState(StrEnum):
    """The state of a request."""

    QUEUED = "queued"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Task:
    """The task of a submitted request.

    Attributes:
        id: Its id, for `Requests.status`.
        joined: Whether it is the task of an equal request that was in flight already.
    """

    id: str
    joined: bool

    def as_text(self) -> str:
        """The task in the words of a log."""
        return f"task {self.id}{', which was requested before' if self.joined else ''}"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as delivered.

    Attributes:
        entry: Its place in the stream, for `Requests.acknowledge`.
        id: Its task; the same at every delivery.
        kind: What is requested.
        product: Of which product; `ALL_PRODUCTS` for all of them on one reading.
        filter: For which certificates.
        scope: The readers' scope.
        requested_at: When, in seconds since the epoch.
        days: The two days of the bridge that is requested; None where none is.
        again: Whether it was delivered before: a run for it may be under way.
        traceparent: Its place in a trace; empty where nobody traces it.
        by: The sensor, schedule or command that submitted it; empty where a reader did.
        ends_rollback: Whether its run also publishes what an administrator has rolled back from.
        needs_refresh: Whether its run refreshes the product, also where an answer could be added to it.
    """

    entry: str
    id: str
    kind: RequestKind
    product: str
    filter: Filter
    scope: str
    requested_at: float
    days: tuple[date, date] | None = None
    again: bool = False
    traceparent: str = ""
    by: str = ""
    ends_rollback: bool = False
    needs_refresh: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run. Times are seconds since the epoch.

    Attributes:
        steps: How many steps the run has; None until it has begun.
        steps_done: How many have succeeded.
        computed_at: When the product's figures were computed and staged.
        published_at: When they were made live.
    """

    steps: int | None = None
    steps_done: int = 0
    computed_at: float | None = None
    published_at: float | None = None


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """The state of one request. Times are seconds since the epoch.

    Attributes:
        id: Its task.
        kind: What was requested.
        product: Of which product.
        filter: For which certificates.
        scope: The readers' scope.
        state: `expired` when it was not finished in time.
        requested_at: When it was submitted.
        started_at: When a run started to work on it, if one did.
        finished_at: When the run ended, if it did.
        run_id: That run.
        reason: Why it failed; None unless it did.
        days: The two days of the bridge that was requested; None where none was.
        progress: The progress of the run.
    """

    id: str
    kind: RequestKind
    product: str
    filter: Filter
    scope: str
    state: TaskState
    requested_at: float
    started_at: float | None
    finished_at: float | None
    run_id: str | None
    reason: str | None
    days: tuple[date, date] | None = None
    progress: Progress = Progress()

    @property
    def has_source_failed(self) -> bool:
        """Whether it failed because the source could not be read."""
        return (self.reason or "").startswith(f"{SOURCE_STEP}:")

"""What the pipeline reports of itself: its processes, Dagster's daemons and the last run of each product."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

_CONFIG: Final = ConfigDict(extra="forbid")

SILENT_S: Final = 60
"""A pipeline whose last report is older than so many seconds is silent."""


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
    """The last run of a product that has ended.

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


@dataclass(frozen=True, slots=True, config=_CONFIG)
class PipelineReport:
    """The state of the pipeline at one moment.

    Attributes:
        at: When, in seconds since the epoch.
        processes: The supervised processes; empty when their supervisor does not answer, None without one.
        watched: Whether `kpi up` runs, which restarts the supervisor; true where there is none.
        daemons: Whether each required daemon of Dagster is healthy; None when Dagster does not answer.
        runs: The last run of each product that has ended, by product.
    """

    at: float
    processes: tuple[ProcessReport, ...] | None = None
    watched: bool = True
    daemons: Mapping[str, bool] | None = None
    runs: Mapping[str, RunReport] = field(default_factory=dict)

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

"""The health of the whole system: what is wrong with it, how bad that is, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kpi_pipeline.model.labels import Language, Text
from kpi_pipeline.model.phrases import Phrase, PlainWriter, Value, ValueWriter


class HealthStatus(StrEnum):
    """How well something works."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that can be wrong; its texts name values of the finding in braces.

    Attributes:
        name: Its name, for machines.
        status: How bad it is for what it concerns.
        reason: What is wrong.
        advice: What to do about it.
    """

    name: str
    status: HealthStatus
    reason: Text
    advice: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds.

    Attributes:
        condition: Which one.
        subjects: What it concerns, for machines: products, or a part of the system.
        values: The values that its texts name.
    """

    condition: Condition
    subjects: tuple[str, ...]
    values: Mapping[str, str | Value] = field(default_factory=dict)

    def reason(self, language: Language) -> str:
        """What is wrong, as a phrase for engineers: moments are in UTC."""
        return self.reason_for(PlainWriter(language))

    def advice(self, language: Language) -> str:
        """What to do about it, as a phrase for engineers."""
        return self.advice_for(PlainWriter(language))

    def reason_for(self, writer: ValueWriter) -> str:
        """What is wrong, as a phrase whose values are written for its reader."""
        return self._written(self.condition.reason, writer)

    def advice_for(self, writer: ValueWriter) -> str:
        """What to do about it, likewise."""
        return self._written(self.condition.advice, writer)

    def _written(self, text: Text, writer: ValueWriter) -> str:
        return Phrase(text, self.values).written(writer)

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain JSON values, in English."""
        return {
            "condition": self.condition.name,
            "status": self.condition.status.value,
            "subjects": list(self.subjects),
            "reason": self.reason("en"),
            "advice": self.advice("en"),
        }


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict on the whole system.

    Attributes:
        status: `down` when no figures can be served, `degraded` when anything else is wrong.
        findings: What is wrong, the worst first.
    """

    status: HealthStatus
    findings: Sequence[Finding] = ()

    def status_of(self, subject: str) -> HealthStatus:
        """How well one part works: as bad as the worst finding that concerns it."""
        statuses = {finding.condition.status for finding in self.findings if subject in finding.subjects}
        worst_first = (HealthStatus.DOWN, HealthStatus.DEGRADED)
        return next((status for status in worst_first if status in statuses), HealthStatus.OK)

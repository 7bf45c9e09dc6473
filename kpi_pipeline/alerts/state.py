"""The state of alerts: which are pending or fire, and the messages that are to be delivered."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Final

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from kpi_pipeline.model.alerts.rule_kind import Group, Severity
from kpi_pipeline.model.labels import Text

_CONFIG: Final = ConfigDict(extra="forbid")


class Event(StrEnum):
    """What a message reports of an alert."""

    BEGUN = "begun"
    LASTS = "lasts"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Subject:
    """What an alert is about, in words, and where to look.

    Attributes:
        name: What it concerns, for machines: a product, a process, a currency, a client or a certificate.
        reason: What is wrong.
        advice: What to do about it.
        products: The products that it concerns.
        run: The run of Dagster that shows it; empty without one.
        page: The path of the page that shows it.
        several: What alerts that are reported together with it are headed with; None where it stands alone.
        watched_until: Of a certificate, until when it is observed, in seconds since the epoch: its absence
            later says nothing. 0 of everything else.
    """

    name: str
    reason: Text
    advice: Text
    products: tuple[str, ...] = ()
    run: str = ""
    page: str = ""
    several: Text | None = None
    watched_until: float = 0.0

    def headline(self, count: int) -> Text:
        """What is wrong, in one line.

        Args:
            count: Of how many certificates, this one among them.
        """
        if count == 1 or self.several is None:
            return self.reason
        return Text(f"{count} {self.several.es}", f"{count} {self.several.en}")


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Alert:
    """A rule that holds for a subject, or held until lately. Times are seconds since the epoch.

    Attributes:
        rule: The rule's name.
        subject: What it is about.
        severity: The rule's when it was last evaluated.
        group: Of the rule's kind.
        since: Since when the rule holds.
        begun_at: When it was reported; None while it is pending.
        reported_at: When readers were last told, or will be at the end of quiet hours.
        cleared_since: Since when the rule no longer holds; None while it does.
        is_event: Whether it was reported once and has no end.
    """

    rule: str
    subject: Subject
    severity: Severity
    group: Group
    since: float
    begun_at: float | None = None
    reported_at: float = 0.0
    cleared_since: float | None = None
    is_event: bool = False

    @property
    def fires(self) -> bool:
        """Whether it has begun."""
        return self.begun_at is not None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Message:
    """What readers are to be told of an alert.

    Attributes:
        event: What has happened.
        alert: The alert as it was then.
        at: When it happened.
        due_at: From when it may be delivered: `at`, or the end of quiet hours.
        others: How many more certificates the same has happened to, which are not named.
    """

    event: Event
    alert: Alert
    at: float
    due_at: float
    others: int = 0


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Delivery:
    """A message on its way to a route.

    Attributes:
        route: The route's name.
        target: Which of its addresses, from 0.
        message: The message.
        due_at: When the next attempt is due.
        attempts: How many have failed.
        failure: Why the last one did; never an address.
    """

    route: str
    target: int
    message: Message
    due_at: float
    attempts: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True, config=_CONFIG)
class AlertState:
    """All that is remembered between two evaluations.

    Attributes:
        at: When it was evaluated last, in seconds since the epoch.
        by: Who did.
        alerts: By rule and subject, as of `alert_key`.
        outbox: Messages that are to be delivered, the earliest first.
        problem: Why the rules cannot be read; empty where they can.
    """

    at: float = 0.0
    by: str = ""
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    outbox: tuple[Delivery, ...] = ()
    problem: str = ""

    @property
    def firing(self) -> list[Alert]:
        """The alerts that have begun and that last, the most severe and earliest first."""
        return [alert for alert in self._ordered(fires=True) if not (alert.is_event and alert.cleared_since)]

    @property
    def causes(self) -> list[tuple[Alert, int]]:
        """What fires, each cause once: its first alert, and of how many certificates it is."""
        counts: dict[tuple[str, str], tuple[Alert, int]] = {}
        for alert in self.firing:
            apart = alert.subject.name if alert.subject.several is None else ""
            first, count = counts.get((alert.rule, apart), (alert, 0))
            counts[alert.rule, apart] = (first, count + 1)
        return list(counts.values())

    @property
    def pending(self) -> list[Alert]:
        """Those that do not hold for long enough yet."""
        return self._ordered(fires=False)

    @property
    def failed(self) -> list[Delivery]:
        """The messages that could not be delivered so far."""
        return [delivery for delivery in self.outbox if delivery.attempts]

    def without_certificates(self) -> "AlertState":
        """The state without the alerts of single certificates, which may be many."""
        kept = {key: alert for key, alert in self.alerts.items() if alert.subject.several is None}
        return replace(self, alerts=kept)

    def with_certificates_of(self, other: "AlertState") -> "AlertState":
        """The state with what another one knows of single certificates beside."""
        known = {key: alert for key, alert in other.alerts.items() if alert.subject.several is not None}
        return replace(self, alerts={**known, **self.alerts})

    def _ordered(self, *, fires: bool) -> list[Alert]:
        order = list(Severity)
        chosen = [alert for alert in self.alerts.values() if alert.fires is fires]
        return sorted(chosen, key=lambda alert: (-order.index(alert.severity), alert.since, alert.rule))

    def to_json(self) -> bytes:
        """The state as a JSON object, for `from_json`."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, text: bytes | str | None) -> "AlertState":
        """Read a state; one without any alert where the text is none of this version."""
        if not text:
            return cls()
        try:
            return _STATE.validate_json(text)
        except ValidationError:
            return cls()


_STATE: Final = TypeAdapter(AlertState)


def alert_key(rule: str, subject: str) -> str:
    """The key of an alert: there is one for each rule and subject."""
    return f"{rule}/{subject}"


def state_dict(state: AlertState) -> dict[str, Any]:
    """The state as plain JSON values, in both languages."""
    return {
        "evaluated_at": state.at or None,
        "evaluated_by": state.by,
        "problem": state.problem,
        "firing": [_alert_dict(alert) for alert in state.firing],
        "pending": [_alert_dict(alert) for alert in state.pending],
        "undelivered": [
            {"route": one.route, "attempts": one.attempts, "failure": one.failure, "due_at": one.due_at}
            for one in state.failed
        ],
    }


def _alert_dict(alert: Alert) -> dict[str, Any]:
    subject = alert.subject
    return {
        "rule": alert.rule,
        "subject": subject.name,
        "severity": alert.severity.value,
        "group": alert.group.value,
        "since": alert.since,
        "begun_at": alert.begun_at,
        "products": list(subject.products),
        "reason_es": subject.reason.es,
        "reason_en": subject.reason.en,
        "advice_es": subject.advice.es,
        "advice_en": subject.advice.en,
        "run": subject.run,
        "page": subject.page,
    }

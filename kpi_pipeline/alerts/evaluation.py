"""The evaluation of rules: from the state before and what is observed now, the state after and messages.

An alert begins once its rule has held for long enough, is reported again while it lasts, and is resolved once
what is measured has come back far enough for long enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from kpi_pipeline.alerts.state import Alert, Event, Message, Subject, alert_key
from kpi_pipeline.model.alerts.rules import QuietHours, Rule

EVENT_KEPT_S = 30 * 86_400
"""For how long what was reported once is remembered after it was last seen."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is measured, and its limits.

    Attributes:
        value: The value.
        threshold: Beyond it the rule holds.
        clear: Once the value has come back to this the rule no longer holds.
    """

    value: float
    threshold: float
    clear: float

    @property
    def is_beyond(self) -> bool:
        """Whether an alert may begin."""
        return self.value > self.threshold

    @property
    def is_back(self) -> bool:
        """Whether an alert may be resolved."""
        return self.value <= self.clear


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that a rule watches, as it is now.

    Attributes:
        rule: The rule's name.
        subject: What it is.
        reading: What was measured; None for a condition, which holds because it is observed.
    """

    rule: str
    subject: Subject
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known now.

    Attributes:
        known: The rules that could be checked: alerts of others stay as they are.
        observations: What was observed; a subject that is not observed of a known rule is as it should be.
        partial: Known rules of which something may be unobserved: it stays as it is.
    """

    known: frozenset[str]
    observations: Sequence[Observation] = ()
    partial: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Clock:
    """The present and the hours in which messages wait.

    Attributes:
        now: Seconds since the epoch.
        zone: Of the quiet hours.
        quiet_hours: None for none.
    """

    now: float
    zone: tzinfo = UTC
    quiet_hours: QuietHours | None = None

    def due_at(self, rule: Rule) -> float:
        """When a message of a rule may be delivered: now, or at the end of the quiet hours."""
        if self.quiet_hours is None or rule.severity not in self.quiet_hours.severities:
            return self.now
        end = self.quiet_hours.ends_after(datetime.fromtimestamp(self.now, self.zone))
        # Where clocks are set back or forward, the end may lie behind.
        return self.now if end is None else max(end.timestamp(), self.now)


def evaluate(
    before: Mapping[str, Alert], rules: Mapping[str, Rule], facts: Facts, clock: Clock
) -> tuple[dict[str, Alert], list[Message]]:
    """Evaluate all rules once.

    Args:
        before: The alerts before, by `alert_key`; those of rules that are gone are dropped without a word.
        rules: The enabled rules, by name.
        facts: What is known now.
        clock: The present.

    Returns:
        The alerts after, and what is to be told.
    """
    observed = {
        alert_key(one.rule, one.subject.name): one
        for one in facts.observations
        if one.rule in rules and one.rule in facts.known
    }
    after: dict[str, Alert] = {}
    messages: list[Message] = []
    for key in dict.fromkeys((*before, *observed)):
        alert, seen = before.get(key), observed.get(key)
        name = alert.rule if alert is not None else observed[key].rule
        if name not in rules:
            continue
        if alert is not None and seen is None and 0 < alert.subject.watched_until < clock.now:
            continue  # nobody looks any more
        if alert is not None and (name not in facts.known or (seen is None and name in facts.partial)):
            after[key] = alert
            continue
        following, event = _step(alert, seen, rules[name], clock)
        if following is not None:
            after[key] = following
        reported = following or alert
        if event is not None and reported is not None:
            messages.append(Message(event, reported, clock.now, clock.due_at(rules[name])))
    return after, messages


def _step(
    alert: Alert | None, seen: Observation | None, rule: Rule, clock: Clock
) -> tuple[Alert | None, Event | None]:
    """What becomes of one alert, and what is told of it."""
    if alert is not None and alert.fires:
        return _while_firing(alert, seen, rule, clock)
    if seen is None or not (seen.reading is None or seen.reading.is_beyond):
        return None, None
    kind, now = rule.of, clock.now
    since = now if alert is None else alert.since
    pending = Alert(seen.rule, seen.subject, rule.severity, kind.group, since, is_event=kind.is_event)
    if now - since < rule.hold_s:
        return pending, None
    return replace(pending, begun_at=now, reported_at=clock.due_at(rule)), Event.BEGUN


def _while_firing(
    alert: Alert, seen: Observation | None, rule: Rule, clock: Clock
) -> tuple[Alert | None, Event | None]:
    now, kind = clock.now, rule.of
    current = replace(alert, severity=rule.severity)
    if seen is not None:
        current = replace(current, subject=seen.subject)
    is_back = seen is None or (seen.reading is not None and seen.reading.is_back)
    if is_back:
        since = now if alert.cleared_since is None else alert.cleared_since
        current = replace(current, cleared_since=since)
        if now - since < (EVENT_KEPT_S if kind.is_event else rule.clear_for_s):
            return current, None
        return None, None if kind.is_event else Event.RESOLVED
    current = replace(current, cleared_since=None)
    if kind.is_event or not rule.remind_s or now - alert.reported_at < rule.remind_s:
        return current, None
    return replace(current, reported_at=clock.due_at(rule)), Event.LASTS

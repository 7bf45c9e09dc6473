"""The evaluation of rules, for any course of values: no flapping, one end for each begin, nothing lost."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.alerts.evaluation import Clock, Facts, Observation, Reading, evaluate
from kpi_pipeline.alerts.state import Alert, Event, Message, Subject
from kpi_pipeline.model.alerts.rule_kind import Severity
from kpi_pipeline.model.alerts.rules import QuietHours, Rule
from kpi_pipeline.model.labels import Text

ZONE = ZoneInfo("America/Santiago")
NIGHT = QuietHours.model_validate({"from": "20:00", "to": "08:00"})
NOON = datetime(2024, 6, 28, 12, tzinfo=ZONE).timestamp()


def subject(name: str = "CLP") -> Subject:
    return Subject(name, Text("alto", "high"), Text("baje", "lower it"))


def rule(kind: str = "dso", **keys: object) -> Rule:
    return Rule.model_validate({"kind": kind, "severity": "warning", **keys})


def high(value: float, of: Rule, name: str = "CLP") -> Facts:
    threshold = of.threshold or 0.0
    clear = threshold if of.clear is None else of.clear
    reading = Reading(value, threshold, clear)
    return Facts(frozenset({"r"}), [Observation("r", subject(name), reading)])


HOLDS = Facts(frozenset({"r"}), [Observation("r", subject())])
HOLDS_NOT = Facts(frozenset({"r"}))
UNKNOWN = Facts(frozenset())


class Watch:
    """Evaluates one rule again and again."""

    def __init__(self, watched: Rule, quiet: QuietHours | None = None) -> None:
        self.rule, self.quiet, self.now = watched, quiet, NOON
        self.alerts: dict[str, Alert] = {}
        self.messages: list[Message] = []

    def see(self, facts: Facts, after_s: float = 30) -> list[Event]:
        self.now += after_s
        self.alerts, messages = evaluate(
            self.alerts, {"r": self.rule}, facts, Clock(self.now, ZONE, self.quiet)
        )
        self.messages += messages
        return [message.event for message in messages]


def test_an_alert_begins_when_it_has_held_for_long_enough() -> None:
    watch = Watch(rule("disk", **{"for": "1m"}))
    assert [watch.see(HOLDS), watch.see(HOLDS), watch.see(HOLDS), watch.see(HOLDS)] == [
        [],
        [],
        [Event.BEGUN],
        [],
    ]


def test_what_ceases_before_that_is_not_told() -> None:
    watch = Watch(rule("disk", **{"for": "1m"}))
    for facts in (HOLDS, HOLDS, HOLDS_NOT, HOLDS, HOLDS):
        assert watch.see(facts) == []


def test_an_alert_is_resolved_when_it_has_been_clear_for_long_enough() -> None:
    watch = Watch(rule("disk", clear_for="1m"))
    told = [watch.see(facts) for facts in (HOLDS, HOLDS_NOT, HOLDS, HOLDS_NOT, HOLDS_NOT, HOLDS_NOT)]
    assert told == [[Event.BEGUN], [], [], [], [], [Event.RESOLVED]]
    assert watch.alerts == {}


def test_an_alert_that_lasts_is_told_again_after_a_while() -> None:
    watch = Watch(rule("disk", remind="1h"))
    assert watch.see(HOLDS) == [Event.BEGUN]
    assert [watch.see(HOLDS, 1799) for _ in range(5)] == [[], [], [Event.LASTS], [], []]


def test_without_a_reminder_it_is_told_once() -> None:
    watch = Watch(rule("disk"))
    assert [watch.see(HOLDS, 86_400) for _ in range(3)] == [[Event.BEGUN], [], []]


def test_while_nothing_is_known_an_alert_stays() -> None:
    watch = Watch(rule("disk"))
    assert watch.see(HOLDS) == [Event.BEGUN]
    assert [watch.see(UNKNOWN), watch.see(HOLDS), watch.see(HOLDS_NOT)] == [[], [], [Event.RESOLVED]]


def test_each_subject_is_an_alert_of_its_own() -> None:
    watched = rule(threshold=35)
    watch = Watch(watched)
    assert watch.see(high(40, watched, "CLP")) == [Event.BEGUN]
    assert watch.see(high(40, watched, "USD")) == [Event.RESOLVED, Event.BEGUN]


def test_a_rule_that_is_gone_leaves_without_a_word() -> None:
    watch = Watch(rule("disk"))
    watch.see(HOLDS)
    assert evaluate(watch.alerts, {}, HOLDS, Clock(watch.now)) == ({}, [])


def test_an_event_is_told_once_and_has_no_end() -> None:
    watch = Watch(rule("newly_overdue", threshold=1, currency="CLP", remind="1h"))
    facts = Facts(frozenset({"r"}), [Observation("r", subject("E-1"), Reading(2, 1, 1))])
    told = [watch.see(each, 7200) for each in (facts, facts, HOLDS_NOT, facts, HOLDS_NOT)]
    assert told == [[Event.BEGUN], [], [], [], []]


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 600)), max_size=60))
def test_inside_the_hysteresis_nothing_is_told(course: list[tuple[float, int]]) -> None:
    watched = rule(threshold=50, clear=40)
    watch, fires = Watch(watched), False
    for value, after_s in course:
        told = watch.see(high(value, watched), after_s)
        if 40 < value <= 50:
            assert told == []
        assert told in ([], [Event.RESOLVED] if fires else [Event.BEGUN])
        fires = fires ^ bool(told)
        assert fires == any(alert.fires for alert in watch.alerts.values())


FACTS = st.sampled_from([HOLDS, HOLDS_NOT, UNKNOWN])
DURATION = st.sampled_from(["0s", "30s", "5m", "1h"])


@given(st.lists(st.tuples(FACTS, st.integers(0, 2000)), max_size=80), DURATION, DURATION, DURATION)
def test_each_begin_has_at_most_one_end_and_durations_are_held(
    course: list[tuple[Facts, int]], hold: str, clear: str, remind: str
) -> None:
    watch = Watch(rule("disk", **{"for": hold, "clear_for": clear, "remind": remind}))
    first_held = first_clear = None
    for facts, after_s in course:
        for event in watch.see(facts, after_s):
            if event is Event.BEGUN:
                assert first_held is not None or watch.rule.hold_s == 0
                assert watch.now - (watch.now if first_held is None else first_held) >= watch.rule.hold_s
            if event is Event.RESOLVED:
                begun = watch.now if first_clear is None else first_clear
                assert watch.now - begun >= watch.rule.clear_for_s
        if facts is HOLDS:
            first_held, first_clear = watch.now if first_held is None else first_held, None
        elif facts is HOLDS_NOT:
            first_held, first_clear = None, watch.now if first_clear is None else first_clear
    ends = [message.event for message in watch.messages if message.event is not Event.LASTS]
    assert ends == [Event.BEGUN, Event.RESOLVED] * (len(ends) // 2) + [Event.BEGUN] * (len(ends) % 2)


@given(st.lists(st.tuples(FACTS, st.integers(0, 40_000)), max_size=60), st.sampled_from(list(Severity)))
def test_quiet_hours_delay_messages_and_lose_none(
    course: list[tuple[Facts, int]], severity: Severity
) -> None:
    loud, quiet = (Watch(rule("disk", severity=severity.value), hours) for hours in (None, NIGHT))
    for facts, after_s in course:
        assert loud.see(facts, after_s) == quiet.see(facts, after_s)
    for at_once, message in zip(loud.messages, quiet.messages, strict=True):
        assert at_once.due_at == at_once.at == message.at
        clock = datetime.fromtimestamp(message.at, ZONE)
        if severity is not Severity.CRITICAL and not 8 <= clock.hour < 20:
            assert datetime.fromtimestamp(message.due_at, ZONE).hour == 8
            assert 0 < message.due_at - message.at <= 12 * 3600
        else:
            assert message.due_at == message.at


def test_a_reminder_in_quiet_hours_is_one() -> None:
    watch = Watch(rule("disk", remind="1h"), NIGHT)
    watch.now = datetime(2024, 6, 28, 19, 50, tzinfo=ZONE).timestamp()
    told = [event for _ in range(40) for event in watch.see(HOLDS, 1200)]
    assert told[0] is Event.BEGUN
    at_eight = datetime(2024, 6, 29, 8, tzinfo=ZONE).timestamp()
    assert [message.due_at for message in watch.messages].count(at_eight) == 1

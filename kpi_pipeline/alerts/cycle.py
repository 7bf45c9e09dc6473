"""One evaluation of alerts from beginning to end: what is known, what it means, who is told."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

import redis

from kpi_pipeline.alerts.delivery import AppriseNotifier, Notifier, Undelivered
from kpi_pipeline.alerts.evaluation import Clock, evaluate
from kpi_pipeline.alerts.facts import FactsReader
from kpi_pipeline.alerts.messages import bounded, compose
from kpi_pipeline.alerts.outbox import (
    DELIVERING_S,
    GIVEN_UP_S,
    LARGEST_OUTBOX,
    due_by_receiver,
    next_attempt_at,
)
from kpi_pipeline.alerts.rule_file import RuleFile, load_rules
from kpi_pipeline.alerts.state import AlertState, Delivery, Message
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.connection import FAILURES
from kpi_pipeline.model.alerts.parsing import RulesError
from kpi_pipeline.model.alerts.rules import Route
from kpi_pipeline.settings import Settings

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AlertCycle:
    """Evaluates and delivers.

    Attributes:
        client: A client of the user `pipeline` or `serving`.
        facts: Reads what is known.
        settings: The file of rules, the time zone, and what messages link to.
        holder: Who evaluates, the same at each evaluation.
        notifier: Sends notes.
        clock: The present, in seconds since the epoch.
    """

    client: redis.Redis
    facts: FactsReader
    settings: Settings
    holder: str
    notifier: Notifier = field(default_factory=AppriseNotifier)
    clock: Callable[[], float] = time.time

    def run(self, remembered: AlertState | None = None) -> AlertState | None:
        """Evaluate once and deliver what is due.

        Args:
            remembered: The state that the caller remembers: it counts while Redis does not answer, and where
                Redis has lost a later one. Single certificates may be missing. None where the caller
                remembers nothing.

        Returns:
            The state after; None where it is another's turn.

        Raises:
            cache.connection.FAILURES: If Redis does not answer and nothing is remembered.
        """
        store = AlertStore(self.client)
        try:
            if not store.take_turn(self.holder):
                return None
            stored = store.load()
        except FAILURES:
            if remembered is None:
                raise
            stored = remembered
        state = max((stored, remembered or stored), key=lambda one: one.at).with_certificates_of(stored)
        try:
            file = load_rules(self.settings)
        except RulesError as error:
            self._alarm("alert_rules_unreadable", "rules", str(error))
            state = replace(state, at=self.clock(), by=self.holder, problem=str(error))
            self._save(store, state, remembered)
            return state
        state = self._evaluated(state, file)
        self._save(store, state, remembered)
        return self._delivered(state, file, lambda after: self._save(store, after, remembered))

    def _evaluated(self, state: AlertState, file: RuleFile) -> AlertState:
        rules = file.rules.enabled
        clock = Clock(self.clock(), ZoneInfo(self.settings.timezone), file.rules.quiet_hours)
        alerts, evaluated = evaluate(state.alerts, rules, self.facts.read(rules), clock)
        messages = bounded(evaluated)
        for message in messages:
            _LOG.info("alert %s: %s", message.event, message.alert.subject.reason.en)
        # Those of a route that is gone for good end as well.
        kept = [one for one in state.outbox if clock.now - one.message.due_at <= 2 * GIVEN_UP_S]
        outbox = (*kept, *(one for message in messages for one in _deliveries(message, file)))
        if len(outbox) > LARGEST_OUTBOX:
            self._alarm(
                "alert_given_up", "outbox", f"{len(outbox) - LARGEST_OUTBOX} messages beyond its size"
            )
        return AlertState(clock.now, self.holder, alerts, outbox[:LARGEST_OUTBOX])

    def _delivered(self, state: AlertState, file: RuleFile, save: Callable[[AlertState], None]) -> AlertState:
        """Deliver what is due, each route's messages as one note; the state is saved after each."""
        until = time.monotonic() + DELIVERING_S
        # Another process may know routes that this one does not: their messages wait for it.
        known = [one for one in state.outbox if one.route in file.rules.routes]
        due = due_by_receiver(known, lambda one: (one.route, one.target), self.clock())
        for (name, target), deliveries in due.items():
            if time.monotonic() > until:
                break
            failure = self._failure(name, target, deliveries, file)
            rest = tuple(one for one in state.outbox if one not in deliveries)
            later = () if failure is None else tuple(self._retried(deliveries, failure))
            state = replace(state, outbox=(*rest, *later))
            save(state)
        return state

    def _failure(self, name: str, target: int, deliveries: Sequence[Delivery], file: RuleFile) -> str | None:
        """Send messages to an address; why that failed, None if it did not or there is no such address."""
        route = file.rules.routes[name]
        try:
            addresses = file.addresses(name)
            if target < len(addresses):
                note = compose([one.message for one in deliveries], route.language, self.settings)
                self.notifier.send(addresses[target], note)
        except (RulesError, Undelivered) as error:
            self._alarm("alert_undelivered", name, f"{error}; check it with `kpi alerts test {name}`")
            return str(error)
        return None

    def _retried(self, deliveries: Sequence[Delivery], failure: str) -> Iterable[Delivery]:
        now, attempts = self.clock(), max(one.attempts for one in deliveries)
        for one in deliveries:
            due_at = next_attempt_at(one.message.due_at, attempts, now)
            if due_at is None:
                self._alarm("alert_given_up", one.route, f"not delivered for days: {failure}")
            else:
                yield replace(one, due_at=due_at, attempts=attempts + 1, failure=failure)

    def _alarm(self, alarm: str, subject: str, advice: str) -> None:
        Alarms(self.client).sound(alarm, subject, advice)

    @staticmethod
    def _save(store: AlertStore, state: AlertState, remembered: AlertState | None) -> None:
        try:
            store.save(state)
        except FAILURES:
            if remembered is None:
                raise


def _deliveries(message: Message, file: RuleFile) -> Iterable[Delivery]:
    for name, route in file.rules.routes.items():
        if not _is_for(message, route):
            continue
        try:
            targets = len(file.addresses(name))
        except RulesError:
            targets = 1  # its delivery fails, and says why
        for target in range(targets):
            yield Delivery(name, target, message, message.due_at)


def _is_for(message: Message, route: Route) -> bool:
    alert = message.alert
    concerned = not route.products or bool(set(route.products) & set(alert.subject.products))
    return concerned and alert.severity in route.severities and alert.group in route.groups

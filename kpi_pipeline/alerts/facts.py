"""What is known now: findings of the verdict, and what rules measure in Redis and in published figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from kpi_pipeline.alerts.evaluation import Facts, Observation, Reading
from kpi_pipeline.alerts.figures import Figure, WatchedFigures, read_figures, read_watched
from kpi_pipeline.alerts.state import Subject
from kpi_pipeline.alerts.writing import MessageWriter
from kpi_pipeline.cache.reading.health import HealthFacts, health_of, read_health
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.alerts.kinds import TOLD_DAYS
from kpi_pipeline.model.alerts.rule_kind import Basis, Measure, RuleKind
from kpi_pipeline.model.alerts.rules import Rule
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.health import Finding
from kpi_pipeline.model.labels import LANGUAGES, Language, Text

_KINDS_OF_ROWS: Final = {
    "certificates": Text("certificados", "certificates"),
    "costs": Text("costos", "costs"),
}


@dataclass(frozen=True, slots=True)
class FactsReader:
    """Reads what rules are evaluated against.

    Attributes:
        reader: Reads the cache.
        timezone: Of clock times in texts.
    """

    reader: CacheReader
    timezone: str

    def read(self, rules: Mapping[str, Rule]) -> Facts:
        """What is known now, for these rules; it does not fail when Redis does not answer.

        Raises:
            redis.RedisError: If Redis ceases to answer meanwhile.
        """
        status = self.reader.status()
        facts = read_health(self.reader, status)
        wanted = {rule.of.product for rule in rules.values() if rule.of.basis is Basis.FIGURES}
        published = read_figures(self.reader, wanted) if facts.reachable else {}
        watches = any(rule.of.watches_certificates for rule in rules.values())
        watched = read_watched(self.reader) if facts.reachable and watches else None
        figures = [
            *(figure for found in published.values() for figure in found),
            *_refused_shares(facts),
            *(watched.figures if watched is not None else ()),
        ]
        findings = health_of(facts).findings
        known: set[str] = set()
        observations: list[Observation] = []
        for name, rule in rules.items():
            if not _is_known(rule.of, facts, published, watched):
                continue
            known.add(name)
            observations += self._held(name, rule, findings, facts)
            observations += self._measured(name, rule, figures)
        of_certificates = {name for name in known if rules[name].of.watches_certificates}
        partial = watched is not None and not watched.is_complete
        return Facts(frozenset(known), observations, frozenset(of_certificates if partial else ()))

    def _held(
        self, name: str, rule: Rule, findings: Sequence[Finding], facts: HealthFacts
    ) -> Iterator[Observation]:
        for finding in findings:
            if finding.condition not in rule.of.conditions:
                continue
            reason = self._text(finding.reason_for)
            advice = self._text(finding.advice_for)
            page = rule.of.page
            products = tuple(subject for subject in finding.subjects if subject in PRODUCTS)
            if not products:
                apart = [str(finding.values[value]) for value in rule.of.told_apart_by]
                subject = ":".join((finding.condition.name, *apart))
                yield Observation(name, Subject(subject, reason, advice, page=page))
            for product in products:
                run = facts.report.runs.get(product) if facts.report is not None else None
                run_id = run.run_id if run is not None and run.failed else ""
                yield Observation(name, Subject(product, reason, advice, (product,), run_id, page))

    def _measured(self, name: str, rule: Rule, figures: Sequence[Figure]) -> Iterator[Observation]:
        kind = rule.of
        if kind.measure is None or kind.reason is None or kind.advice is None:
            return
        for figure in figures:
            limit = figure.target if rule.threshold is None else rule.threshold
            if figure.kind != kind.name or limit is None or rule.currency not in ("", figure.currency):
                continue
            clear = limit if rule.clear is None else rule.clear
            reading: Reading | None = Reading(figure.value, limit, clear)
            until = 0.0
            if figure.moved_on is not None:
                # It holds from the limit on, and for some days.
                if not limit <= figure.value < limit + TOLD_DAYS:
                    continue
                reading = None
                until = self._midnight(figure.moved_on + timedelta(limit + TOLD_DAYS))
            reason = self._text(self._reason(kind.reason, figure, limit, kind.measure))
            several = kind.several and self._text(self._reason(kind.several, figure, limit, kind.measure))
            products = (kind.product,) if kind.product else ()
            page = kind.page
            subject = Subject(figure.subject, reason, kind.advice, products, "", page, several, until)
            yield Observation(name, subject, reading)

    def _midnight(self, day: date) -> float:
        """When a day begins, in seconds since the epoch."""
        return datetime.combine(day, time(), ZoneInfo(self.timezone)).timestamp()

    @staticmethod
    def _reason(text: Text, figure: Figure, limit: float, measure: Measure) -> Callable[[MessageWriter], str]:
        def write(writer: MessageWriter) -> str:
            label = figure.label or Text(figure.subject, figure.subject)
            return text.into(writer.language).format(
                subject=label.into(writer.language),
                value=writer.measured(figure.value, measure, figure.currency),
                limit=writer.measured(limit, measure, figure.currency),
                since=writer.day(figure.moved_on) if figure.moved_on is not None else "",
            )

        return write

    def _text(self, write: Callable[[MessageWriter], str]) -> Text:
        """A text in both languages."""
        texts: dict[Language, str] = {
            language: write(MessageWriter(language, self.timezone)) for language in LANGUAGES
        }
        return Text(texts["es"], texts["en"])


def _is_known(
    kind: RuleKind, facts: HealthFacts, published: Mapping[str, object], watched: WatchedFigures | None
) -> bool:
    if kind.watches_certificates:
        return watched is not None
    match kind.basis:
        case Basis.SERVER:
            return True
        case Basis.CACHE:
            return facts.reachable
        case Basis.PIPELINE:
            return facts.report is not None
        case Basis.DAGSTER:
            return facts.report is not None and facts.report.daemons is not None
        case Basis.FIGURES:
            return kind.product in published


def _refused_shares(facts: HealthFacts) -> Iterator[Figure]:
    """The share of refused rows of the last reading."""
    if facts.readings.accepted is not None:
        for name, label in _KINDS_OF_ROWS.items():
            share = getattr(facts.readings.accepted, name).refused_share
            yield Figure("quarantine_share", name, share, label=label)

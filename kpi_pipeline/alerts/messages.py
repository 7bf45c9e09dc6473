"""Messages as readers get them: what is wrong, what to do, and where to look, in the route's language."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from kpi_pipeline.alerts.state import Event, Message
from kpi_pipeline.alerts.writing import MessageWriter
from kpi_pipeline.model.alerts.rule_kind import Group, Severity
from kpi_pipeline.model.labels import Language, Text
from kpi_pipeline.settings import Settings

SEVERITY_LABELS: Final = {
    Severity.INFO: Text("Informativa", "Information"),
    Severity.WARNING: Text("Advertencia", "Warning"),
    Severity.CRITICAL: Text("Crítica", "Critical"),
}
_EVENTS: Final = {
    Event.BEGUN: Text("Nueva", "New"),
    Event.LASTS: Text("Continúa", "Continues"),
    Event.RESOLVED: Text("Resuelta", "Resolved"),
}
_ADVICE: Final = Text("Qué hacer", "What to do")
_SINCE: Final = Text("Desde", "Since")
_UNTIL: Final = Text("Hasta", "Until")
_RUN: Final = Text("Ejecución", "Run")
_PAGE: Final = Text("Página", "Page")
_SEVERAL: Final = Text("{count} avisos de los indicadores", "{count} alerts on the indicators")
_TEST_TITLE: Final = Text("Mensaje de prueba", "Test message")
_TEST: Final = Text(
    "Así llegan los avisos de los indicadores por la ruta «{route}». No hay nada que hacer.",
    "Alerts on the indicators arrive like this by the route `{route}`. There is nothing to do.",
)
_MORE: Final = Text("y otros {count}", "and {count} more")
LONGEST_LIST: Final = 20
"""Certificates that are named in one message."""

_TITLE_LENGTH: Final = 150


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a note."""

    name: str
    mimetype: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """What is sent at once: a line of title, text, and files."""

    title: str
    body: str
    attachments: tuple[Attachment, ...] = ()


def compose(messages: Sequence[Message], language: Language, settings: Settings) -> Note:
    """Write some messages as one note.

    Args:
        messages: In order, at least one.
        language: Of the note.
        settings: The time zone, and where runs and pages are shown.
    """
    # One cause that concerns several products is one paragraph, as are certificates that pass one limit.
    causes: dict[tuple[Event, str, Text], dict[Text, Message]] = {}
    for one in messages:
        subject = one.alert.subject
        cause = (one.event, one.alert.rule, subject.several or subject.reason)
        causes.setdefault(cause, {}).setdefault(subject.reason, one)
    together = [list(cause.values()) for cause in causes.values()]
    paragraphs = [_paragraph(cause, language, settings) for cause in together]
    if len(paragraphs) == 1:
        title = f"{_head(together[0][0], language)}: {_reason(together[0], language)}"
    else:
        title = _SEVERAL.into(language).format(count=len(paragraphs))
    shortened = (
        title if len(title) <= _TITLE_LENGTH else f"{title[: _TITLE_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}"
    )
    # A title is a header of a mail: it has no line breaks.
    return Note(" ".join(shortened.split()), "\n\n".join(paragraphs))


def trial_note(route: str, language: Language) -> Note:
    """A note that only shows that a route works."""
    return Note(_TEST_TITLE.into(language), _TEST.into(language).format(route=route))


def _head(message: Message, language: Language) -> str:
    severity = SEVERITY_LABELS[message.alert.severity].into(language)
    return f"{severity}, {_EVENTS[message.event].into(language).lower()}"


def bounded(messages: Sequence[Message]) -> list[Message]:
    """The same messages; of the certificates that one thing has happened to, those beyond a list are counted.

    Args:
        messages: Of one evaluation, in order.
    """
    kept: list[Message] = []
    last: dict[tuple[Event, str], int] = {}
    lengths: Counter[tuple[Event, str]] = Counter()
    for one in messages:
        cause = (one.event, one.alert.rule)
        lengths[cause] += 1
        if one.alert.subject.several is None or lengths[cause] <= LONGEST_LIST:
            last[cause] = len(kept)
            kept.append(one)
        else:
            named = kept[last[cause]]
            kept[last[cause]] = replace(named, others=named.others + 1)
    return kept


def _count(messages: Sequence[Message]) -> int:
    """How many certificates are told of."""
    return sum(1 + one.others for one in messages)


def _reason(messages: Sequence[Message], language: Language) -> str:
    """What is wrong, in one line."""
    return messages[0].alert.subject.headline(_count(messages)).into(language)


def _paragraph(messages: Sequence[Message], language: Language, settings: Settings) -> str:
    """What is said of one cause, and of the certificates that it concerns."""
    message = messages[0]
    alert, writer = message.alert, MessageWriter(language, settings.timezone)
    reason = _reason(messages, language)
    # The name of a rule is for those who write rules; `reason` says to all others what has happened.
    rule = f" ({alert.rule})" if alert.group is Group.OPERATIONAL else ""
    lines = [f"{_head(message, language)}{rule}", f"{reason[:1].upper()}{reason[1:]}."]
    if len(messages) > 1:
        lines += [f"- {one.alert.subject.reason.into(language)}" for one in messages[:LONGEST_LIST]]
        if (beyond := _count(messages) - len(messages[:LONGEST_LIST])) > 0:
            lines.append(f"- {_MORE.into(language).format(count=beyond)}")
    if message.event is not Event.RESOLVED:
        advice = alert.subject.advice.into(language)
        lines.append(f"{_ADVICE.into(language)}: {advice}.")
    lines.append(f"{_SINCE.into(language)}: {writer.moment(alert.since)}")
    if message.event is Event.RESOLVED:
        lines.append(f"{_UNTIL.into(language)}: {writer.moment(message.at)}")
    if alert.subject.run and settings.dagster_url:
        base = str(settings.dagster_url).rstrip("/")
        lines.append(f"{_RUN.into(language)}: {base}/runs/{quote(alert.subject.run, safe='')}")
    if alert.subject.page and settings.public_url:
        lines.append(f"{_PAGE.into(language)}: {str(settings.public_url).rstrip('/')}{alert.subject.page}")
    return "\n".join(lines)

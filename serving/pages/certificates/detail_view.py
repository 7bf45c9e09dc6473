"""One certificate as its template shows it: what it is, its milestones, its stages, and its outlook."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.certificate_details import (
    APPROVED_ASSUMED,
    MILESTONE_LABELS,
    RETAINED,
)
from kpi_pipeline.model.components import NEXT_DAYS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE, ForecastRule
from kpi_pipeline.model.labels import Counted, Kind
from kpi_pipeline.model.listing import LIST_COLUMNS, REASON_COLUMNS, ListColumn
from serving.listing.detail import CertificateDetail, Outlook, StageDays
from serving.pages.certificates.values import value_text
from serving.pages.context import PageContext
from serving.pages.writing import NamedLink

_LEADING: Final = ("state", "open", "due_on", "days_late")
_AMOUNTS: Final = ("proposed", "approved", "collected")
_NAMES: Final = ("client", "project", "project_manager", "administrator", "project_type", "month", "currency")
_BY_NAME: Final = {column.name: column for column in LIST_COLUMNS}


@dataclass(frozen=True, slots=True)
class DetailFact:
    """One value of a certificate.

    Attributes:
        name: Of the column.
        label: Its name for readers.
        text: As it is shown.
        url: The list of what has the same value; empty where it leads nowhere.
        profile: The page of the client or project that it is; None of others.
    """

    name: str
    label: str
    text: str
    url: str = ""
    profile: NamedLink | None = None


@dataclass(frozen=True, slots=True)
class DetailMilestone:
    """One milestone: its name, its day, and the days since the one before; empty of the first."""

    name: str
    label: str
    day: str
    gap: str


@dataclass(frozen=True, slots=True)
class DetailRow:
    """A row of a table."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetailView:
    """All that the template shows of a certificate.

    Attributes:
        title: Its number and project.
        leading: The values that matter first.
        facts: The others.
        milestones: Its timeline.
        stages: Stage; its days, and what is usual.
        outlook: Sentences on when it is expected to be paid; empty of what is not receivable.
        chances: The next days, then months: chance of payment by the end of each, and what is expected in it.
    """

    title: str
    leading: list[DetailFact]
    facts: list[DetailFact]
    milestones: list[DetailMilestone]
    stages: list[DetailRow]
    outlook: list[str]
    chances: list[DetailRow]


def detail_view(found: CertificateDetail, context: PageContext) -> DetailView:
    """What is shown of a certificate."""
    texts, outlook = context.texts, found.outlook()
    title = texts["certificate_title"].format(number=found.text("number"), project=found.text("project"))
    return DetailView(
        title=title,
        leading=[fact for name in _LEADING if (fact := _fact(_BY_NAME[name], found, context))],
        facts=list(_facts(found, context)),
        milestones=list(_milestones(found, context)),
        stages=[_stage(one, context) for one in found.stages()],
        outlook=[] if outlook is None else list(_outlook(outlook, found, context)),
        chances=[] if outlook is None else _chances(outlook, found.text("currency"), context),
    )


def _facts(found: CertificateDetail, context: PageContext) -> Iterator[DetailFact]:
    for name in (*_AMOUNTS, RETAINED, *_NAMES, *REASON_COLUMNS.values()):
        fact = _fact(_BY_NAME[name], found, context)
        # Most clients retain nothing.
        if fact is not None and (name != RETAINED or found.value(name)):
            yield fact


def _fact(column: ListColumn, found: CertificateDetail, context: PageContext) -> DetailFact | None:
    """A value of the list; None where there is none."""
    value, name = found.value(column.name), column.name
    if value is None:
        return None
    text = value_text(context, column.kind, value, found.text("currency"))
    if column.kind is Kind.DAYS and isinstance(value, int):
        text = context.writer.days(value)
    if name == "due_on" and found.is_marked("due_assumed"):
        text = context.texts["list_due_assumed"].format(day=text)
    if name == "approved" and found.is_marked(APPROVED_ASSUMED):
        text = context.texts["certificate_approved_assumed"].format(amount=text)
    is_name = column.kind in (Kind.NAME, Kind.STATE, Kind.MONTH) and isinstance(value, str)
    url = context.writer.drill_down_url(name, str(value)) if is_name else ""
    profile = context.writer.profile(name, str(value)) if is_name else None
    return DetailFact(name, column.label.into(context.language), text, url, profile)


def _milestones(found: CertificateDetail, context: PageContext) -> Iterator[DetailMilestone]:
    for number, (name, day, gap) in enumerate(found.milestones):
        since = context.texts["certificate_gap"].format(days=context.writer.days(gap)) if number else ""
        label = MILESTONE_LABELS[name].into(context.language)
        yield DetailMilestone(name, label, context.formats.day(day), since)


def _stage(one: StageDays, context: PageContext) -> DetailRow:
    texts, days = context.texts, context.writer.days
    so_far = texts["certificate_so_far" if context.address.as_of is None else "certificate_until_then"]
    taken = so_far.format(days=days(one.days)) if one.is_running else days(one.days)
    usual = texts["certificate_not_known"]
    if one.usual is not None:
        name = "certificate_usual_own" if one.usual.is_own else "certificate_usual_all"
        count = Counted(context.formats.count(one.usual.count))
        median = one.usual.days
        usual = texts[name].format(days=days(median if median % 1 else int(median)), count=count)
    return DetailRow(one.stage.label.into(context.language), (taken, usual))


def _outlook(outlook: Outlook, found: CertificateDetail, context: PageContext) -> Iterator[str]:
    texts, month = context.texts, context.formats.month_in_full
    if not outlook.months:
        yield texts["certificate_no_outlook"]
        return
    if outlook.likely_by is None:
        yield texts["certificate_unlikely"].format(month=month(outlook.months[-1][0]))
    else:
        yield texts["certificate_likely"].format(month=month(outlook.likely_by))
    if outlook.nearly_certain_by is not None:
        yield texts["certificate_nearly_certain"].format(month=month(outlook.nearly_certain_by))
    is_naive = outlook.rule == ForecastRule.NAIVE
    yield texts["certificate_of_all" if is_naive else "certificate_of_client"].format(
        client=found.text("client")
    )


def _chances(outlook: Outlook, currency: str, context: PageContext) -> list[DetailRow]:
    formats = context.formats

    def row(label: str, share: int, expected: int) -> DetailRow:
        cells = formats.share(share / SURVIVAL_SCALE), formats.money(expected, currency).full
        return DetailRow(label, cells)

    months = [
        row(formats.month(month), share, expected)
        for (month, share), expected in zip(outlook.months, outlook.expected, strict=True)
    ]
    if outlook.next_days is None:
        return months
    return [row(context.texts["next_days"].format(days=NEXT_DAYS), *outlook.next_days), *months]

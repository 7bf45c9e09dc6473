"""One certificate for readers: its address, its look-up, and what is published of it besides its row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, cast
from urllib.parse import quote

from kpi_pipeline.cache.client_outlooks import Chances, Usual
from kpi_pipeline.cache.reading.listing.certificates import Value, is_marked, milestones_of, value_of
from kpi_pipeline.cache.reading.listing.expected import expected_of
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.certificate_details import (
    EVERY_STAGE,
    FEWEST_OWN,
    LIKELY,
    NEARLY_CERTAIN,
    RUNNING_MARK,
    DetailStage,
)
from kpi_pipeline.model.labels import Text
from serving.as_of import AS_OF, requested_as_of
from serving.cache_access import Connection
from serving.dates import day_text
from serving.listing.look_up import ListResult, look_up_list
from serving.lookup import refuse_parameters
from serving.problem_types.figures import CERTIFICATE_UNKNOWN
from serving.problems import Problem

_DOTS: Final = frozenset({".", ".."})
_LONGEST_SHOWN: Final = 80
"""Characters of a name that is quoted in a problem."""

_MOST_SLASHES: Final = 8
"""Places at which the project of an address may end."""


def certificate_path(base: str, project: str, number: str) -> str:
    """The address of a certificate below that of the list: any character may be part of either name.

    A server undoes the quotes of an address before it looks for slashes, and browsers resolve dots: these are
    quoted twice. Slashes that are quoted once are understood too.
    """
    return f"{base}/{quote(escaped_name(project), safe='')}/{quote(escaped_name(number), safe='')}"


def name_of(part: str) -> str:
    """The name that a part of an address stands for; the contrary of what `certificate_path` does."""
    return part.replace("%2E", ".").replace("%2F", "/").replace("%25", "%")


def escaped_name(name: str) -> str:
    """A name as a part of an address has it before that is quoted: a slash and a dot alone quoted already."""
    escaped = name.replace("%", "%25").replace("/", "%2F")
    return escaped.replace(".", "%2E") if escaped in _DOTS else escaped


@dataclass(frozen=True, slots=True)
class StageDays:
    """What a certificate took for a stage.

    Attributes:
        stage: The stage.
        days: How many days.
        is_running: Whether it is in it still: so far.
        usual: What is usual of it; None where nothing is known.
    """

    stage: DetailStage
    days: int
    is_running: bool
    usual: Usual | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """When a certificate is expected to be paid.

    Attributes:
        rule: The forecast that is shown.
        reason: Why.
        months: Each month and the chance of payment by its end, in parts of `SURVIVAL_SCALE`; none without an
            estimate.
        expected: What is expected in each; minor units.
        next_days: The chance of payment in the next days, and what is expected then; None without an
            estimate.
        likely_by: The first month by whose end payment is more likely than not; None where there is none.
        nearly_certain_by: The first by whose end it is nearly certain; None where there is none.
    """

    rule: str
    reason: str
    months: tuple[tuple[str, int], ...]
    expected: tuple[int, ...]
    next_days: tuple[int, int] | None
    likely_by: str | None
    nearly_certain_by: str | None

    @classmethod
    def of(cls, chances: Chances, months: Sequence[str], owed: int) -> "Outlook":
        """That of published chances, given what is open."""
        soon = chances.next_days
        paired = tuple(zip(months, chances.shares, strict=False))
        return cls(
            chances.rule,
            chances.reason,
            paired,
            tuple(expected_of(owed, *shares) for shares in pairwise((0, *chances.shares))),
            None if soon is None else (soon, expected_of(owed, 0, soon)),
            _first(paired, LIKELY),
            _first(paired, NEARLY_CERTAIN),
        )


@dataclass(frozen=True, slots=True)
class CertificateDetail:
    """One certificate.

    Attributes:
        listed: The list that it is in.
        row: Its row there.
    """

    listed: ListResult
    row: Row

    def value(self, name: str) -> Value:
        """A column of the list or a stage."""
        return value_of(self.row, name)

    def text(self, name: str) -> str:
        """A column of texts that is never empty."""
        return str(self.value(name))

    def is_marked(self, mark: str) -> bool:
        """Whether it has one of `model.listing.LIST_MARKS`."""
        return is_marked(self.row, mark)

    @property
    def milestones(self) -> list[tuple[str, date, int]]:
        """As of `milestones_of`."""
        return milestones_of(self.row)

    def stages(self) -> Iterator[StageDays]:
        """The stages that it went through or is in."""
        outlooks, client = self.listed.certificates.outlooks, self.text("client")
        for stage in EVERY_STAGE:
            days = self.value(stage.name)
            if isinstance(days, int):
                usual = outlooks.usual_of(client, stage.name, FEWEST_OWN)
                yield StageDays(stage, days, self.is_marked(RUNNING_MARK.format(stage.name)), usual)

    def outlook(self) -> Outlook | None:
        """When it is expected to be paid; None of what is not receivable, and of the past."""
        age = self.value("age_days")
        if (
            self.listed.figures.requested_as_of is not None
            or not self.is_marked("receivable")
            or not isinstance(age, int)
        ):
            return None
        outlooks = self.listed.certificates.outlooks
        chances = outlooks.chances(
            self.text("client"), self.text("currency"), age, is_accepted=self.is_marked("accepted")
        )
        return Outlook.of(chances, outlooks.months, cast("int", self.value("open")))


def look_up_certificate(
    connection: Connection, project: str, number: str, parameters: Sequence[tuple[str, str]]
) -> CertificateDetail:
    """Look a certificate up, and request newer figures from the pipeline where they are stale.

    Args:
        connection: The cache.
        project: Its project, as the address has it.
        number: Its number there, likewise.
        parameters: Query parameters: a date alone. With one it is of the newest month end on or before it.

    Raises:
        Problem: If there is no such certificate, or as `look_up_list` does.
        InvalidDate: If the date is none.
        NoMonthEnd: If no month end is kept on or before the date.
        QueryError: If there is any other parameter.
    """
    as_of, others = requested_as_of(parameters)
    refuse_parameters(others)
    listed = look_up_list(connection, () if as_of is None else ((AS_OF, as_of.isoformat()),))
    row = next(
        (
            row
            for names in _names_of(project, number)
            if (row := listed.certificates.find(*names)) is not None
        ),
        None,
    )
    if row is None:
        project, number = (name_of(name)[:_LONGEST_SHOWN] for name in (project, number))
        named = {"project": project, "number": number}
        cause = Text(
            f"Las cifras de hoy no tienen el certificado «{number}» de «{project}».",
            f'Today\'s figures have no certificate "{number}" of "{project}".',
        )
        if as_of is not None:
            day = day_text(listed.figures.entry.as_of)
            cause = Text(
                f"Las cifras al {day.es} no tienen el certificado «{number}» de «{project}».",
                f'The figures as of {day.en} have no certificate "{number}" of "{project}".',
            )
        raise Problem(CERTIFICATE_UNKNOWN, cause, members=named)
    return CertificateDetail(listed, row)


def _names_of(project: str, number: str) -> Iterator[tuple[str, str]]:
    """The project and the number that an address may stand for.

    A server has undone the quotes of a slash that is quoted once: each may be the one between both.
    """
    parts = f"{project}/{number}".split("/")
    for at in range(len(parts) - 1, max(len(parts) - 1 - _MOST_SLASHES, 0), -1):
        yield name_of("/".join(parts[:at])), name_of("/".join(parts[at:]))


def _first(months: Sequence[tuple[str, int]], share: int) -> str | None:
    return next((month for month, reached in months if reached >= share), None)

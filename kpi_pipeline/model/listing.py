"""The list of certificates: its columns, the standings by which it is narrowed, and how its values sort.

A row is a certificate that has been issued, or paid in advance, as it stands on the business date. Names of
conditions and values are columns of the as-of view, which `model.components` describes.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from kpi_pipeline.model.certificate_details import (
    EVERY_STAGE,
    RETAINED,
    RUNNING_MARK,
)
from kpi_pipeline.model.dimensions import AMOUNT_BAND, AMOUNT_BANDS, DIMENSIONS, ISSUED_AGE, ISSUED_AGES
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import Kind, Text
from kpi_pipeline.model.list_standings import LIST_STANDINGS, WENT_WRONG
from kpi_pipeline.model.states import State

LISTED_WITH: Final = "dashboards"
"""The product whose generations hold the list: its pages and the list are of one reading."""

FIRST_DAY: Final = date(1990, 1, 1)
"""Days are numbered from here: no certificate has an earlier one."""

LAST_DAY: Final = date(2099, 12, 31)
"""No certificate has a later one."""

_DIGITS: Final = re.compile(r"\d+")
_DIGIT_PLACES: Final = 18
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of the list.

    Attributes:
        name: Its key in the API and in addresses.
        label: Its head.
        kind: What its values are; amounts are in minor units of the row's currency.
        value: SQL over the as-of view and the certificates.
        meaning: What it says, for readers.
        is_usual: Whether it is shown unless other columns are chosen.
        is_summed: Whether the totals of the list sum it.
    """

    name: str
    label: Text
    kind: Kind
    value: str
    meaning: Text
    is_usual: bool = True
    is_summed: bool = False


_OF_DIMENSIONS: Final = {dimension.name: dimension for dimension in DIMENSIONS}


def _name_of(name: str, meaning: Text, value: str = "", *, is_usual: bool = True) -> ListColumn:
    """The column of a dimension's values."""
    dimension = _OF_DIMENSIONS[name]
    return ListColumn(name, dimension.label, dimension.kind, value or name, meaning, is_usual)


def _day(name: str, label: Text, value: str, meaning: Text, *, is_usual: bool = True) -> ListColumn:
    return ListColumn(name, label, Kind.DAY, value, meaning, is_usual)


def _money(name: str, label: Text, value: str, meaning: Text, *, is_usual: bool = True) -> ListColumn:
    return ListColumn(name, label, Kind.MONEY, value, meaning, is_usual, is_summed=True)


LIST_COLUMNS: Final[tuple[ListColumn, ...]] = (
    ListColumn(
        "number",
        Text("Certificado", "Certificate"),
        Kind.TEXT,
        "number",
        Text("Número dentro de su proyecto.", "Number within its project."),
    ),
    _name_of("client", Text("A quién se cobra.", "Whom it claims from.")),
    _name_of("project", Text("Proyecto de las obras.", "Project of the works.")),
    _name_of("project_manager", Text("Quien dirige el proyecto.", "Who leads the project."), is_usual=False),
    _name_of("administrator", Text("Quien gestiona el cobro.", "Who follows the claim up."), is_usual=False),
    _name_of("project_type", Text("Tipo del proyecto.", "Type of the project."), is_usual=False),
    _name_of(
        "month",
        Text("Mes que se cobra, no el de emisión.", "Month that is billed, not that of issue."),
        is_usual=False,
    ),
    _name_of(
        "state", Text("En qué estado está a la fecha.", "Its state on the date of the list."), "state_as_of"
    ),
    ListColumn(
        "days_late",
        Text("Días de atraso", "Days late"),
        Kind.DAYS,
        "late_days",
        Text(
            "Si está vencido, los días desde su vencimiento; si se pagó tarde, los que tardó de más.",
            "Where it is overdue, days since it was due; where it was paid late, how many days late.",
        ),
    ),
    _day("issued_on", Text("Emisión", "Issued"), "issued_on", Text("Día de emisión.", "Day of issue.")),
    _day(
        "sent_on",
        Text("Envío", "Sent"),
        "sent_by_day",
        Text("Día del primer envío al cliente.", "Day it was first sent to the client."),
        is_usual=False,
    ),
    _day(
        "accepted_on",
        Text("Conformidad", "Accepted"),
        "conformity_by_day",
        Text("Día de la conformidad vigente del cliente.", "Day of the client's acceptance that stands."),
        is_usual=False,
    ),
    _day(
        "due_on",
        Text("Vencimiento", "Due"),
        "due_on",
        Text(
            "Fecha de pago dada; si no la hay, conformidad o envío más el plazo de pago.",
            "The payment date given; where there is none, acceptance or sending plus the payment term.",
        ),
    ),
    _day(
        "paid_on",
        Text("Pago", "Paid"),
        "paid_by_day",
        Text("Día del pago.", "Day of payment."),
        is_usual=False,
    ),
    ListColumn(
        "age_days",
        Text("Días desde la emisión", "Days since issue"),
        Kind.DAYS,
        "CASE WHEN is_open AND issued_on <= day THEN age_days END",
        Text("Días desde la emisión de los saldos impagos.", "Days since issue of what is unpaid."),
        is_usual=False,
    ),
    ListColumn(
        "rejection_reason",
        Text("Motivo de devolución", "Reason for return"),
        Kind.REASON,
        "CASE WHEN is_returned THEN rejection_reason END",
        Text("Por qué lo devolvió el cliente.", "Why the client returned it."),
        is_usual=False,
    ),
    ListColumn(
        "failure_kind",
        Text("Tipo de falla", "Kind of failure"),
        Kind.REASON,
        f"CASE WHEN {WENT_WRONG} THEN failure_kind END",
        Text(
            "Qué falló, si el cliente lo devolvió o pidió rehacerlo.",
            "What went wrong, where the client returned it or asked for rework.",
        ),
        is_usual=False,
    ),
    ListColumn(
        "currency",
        Text("Moneda", "Currency"),
        Kind.CURRENCY,
        "currency",
        Text("Moneda de sus montos.", "Currency of its amounts."),
        is_usual=False,
    ),
    _money(
        "proposed",
        Text("Propuesto", "Proposed"),
        "amount_proposed",
        Text("Monto presentado.", "Amount claimed."),
    ),
    _money(
        "approved",
        Text("Aprobado", "Approved"),
        "CASE WHEN is_accepted THEN amount_approved ELSE 0 END",
        Text(
            "Monto aprobado por el cliente; sin valor hasta la conformidad.",
            "Amount the client approved; no value until then.",
        ),
    ),
    _money(
        "collected",
        Text("Cobrado", "Collected"),
        "amount_collected",
        Text("Lo que el cliente ha pagado.", "What the client has paid of it."),
        is_usual=False,
    ),
    _money(
        "open",
        Text("Saldo", "Open"),
        "amount_open",
        Text(
            "Lo que queda sin pagar ni retener; 0 si está pagado o anulado.",
            "What is neither paid nor retained; 0 once paid or canceled.",
        ),
    ),
    _money(
        RETAINED,
        Text("Retenido", "Retained"),
        "CASE WHEN is_cancelled THEN 0 ELSE amount_withheld END",
        Text(
            "Lo que el cliente retiene hasta que se libere.",
            "What the client keeps back until it is released.",
        ),
        is_usual=False,
    ),
)
"""The columns, in their order."""

EXPECTED: Final = _money(
    "expected",
    Text("Esperado", "Expected"),
    "",
    Text(
        "Su saldo por la probabilidad de que el cliente lo pague en ese mes, según cómo ha pagado; sin valor "
        "donde no hay estimación.",
        "What is open of it, by the chance that the client pays it in that month, going by past payments; no "
        "value where there is no estimate.",
    ),
    is_usual=False,
)
"""What is expected of a receivable certificate in a forecast month: no block holds it, and only lists of what
is expected show it. It sums to what the forecast shows of the month.
"""

LIST_LABELS: Final = {column.name: column.label for column in LIST_COLUMNS}
LIST_COLUMN_NAMES: Final = tuple(column.name for column in LIST_COLUMNS)
SUMMED_COLUMNS: Final = tuple(column.name for column in LIST_COLUMNS if column.is_summed)
USUAL_COLUMNS: Final = tuple(column.name for column in LIST_COLUMNS if column.is_usual)
IDENTIFYING_COLUMNS: Final = ("client", "project", "number")
"""The first columns, which say what certificate it is: one must contain each word of a search."""

USUAL_ORDER: Final = "-days_late"
"""How the list is sorted unless otherwise requested: the latest first, also those that were paid so late."""

FILTERED_BY: Final = {
    **{dimension.name: dimension.name for dimension in DIMENSIONS},
    "state": "state_as_of",
}
"""By dimension, SQL of a row's value."""


@dataclass(frozen=True, slots=True)
class ListReason:
    """Something that the source says in its own words, by which the list is narrowed.

    Attributes:
        name: Its parameter.
        spanish: The Spanish name of that.
        column: Where a row has it.
    """

    name: str
    spanish: str
    column: str


LIST_REASONS: Final = (
    ListReason("reason", "motivo", "rejection_reason"),
    ListReason("failure", "falla", "failure_kind"),
)
"""Why certificates were returned, and what failed."""

REASON_COLUMNS: Final = {reason.name: reason.column for reason in LIST_REASONS}


@dataclass(frozen=True, slots=True)
class ListEvent:
    """An event by whose day the list is narrowed.

    Attributes:
        name: It begins the names of its parameters.
        label: Its name for readers.
        spanish: The Spanish name of its parameters.
        column: Where a row has its day.
        value: SQL over the as-of view; empty where that is a column of the list.
        when: SQL: which certificates have it where there is a value; empty for all.
    """

    name: str
    label: Text
    spanish: str
    column: str
    value: str = ""
    when: str = ""


LIST_EVENTS: Final[tuple[ListEvent, ...]] = (
    ListEvent("issued", Text("Emisión", "Issued"), "emision", "issued_on"),
    ListEvent("sent", Text("Envío", "Sent"), "envio", "sent_on"),
    # Where the day of acceptance or payment is unknown, flows are of the milestone before.
    ListEvent("accepted", Text("Conformidad", "Accepted"), "conformidad", "accepted_event", "accepted_on"),
    ListEvent(
        "paid",
        Text("Pago", "Paid"),
        "pago",
        "paid_event",
        "settled_on",
        "is_paid OR amount_collected <> 0",
    ),
    ListEvent("due", Text("Vencimiento", "Due"), "vencimiento", "due_on"),
)
"""The events, in their order."""

EVENT_LABELS: Final = {event.name: event.label for event in LIST_EVENTS}
EVENT_COLUMNS: Final = {event.name: event.column for event in LIST_EVENTS}

LIST_MARKS: Final[tuple[tuple[str, str], ...]] = (
    *(
        (one.name, f"issued_on <= day AND ({one.when})" if one.is_of_issued else one.when)
        for one in LIST_STANDINGS
    ),
    ("credit_note", "NOT is_cancelled AND amount_proposed < 0"),
    *(
        (
            RUNNING_MARK.format(stage.name),
            f"issued_on <= day AND {stage.done} IS NULL AND ({stage.running}) IS NOT NULL",
        )
        for stage in EVERY_STAGE
    ),
)
"""What a row is marked with, by bits: name and SQL condition."""


MARK_BITS: Final = {name: 1 << place for place, (name, _) in enumerate(LIST_MARKS)}

_DECLARED_ORDER: Final = {
    "state": {state.value: place for place, state in enumerate(State)},
    AMOUNT_BAND.name: {band: place for place, band in enumerate(AMOUNT_BANDS)},
    ISSUED_AGE.name: {label: place for place, (label, _, _) in enumerate(ISSUED_AGES)},
}


def number_within(project: str, certificate_id: str) -> str:
    """The number of a certificate within its project, as the list has it.

    Args:
        project: The project.
        certificate_id: Names the certificate; of several columns it has their parts escaped.

    Returns:
        The whole name where that does not begin with the project.
    """
    escaped = project.replace("\\", "\\\\").replace("/", "\\/")
    if certificate_id.startswith(f"{escaped}/"):
        return _ESCAPED.sub(r"\1", certificate_id.removeprefix(f"{escaped}/"))
    return certificate_id.removeprefix(f"{project}/")


def sort_key(column: str, value: str) -> str:
    """What a text of a column sorts by: states in their order, names as people count: 9 comes before 10."""
    if value.isdecimal() and value.isascii():
        return value.zfill(_DIGIT_PLACES)
    declared = _DECLARED_ORDER.get(column)
    if declared is not None:
        return f"{declared.get(value, len(declared)):04d}"
    return _DIGITS.sub(lambda digits: digits[0].zfill(_DIGIT_PLACES), fold(value))

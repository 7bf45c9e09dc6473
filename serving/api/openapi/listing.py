"""The schemas of the list of certificates, from its declared columns."""

from collections.abc import Iterable
from typing import Final

from kpi_pipeline.model.certificate_details import (
    APPROVED_ASSUMED,
    DETAIL_DAYS,
    MILESTONES,
)
from kpi_pipeline.model.forecast import ForecastReason, ForecastRule
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_work import LISTED_WORK, URGENCY, WORK_COLUMNS
from kpi_pipeline.model.listing import (
    EXPECTED,
    LIST_COLUMNS,
    LIST_LABELS,
    LIST_REASONS,
    SUMMED_COLUMNS,
    ListColumn,
)
from serving.api.openapi.json_schema import (
    BOOLEAN,
    CURRENCY,
    DAY,
    INTEGER,
    MONTH,
    NUMBER,
    OF_KIND,
    TEXT,
    Schema,
    described,
    list_of,
    object_of,
    one_of,
    or_null,
)

CERTIFICATE_PAGE: Final = "CertificatePage"
CERTIFICATE: Final = "Certificate"

_UNKNOWN: Final = ("approved", EXPECTED.name)
"""Amounts that are null: until the client answers, and without an estimate."""

_AMOUNT: Final = described(INTEGER, "In minor units of the currency.")


def list_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    page = {
        "certificates": list_of(listed_certificate()),
        "totals": listed_totals(),
        "standing": list_of(one_of(standing.name for standing in LIST_STANDINGS)),
        "search": TEXT,
        **{
            reason.name: described(or_null(TEXT), f"{LIST_LABELS[reason.column].en}, which all of them have.")
            for reason in LIST_REASONS
        },
        "expected_in": described(
            or_null(TEXT), "The forecast month, or the next days, of which expected amounts are answered."
        ),
        "work_list": described(or_null(one_of(LISTED_WORK)), "The work list that is answered."),
        "sort": TEXT,
        "offset": INTEGER,
        "limit": INTEGER,
    }
    return {
        CERTIFICATE_PAGE: object_of(page, description="A page of the list of certificates."),
        CERTIFICATE: _detail(_values(LIST_COLUMNS)),
    }


def _values(columns: Iterable[ListColumn]) -> dict[str, Schema]:
    """What is answered of a row of the list."""
    of_columns = {column.name: described(_of(column), column.meaning.en) for column in columns}
    if URGENCY in of_columns:
        notes = " ".join(f"{listed.label.en}: {listed.note.en}" for listed in LISTED_WORK.values())
        of_columns[URGENCY] = described(INTEGER, f"In minor units of the currency times days. {notes}")
    return {
        **of_columns,
        "currency": CURRENCY,
        "due_assumed": described(
            BOOLEAN, "Whether its due date is assumed from acceptance or sending plus the payment term."
        ),
    }


def listed_certificate() -> Schema:
    """The schema of a row of the list: only what is requested is answered."""
    columns = (*LIST_COLUMNS, EXPECTED, *WORK_COLUMNS)
    optional = [column.name for column in columns if column.name != "currency"]
    return object_of(_values(columns), optional=optional)


def listed_totals() -> Schema:
    """The schema of what a list sums to."""
    expected = described(INTEGER, "What is expected; absent where nothing can be estimated.")
    amounts = object_of(
        {"currency": CURRENCY, **dict.fromkeys(SUMMED_COLUMNS, _AMOUNT), EXPECTED.name: expected},
        optional=[EXPECTED.name],
    )
    return object_of(
        {
            "count": described(INTEGER, "How many certificates the list has."),
            "credit_notes": described(INTEGER, "How many of them are credit notes."),
            "amounts": described(
                list_of(amounts), "What they sum to in each currency, without what is cancelled."
            ),
        }
    )


def _detail(values: dict[str, Schema]) -> Schema:
    """The schema of a single certificate, given those of its row in the list."""
    assumed = described(BOOLEAN, "Whether the approved amount is missing: the proposed one stands in.")
    gap = described(INTEGER, "Of the first one, days since issue: negative where it was paid before.")
    milestone = {"milestone": one_of(MILESTONES), "on": DAY, "days_since_previous": gap}
    usual = {
        "days": described(NUMBER, "The median."),
        "count": described(INTEGER, "Of how many certificates."),
        "of_client": described(BOOLEAN, "Whether they are the client's own: else those of all clients."),
    }
    stage = {
        "stage": one_of(DETAIL_DAYS),
        "days": INTEGER,
        "running": described(BOOLEAN, "Whether it is in the stage still: so far."),
        "usual": or_null(object_of(usual, description="Of what was over in the last twelve months.")),
    }
    month = {
        "month": MONTH,
        "paid_by_end": described(NUMBER, "Chance that it is paid by the month's end."),
        "expected": described(INTEGER, "What is expected of it in the month, in minor units."),
    }
    next_days = {
        "days": INTEGER,
        "paid": described(NUMBER, "Chance that it is paid in these days."),
        "expected": described(INTEGER, "What is expected of it then, in minor units."),
    }
    outlook = {
        "rule": one_of(ForecastRule),
        "reason": one_of(ForecastReason),
        "months": described(list_of(object_of(month)), "Empty where there is no estimate."),
        "next_days": described(
            or_null(object_of(next_days)), "Of the next days; null where there is no estimate."
        ),
        "likely_by": described(or_null(MONTH), "By its end payment is more likely than not."),
        "nearly_certain_by": described(or_null(MONTH), "By its end the chance of payment is 90%."),
    }
    whole = {
        "certificate": object_of({**values, APPROVED_ASSUMED: assumed}),
        "milestones": described(list_of(object_of(milestone)), "Those with a date, up to the business date."),
        "stages": described(list_of(object_of(stage)), "Days of each stage that it went through or is in."),
        "outlook": or_null(object_of(outlook, description="Null of what is not receivable.")),
    }
    return object_of(whole, description="A single certificate.")


def _of(column: ListColumn) -> Schema:
    if column.name == "expected_days":
        return or_null(NUMBER)
    if column.kind is Kind.DAYS or column.name in _UNKNOWN:
        return or_null(INTEGER)
    return INTEGER if column.kind is Kind.MONEY else OF_KIND[column.kind]

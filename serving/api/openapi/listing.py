"""The schemas of the list of certificates, from its declared columns."""

from typing import Final

from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listing import LIST_COLUMNS, LIST_STANDINGS, SUMMED_COLUMNS
from serving.api.openapi.json_schema import (
    BOOLEAN,
    CURRENCY,
    INTEGER,
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

_AMOUNT: Final = described(INTEGER, "In minor units of the currency.")


def list_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    columns = {column.name: described(_of(column.kind), column.meaning.en) for column in LIST_COLUMNS}
    certificate = object_of(
        {
            **columns,
            "currency": CURRENCY,
            "due_assumed": described(
                BOOLEAN, "Whether its due date is assumed from acceptance or sending plus the payment term."
            ),
        },
        # Only what is requested is answered.
        optional=[name for name in columns if name != "currency"],
    )
    amounts = object_of({"currency": CURRENCY, **dict.fromkeys(SUMMED_COLUMNS, _AMOUNT)})
    totals = object_of(
        {
            "count": described(INTEGER, "How many certificates the list has."),
            "credit_notes": described(INTEGER, "How many of them are credit notes."),
            "amounts": described(
                list_of(amounts), "What they sum to in each currency, without what is cancelled."
            ),
        }
    )
    page = {
        "certificates": list_of(certificate),
        "totals": totals,
        "standing": list_of(one_of(standing.name for standing in LIST_STANDINGS)),
        "search": TEXT,
        "sort": TEXT,
        "offset": INTEGER,
        "limit": INTEGER,
    }
    return {CERTIFICATE_PAGE: object_of(page, description="A page of the list of certificates.")}


def _of(kind: Kind) -> Schema:
    if kind is Kind.DAYS:
        return or_null(INTEGER)
    return INTEGER if kind is Kind.MONEY else OF_KIND[kind]

"""The canonical certificate: its columns, and why a row may be refused."""

from enum import StrEnum
from typing import Final

import pyarrow as pa

from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS

HISTORY_TYPE: Final = pa.list_(pa.struct([pa.field("day", pa.date32()), pa.field("event", pa.string())]))
"""Events (`states.Event`) by day, the earliest first."""

CERTIFICATE_SCHEMA: Final = pa.schema(
    [
        pa.field("certificate_id", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in COLUMN_DIMENSIONS),
        pa.field("state", pa.string(), nullable=False),
        pa.field("detailed_state", pa.string()),
        pa.field("rejection_reason", pa.string()),
        pa.field("failure_kind", pa.string()),
        pa.field("month", pa.date32(), nullable=False),  # the first day of the billing month
        pa.field("issued_on", pa.date32(), nullable=False),
        pa.field("sent_on", pa.date32()),
        pa.field("conformity_on", pa.date32()),
        pa.field("expected_payment_on", pa.date32()),
        pa.field("paid_on", pa.date32()),
        pa.field("currency", pa.string(), nullable=False),  # ISO 4217
        pa.field("amount_proposed", pa.int64(), nullable=False),  # minor units of the currency
        pa.field(
            "amount_approved", pa.int64(), nullable=False
        ),  # minor units; the proposed one where missing
        pa.field("approved_assumed", pa.bool_(), nullable=False),  # whether it was missing
        pa.field("amount_paid", pa.int64()),  # minor units; null where it is paid whole or not at all
        pa.field("amount_retained", pa.int64()),  # minor units
        pa.field("rework_count", pa.int64()),  # of unknown days; null where nothing says
        pa.field("rejection_count", pa.int64()),  # of unknown days; null where nothing says
        pa.field("history", HISTORY_TYPE),
        pa.field("updated_at", pa.timestamp("us")),
    ]
)
"""One row a certificate. `certificate_id` is unique, also folded; several parts are joined by '/'.

`history` holds every dated event in order, of those certificates alone that were returned, reworked or
cancelled on some day; null of the others, whose dates say all.
"""

DERIVED: Final = ("approved_assumed", "history")
"""Columns that follow from others: a mapping does not name them."""

QUARANTINE_SCHEMA: Final = pa.schema(
    [
        pa.field("row_number", pa.int64(), nullable=False),  # from 1, in extraction order
        pa.field("file", pa.string()),  # below the source's folder; null of a database
        pa.field("line", pa.int64()),  # of the file, from 1; where the row begins
        pa.field("certificate_id", pa.string()),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),  # "code" or "code:column"
        pa.field("raw", pa.string(), nullable=False),  # the source row as JSON
    ]
)
"""One row a refused source row."""


CONFLICT_SCHEMA: Final = pa.schema(
    [
        pa.field("certificate_id", pa.string(), nullable=False),
        pa.field("conflict", pa.string(), nullable=False),  # one of `model.conflicts.Conflict`
        pa.field("day", pa.date32(), nullable=False),  # from which on the two disagree
    ]
)
"""One row a conflict of an accepted certificate."""


class Reason(StrEnum):
    """Why a source row is refused; `REASON_ADVICE` says what to do about it."""

    MISSING = "missing"
    DUPLICATE = "duplicate_certificate"
    CONTRADICTED = "contradicted_certificate"
    DUPLICATE_COST = "duplicate_cost"
    CONTRADICTED_COST = "contradicted_cost"
    GARBLED = "garbled_text"
    UNKNOWN_STATE = "unknown_state"
    UNKNOWN_KIND = "unknown_kind"
    BAD_DATE = "bad_date"
    BAD_AMOUNT = "bad_amount"
    BAD_NUMBER = "bad_number"
    UNKNOWN_CURRENCY = "unknown_currency"
    DATE_OUT_OF_RANGE = "date_out_of_range"
    DATES_OUT_OF_ORDER = "dates_out_of_order"


REASON_ADVICE: Final[dict[Reason, str]] = {
    Reason.MISSING: "fill the column in the source, or give it a default in the mapping file",
    Reason.DUPLICATE: "a copy or an older version of another row, which is kept: check the mapping file's "
    "certificate_id and its query's joins",
    Reason.CONTRADICTED: "rows of one certificate_id differ, and none is updated last: correct the source, "
    "or name its updated_at column in the mapping file",
    Reason.DUPLICATE_COST: "a copy of another cost, which is kept: check [costs] in the mapping file and its "
    "query's joins",
    Reason.CONTRADICTED_COST: "rows of one cost_id differ: correct the source, or the columns under [costs]",
    Reason.GARBLED: "a control character is in the name: correct it, or the encoding that it was written in",
    Reason.UNKNOWN_STATE: "add the word under [states] in the mapping file",
    Reason.UNKNOWN_KIND: "add the word under [costs.kinds] in the mapping file",
    Reason.BAD_DATE: "add the format under [dates] in the mapping file, or correct the source",
    Reason.BAD_AMOUNT: "set the marks under [amounts] in the mapping file, or correct the source",
    Reason.BAD_NUMBER: "the column must hold a whole number",
    Reason.UNKNOWN_CURRENCY: "add the word under [currencies] in the mapping file, or use an ISO 4217 code",
    Reason.DATE_OUT_OF_RANGE: "dates must lie between 1990 and 2100",
    Reason.DATES_OUT_OF_ORDER: "conformity cannot precede sending: correct the source",
}

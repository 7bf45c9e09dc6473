"""The rules a source row must meet, as a table: reason, column and SQL condition.

Conditions are over the read rows that `compute.normalise` and `compute.normalise_costs` make: for each
canonical column its value (null when empty or unreadable) and, where it is not plain text,
`<column>_given`: true when the source or a default gives something to read. A row is refused for every
rule whose condition is true; unknown counts as false.
"""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.certificates import Reason

FIRST_DAY: Final = "DATE '1990-01-01'"
LAST_DAY: Final = "DATE '2100-12-31'"

DAYS: Final = ("issued_on", "sent_on", "conformity_on", "expected_payment_on", "paid_on")
"""Canonical columns of a certificate that are dates, `month` apart."""

COST_DAYS: Final = ("invoiced_on", "due_on", "paid_on")
"""Canonical columns of a cost that are dates."""

AMOUNTS: Final = ("amount_proposed", "amount_approved")
COUNTS: Final = ("rework_count", "rejection_count")
PLAIN_TEXT: Final = frozenset({"certificate_id", "client", "cost_id"})
"""Required columns that any text satisfies."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to be refused.

    Attributes:
        reason: The reason given.
        column: The canonical column at fault; None when it is the row.
        condition: SQL that is true of a refused row.
    """

    reason: Reason
    column: str | None
    condition: str

    @property
    def code(self) -> str:
        """What quarantine shows: `reason` or `reason:column`."""
        return self.reason.value if self.column is None else f"{self.reason.value}:{self.column}"


def _missing(column: str) -> Rule:
    given = f"{column} IS NOT NULL" if column in PLAIN_TEXT else f"{column}_given"
    return Rule(Reason.MISSING, column, f"NOT ({given})")


def _unreadable(reason: Reason, column: str) -> Rule:
    return Rule(reason, column, f"{column}_given AND {column} IS NULL")


def _bad_amount(column: str) -> Rule:
    # Without a known currency an amount has no decimals to be read by: that is reason enough.
    readable = f"(currency IS NOT NULL OR {column}_plain IS NULL)"
    return Rule(Reason.BAD_AMOUNT, column, f"{column}_given AND {column} IS NULL AND {readable}")


def _out_of_range(column: str) -> Rule:
    return Rule(Reason.DATE_OUT_OF_RANGE, column, f"{column} < {FIRST_DAY} OR {column} > {LAST_DAY}")


RULES: Final[tuple[Rule, ...]] = (
    _missing("certificate_id"),
    _missing("client"),
    _missing("issued_on"),
    _missing("amount_proposed"),
    _missing("state"),
    _missing("currency"),
    Rule(Reason.DUPLICATE, None, "is_superseded"),
    _unreadable(Reason.UNKNOWN_STATE, "state"),
    _unreadable(Reason.UNKNOWN_CURRENCY, "currency"),
    *(_unreadable(Reason.BAD_DATE, column) for column in (*DAYS, "month", "updated_at")),
    *(_bad_amount(column) for column in AMOUNTS),
    *(_unreadable(Reason.BAD_NUMBER, column) for column in COUNTS),
    *(_out_of_range(column) for column in DAYS),
    Rule(
        Reason.DATE_OUT_OF_RANGE,
        "month",
        f"month_given AND (month < {FIRST_DAY} OR month > {LAST_DAY})",
    ),
    Rule(Reason.DATES_OUT_OF_ORDER, "conformity_on", "conformity_on < sent_on"),
    Rule(Reason.DATES_OUT_OF_ORDER, "paid_on", "paid_on < issued_on"),
)
"""The rules of certificates."""

COST_RULES: Final[tuple[Rule, ...]] = (
    _missing("cost_id"),
    _missing("invoiced_on"),
    _missing("amount"),
    _missing("kind"),
    _missing("currency"),
    Rule(Reason.DUPLICATE_COST, None, "is_superseded"),
    _unreadable(Reason.UNKNOWN_KIND, "kind"),
    _unreadable(Reason.UNKNOWN_CURRENCY, "currency"),
    *(_unreadable(Reason.BAD_DATE, column) for column in COST_DAYS),
    _bad_amount("amount"),
    *(_out_of_range(column) for column in COST_DAYS),
)
"""The rules of costs. One may be paid before it is invoiced: suppliers are paid in advance."""

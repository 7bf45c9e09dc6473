"""What is to be collected, and what corrected and sent: certificate by certificate, the most urgent first."""

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.quotients import Data, exact
from kpi_pipeline.audit.recomputation.standing import RETURNED, UNSENT
from kpi_pipeline.audit.recomputation.variant import Variant

TOP = 20
FEWEST = 5
LARGEST = 2**53 - 1


def collect_today(variant: Variant) -> list[Data]:
    """The most urgent certificates that are owed and late, of each currency."""
    return _most_urgent(variant, to_collect(variant))


def to_collect(variant: Variant) -> list[Data]:
    """All certificates that are owed and late."""
    found = []
    for one in variant.certificate_states:
        if one.is_issued and (one.is_overdue or one.is_critical):
            waits, whose = further_days(variant.oracle.payments, one)
            sent = one.sent
            found.append(
                {
                    **_head(one),
                    "why": f"{_arrears(one)}_{whose}",
                    "sent_on": sent.isoformat() if sent else None,
                    "days": (one.day - sent).days if sent else None,
                    "overdue_days": one.overdue_days if one.is_overdue else None,
                    "expected_days": exact(sum(waits), len(waits)),
                    "urgency": min(max(one.outstanding, 0) * sum(waits) // len(waits), LARGEST),
                }
            )
    return found


def correct_and_resend(variant: Variant) -> list[Data]:
    """The most urgent certificates that lie with the firm, of each currency."""
    return _most_urgent(variant, to_correct(variant))


def to_correct(variant: Variant) -> list[Data]:
    """All certificates that lie with the firm."""
    found = []
    for one in variant.certificate_states:
        if one.is_issued and one.is_counted and one.standing in {RETURNED, UNSENT}:
            lying = one.age if one.returned_days is None else one.returned_days
            found.append(
                {
                    **_head(one),
                    "why": _lying(one),
                    "rejection_reason": one.row["rejection_reason"] if one.standing == RETURNED else None,
                    "returned_days": one.returned_days,
                    "age_days": one.age,
                    "urgency": min(max(one.outstanding, 0) * max(lying, 1), LARGEST),
                }
            )
    return found


def oldest_open(variant: Variant) -> list[Data]:
    """What is owed the longest, of each currency; of equals the largest."""
    owed = [
        one for one in variant.certificate_states if one.is_issued and one.is_counted and one.is_receivable
    ]
    found = []
    for code in variant.oracle.currencies:
        of_currency = [one for one in owed if one.currency == code]
        of_currency.sort(key=lambda one: (-one.age, -one.outstanding, one.row["certificate_id"]))
        for one in of_currency[:1]:
            head = {
                name: _head(one)[name]
                for name in ("certificate_id", "project", "client", "currency", "amount")
            }
            overdue = one.overdue_days if one.is_overdue else None
            found.append({**head, "age_days": one.age, "overdue_days": overdue})
    return found


def further_days(payments: list[tuple[str, int]], one: CertificateState) -> tuple[list[int], str]:
    """How much longer than the age of a certificate payments took, and whose: its client's, if enough."""
    age, mine = one.age, one.values["client"]
    longer = [(client, days - age) for client, days in payments if days > age]
    own = [days for client, days in longer if client == mine]
    if len(own) >= FEWEST:
        return own, "client"
    return ([days for _, days in longer], "all") if longer else ([max(age, 1)], "longest")


def _head(one: CertificateState) -> Data:
    names = ("project", "client", "project_manager", "state")
    return {
        "certificate_id": one.row["certificate_id"],
        **{name: one.values[name] for name in names},
        "currency": one.currency,
        "amount": one.outstanding,
    }


def _arrears(one: CertificateState) -> str:
    if one.is_overdue and one.is_critical:
        return "overdue_and_critical"
    return "overdue" if one.is_overdue else "critical"


def _lying(one: CertificateState) -> str:
    if one.standing == UNSENT:
        return "unsent"
    dated = "returned" if one.returned_days is not None else "returned_undated"
    return f"{dated}_for_reason" if one.row["rejection_reason"] is not None else dated


def _most_urgent(variant: Variant, found: list[Data]) -> list[Data]:
    found.sort(key=lambda row: (-row["urgency"], -row["amount"], row["certificate_id"]))
    return [
        row
        for code in variant.oracle.currencies
        for row in [row for row in found if row["currency"] == code][:TOP]
    ]

"""Ageing, stages and the tables of pages."""

from typing import Any

from .certificate_states import BUCKETS, DUE_BUCKETS, CertificateState
from .figures import Data, Variant, exact
from .measures import COSTS
from .rankings import Sums, broken, by_value, ranked

STAGES = {
    "issue_to_sent": "sending_days",
    "sent_to_conformity": "acceptance_days",
    "conformity_to_payment": "settling_days",
}


def ageing(variant: Variant) -> list[Data]:
    """Open items by age and by days past due."""

    def buckets(unpaid: list[CertificateState], labels: tuple[str, ...], name: str) -> list[Data]:
        whole = sum(one.outstanding for one in unpaid)
        found = []
        for label in labels:
            amounts = [one.outstanding for one in unpaid if getattr(one, name) == label]
            found.append(
                {
                    "bucket": label,
                    "amount": sum(amounts),
                    "count": len(amounts),
                    "share": exact(sum(amounts), whole),
                }
            )
        return found

    lines = []
    for code in variant.currencies:
        unpaid = [one for one in variant.certificate_states if one.currency == code and one.is_open]
        lines.append(
            {
                "currency": code,
                "by_issue": buckets(unpaid, tuple(BUCKETS), "bucket"),
                "by_due": buckets(unpaid, DUE_BUCKETS, "due_bucket"),
            }
        )
    return lines


def stages(variant: Variant) -> Data:
    """Mean days of each stage, and the slowest."""
    found = []
    for stage, name in STAGES.items():
        days = [getattr(one, name) for one in variant.certificate_states if getattr(one, name) is not None]
        found.append({"stage": stage, "days": exact(sum(days), len(days)), "count": len(days)})
    passed = [one for one in found if one["count"]]
    slowest = max(passed, key=lambda one: one["days"])["stage"] if passed else None
    return {"stages": found, "bottleneck": slowest}


def critical_certificates(variant: Variant) -> list[Data]:
    """The twenty most urgent critical certificates."""
    found = sorted(
        (one for one in variant.certificate_states if one.is_critical),
        key=lambda one: (-one.urgency, -one.outstanding, one.row["certificate_id"]),
    )
    return [
        {
            "certificate_id": one.row["certificate_id"],
            "project": one.values["project"],
            "client": one.values["client"],
            "project_manager": one.values["project_manager"],
            "state": one.state,
            "currency": one.currency,
            "amount": one.outstanding,
            "sent_on": one.row["sent_on"].isoformat(),
            "days": one.critical_age,
            "overdue_days": one.overdue_days,
            "urgency": one.urgency,
        }
        for one in found[:20]
    ]


def project_managers(variant: Variant) -> list[Data]:
    """What each project manager's certificates amount to."""
    days = variant.window_days(variant.now)
    window = [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in variant.now.window]
    found = []
    for code in variant.currencies:
        names = (
            "proposed_count",
            "approved_amount",
            "receivable_amount",
            "overdue_amount",
            "critical_amount",
            "decided_proposed_amount",
        )
        managers = by_value(variant, "project_manager", code, names)
        billed = by_value(variant, "project_manager", code, ("approved_amount",), window)
        for name, sums in ranked(managers, lambda sums: sums["approved_amount"])[:30]:
            in_window = billed.get(name, {}).get("approved_amount", 0)
            found.append(
                {
                    "project_manager": name,
                    "currency": code,
                    "certificates": sums["proposed_count"],
                    "approved": sums["approved_amount"],
                    "receivable": sums["receivable_amount"],
                    "overdue": sums["overdue_amount"],
                    "critical": sums["critical_amount"],
                    "approval_rate": exact(sums["approved_amount"], sums["decided_proposed_amount"]),
                    "dso": exact(sums["receivable_amount"] * days, in_window) if days else None,
                }
            )
    return found


def rejection_reasons(variant: Variant) -> list[Data]:
    """Why certificates were rejected."""
    return _most_frequent(
        variant, "reason", lambda one: one.row["rejection_reason"] if one.is_rejected else None
    )


def failure_kinds(variant: Variant) -> list[Data]:
    """What went wrong with certificates that were rejected or sent back."""
    return _most_frequent(
        variant,
        "kind",
        lambda one: one.row["failure_kind"] if one.is_rejected or one.is_reworked else None,
    )


def suppliers(variant: Variant) -> list[Data]:
    """The suppliers that cost most."""
    return _costliest(variant, "supplier", "supplier")


def cost_categories(variant: Variant) -> list[Data]:
    """The categories that cost most."""
    return _costliest(variant, "category", "category")


def profitability(variant: Variant, dimension: str) -> list[Data]:
    """Revenue, cost and margin by the values of a dimension."""
    found = []
    for code in variant.currencies:
        by = by_value(variant, dimension, code, ("approved_amount", *COSTS[:2]))
        for value, sums in ranked(by, lambda sums: abs(sums["approved_amount"]))[:15]:
            found.append({"value": value, "currency": code, **margin(variant, sums)})
    return found


def margin(variant: Variant, sums: Sums) -> Data:
    """Approved billing, costs, and what is left; unknown where there are no costs to know of."""
    approved, costs = sums["approved_amount"], sum(sums[name] for name in COSTS[:2])
    if not variant.has_costs:
        return {"approved": approved, "costs": None, "margin": None, "margin_share": None}
    return {
        "approved": approved,
        "costs": costs,
        "margin": approved - costs,
        "margin_share": exact(approved - costs, approved),
    }


def _most_frequent(variant: Variant, name: str, key: Any) -> list[Data]:
    return [
        {name: value, "currency": code, **sums}
        for code in variant.currencies
        for value, sums in ranked(
            broken(variant, code, key), lambda sums: sums["count"], lambda sums: sums["amount"]
        )[:10]
    ]


def _costliest(variant: Variant, name: str, column: str) -> list[Data]:
    found = []
    for code in variant.currencies:
        sums: dict[str, Sums] = {}
        for cost in variant.costs:
            if cost["currency"] == code:
                one = sums.setdefault(cost[column], {"amount": 0, "count": 0})
                one["amount"] += cost["amount"]
                one["count"] += 1
        found += [
            {name: value, "currency": code, **one}
            for value, one in ranked(sums, lambda one: one["amount"])[:10]
        ]
    return found

"""Ageing, stages and the tables of pages."""

from typing import Any

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.measures import COSTS
from kpi_pipeline.audit.recomputation.quotients import Data, exact, part
from kpi_pipeline.audit.recomputation.ranges import BUCKETS, DUE_BUCKETS
from kpi_pipeline.audit.recomputation.rankings import Sums, broken, by_value, ranked
from kpi_pipeline.audit.recomputation.standing import CANCELLED, RETURNED
from kpi_pipeline.audit.recomputation.variant import Variant

STAGES = {
    "issue_to_sent": "sending_days",
    "sent_to_conformity": "acceptance_days",
    "conformity_to_payment": "settling_days",
}


def ageing(variant: Variant) -> list[Data]:
    """Receivables by age and by days past due."""

    def buckets(owed: list[CertificateState], labels: tuple[str, ...], name: str) -> list[Data]:
        whole = sum(one.outstanding for one in owed)
        found = []
        for label in labels:
            of_it = [one for one in owed if getattr(one, name) == label]
            amount = sum(one.outstanding for one in of_it)
            found.append(
                {
                    "bucket": label,
                    "amount": amount,
                    "count": sum(one.is_counted for one in of_it),
                    "share": part(amount, whole),
                }
            )
        return found

    lines = []
    for code in variant.currencies:
        unpaid = [
            one
            for one in variant.certificate_states
            if one.currency == code and one.is_receivable and one.is_issued
        ]
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
    window = Window(None, variant.oracle.as_of) if variant.is_cohort else variant.oracle.windows[0]
    for stage, name in STAGES.items():
        ended = {"sending_days": "sent", "acceptance_days": "conformity", "settling_days": "paid_on"}[name]
        days = [
            getattr(one, name)
            for one in variant.certificate_states
            if getattr(one, name) is not None and getattr(one, ended) in window
        ]
        found.append({"stage": stage, "days": exact(sum(days), len(days)), "count": len(days)})
    passed = [one for one in found if one["count"]]
    slowest = max(passed, key=lambda one: one["days"] or 0)["stage"] if passed else None
    return {"stages": found, "bottleneck": slowest}


def project_managers(variant: Variant) -> list[Data]:
    """What each project manager's certificates amount to."""
    days = variant.window_days(0)
    found = []
    for code in variant.currencies:
        names = (
            "proposed_count",
            "approved_amount",
            "receivable_amount",
            "overdue_amount",
            "critical_amount",
            "decided_proposed_amount",
            "billed_amount",
        )
        managers = by_value(variant, "project_manager", code, names)
        for name, sums in ranked(managers, lambda sums: sums["approved_amount"])[:30]:
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
                    "dso": exact(sums["receivable_amount"] * days, sums["billed_amount"]) if days else None,
                }
            )
    return found


def rejection_reasons(variant: Variant) -> list[Data]:
    """Why certificates were rejected."""
    return _most_frequent(
        variant,
        "reason",
        lambda one: one.row["rejection_reason"] if one.standing == RETURNED and one.is_issued else None,
    )


def failure_kinds(variant: Variant) -> list[Data]:
    """What went wrong with certificates that were rejected or sent back."""
    window = Window(None, variant.oracle.as_of) if variant.is_cohort else variant.oracle.windows[0]

    def kind(one: CertificateState) -> str | None:
        reworked = one.standing != CANCELLED and one.is_reworked and one.issued in window
        went_wrong = one.standing == RETURNED or reworked
        return one.row["failure_kind"] if one.is_issued and went_wrong else None

    return _most_frequent(variant, "kind", kind)


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
            found.append({"value": value, "currency": code, **margin(variant, code, sums)})
    return found


def margin(variant: Variant, code: str, sums: Sums) -> Data:
    """Approved billing, costs, and what is left; unknown where there are no costs to know of."""
    approved, costs = sums["approved_amount"], sum(sums[name] for name in COSTS[:2])
    if not variant.knows_costs(code):
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

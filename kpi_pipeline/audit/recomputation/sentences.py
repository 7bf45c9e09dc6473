"""The sentence of each chart: which one is said of a currency, and with which values."""

from collections.abc import Mapping, Sequence

from kpi_pipeline.audit.recomputation.quotients import Data, exact, part
from kpi_pipeline.audit.recomputation.rankings import Ranked, Sums, largest, total

Say = Data | None


def _said(code: str, sentence: str, **values: object) -> Data:
    return {"currency": code, "sentence": sentence, "values": values}


def monthly_trend(
    code: str, since: str, until: str, proposed: int, approved: int, paid: int, dso: float | None
) -> Say:
    """The sums of the months, and DSO where it exists."""
    values = {"since": since, "until": until, "proposed": proposed, "approved": approved, "paid": paid}
    if dso is None:
        return _said(code, "totals", **values)
    return _said(code, "totals_and_dso", **values, dso=dso)


def ageing(code: str, buckets: Sequence[Data]) -> Say:
    """How much is oldest; where nothing is, how old most of it is."""
    if sum(one["amount"] for one in buckets) <= 0:
        return None
    oldest = buckets[-1]
    if oldest["amount"] > 0 and oldest["share"] is not None:
        return _said(code, "oldest", share=oldest["share"], amount=oldest["amount"])
    most = max(buckets, key=lambda one: one["amount"])
    if oldest["count"] or most["share"] is None:
        return None
    return _said(code, "none_oldest", bucket=most["bucket"], share=most["share"])


def states(code: str, amounts: Mapping[str, int]) -> Say:
    """In which state most is."""
    whole = sum(amounts.values())
    if whole <= 0:
        return None
    state = max(amounts, key=lambda one: amounts[one])
    return _said(code, "largest", state=state, amount=amounts[state], share=exact(amounts[state], whole))


def performance(code: str, found: Mapping[str, Sums], dimension: str, leader: str) -> Say:
    """Who has most approved, and who is most overdue."""
    whole = total(found.items())
    if not found or whole["approved_amount"] <= 0:
        return None
    name, approved = largest(found, "approved_amount")
    values = {dimension: name, "share": exact(approved, whole["approved_amount"]), "approved": approved}
    late, overdue = largest(found, "overdue_amount")
    if overdue <= 0:
        return _said(code, "leader", **values)
    most = 2 * overdue > whole["overdue_amount"]
    sentence = "leader_and_most_overdue" if most else "leader_and_overdue"
    return _said(code, sentence, **values, **{leader: late}, overdue=overdue)


def concentration(code: str, order: Ranked) -> Say:
    """Who owes most, and how much the three largest owe."""
    amounts = [sums["receivable_amount"] for _, sums in order]
    whole = sum(amounts)
    if whole <= 0:
        return None
    share, of_three = part(amounts[0], whole), part(sum(amounts[:3]), whole)
    if share is None:
        return None
    values = {"client": order[0][0], "share": share, "amount": amounts[0]}
    if len(amounts) < 4 or of_three is None:
        return _said(code, "top", **values)
    return _said(code, "top_three", **values, three_share=of_three)


def cash_flow(code: str, months: Sequence[str], line: Data, collected: int, whole: int) -> Say:
    """What is expected in the first whole month, or else in the first one in which anything is."""
    expected = line["expected"]
    if line["basis"]["rule"] == "none":
        return _said(code, "no_forecast", collected=collected)
    order = [whole, *range(len(expected))]
    at = next((at for at in order if expected[at] > 0), None)
    if at is None:
        return _said(code, "nothing_expected", collected=collected)
    values = {"month": months[at], "amount": expected[at]}
    ends = {"low": line["low_90"][at], "high": line["high_90"][at]}
    return _said(code, "expected", **values, **ends, total=sum(expected))


def opex_capex(code: str, since: str, until: str, opex: int, capex: int) -> Say:
    """How costs are split."""
    if opex + capex <= 0:
        return None
    share = exact(opex, opex + capex)
    return _said(code, "split", since=since, until=until, share=share, opex=opex, capex=capex)


def margin_by_project(code: str, found: Mapping[str, Sums]) -> Say:
    """Which project earns most, and how many lose."""
    margins = {
        project: {"margin": sums["approved_amount"] - sums["cost_opex_amount"] - sums["cost_capex_amount"]}
        for project, sums in found.items()
    }
    if not margins:
        return None
    project, margin = largest(margins, "margin")
    losing = sum(one["margin"] < 0 for one in margins.values())
    if not losing:
        return _said(code, "none_loses", project=project, margin=margin)
    return _said(code, "some_lose", losing=losing, projects=len(margins), project=project, margin=margin)


def stages(found: Data, whole: float) -> Say:
    """Which stage is slowest."""
    if whole <= 0:
        return None
    slowest = found["bottleneck"]
    days = next(one["days"] for one in found["stages"] if one["stage"] == slowest)
    return {"sentence": "bottleneck", "values": {"stage": slowest, "days": days, "total": whole}}


def payment_heatmap(code: str, order: Ranked, months: Mapping[str, int]) -> Say:
    """When most was paid, and by whom."""
    if sum(months.values()) <= 0:
        return None
    best = max(months, key=lambda one: (months[one], one))
    client, paid = order[0][0], sum(order[0][1].values())
    return _said(code, "best_month", month=best, amount=months[best], client=client, paid=paid)


def kpi_trend(code: str, months: Sequence[str], dso: Sequence[float | None]) -> Say:
    """How DSO has gone."""
    known = [(text, value) for text, value in zip(months, dso, strict=True) if value is not None]
    if not known or dso[-1] is None:
        return None
    (since, before), now = known[0], dso[-1]
    if before == now:
        return _said(code, "dso_level", now=now, since=since)
    return _said(code, "dso_better" if before > now else "dso_worse", before=before, now=now, since=since)

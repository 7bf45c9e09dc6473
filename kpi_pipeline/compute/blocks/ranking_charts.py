"""Charts by client, project manager and project: the largest few, and all others together."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import (
    Columns,
    Sentence,
    charts_by_variant,
    sentences_by_variant,
)
from kpi_pipeline.compute.blocks.ranking import Ranking
from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.group_sums import GroupSums
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import Data, names_at, parts, quotients, values_or_none
from kpi_pipeline.model.kpis import TREND_MONTHS

_TOP: Final = 10
_TOP_OF_HEATMAP: Final = 8
_AMOUNTS: Final = ("approved", "receivable", "overdue")


def client_performance(slice_: Slice) -> list[Data]:
    """Approved, receivable and overdue amounts of each client, and its mean days of payment."""
    return _performance(
        slice_, "client", "overdue_client", "payment_days", ("payment_days", "payment_days_count")
    )


def manager_performance(slice_: Slice) -> list[Data]:
    """Approved, receivable and overdue amounts of each project manager, and the approval rate."""
    rate = ("approved_amount", "decided_proposed_amount")
    return _performance(slice_, "project_manager", "overdue_manager", "approval_rate", rate)


def concentration(slice_: Slice) -> list[Data]:
    """The receivable of each client, and the cumulative share up to it.

    Clients to whom more is owed than they owe come last and have no share; while the others together owe more
    than all, neither have those.
    """
    group_sums = slice_.group_sums("client", ("receivable_amount",))
    ranking = Ranking.of(group_sums, group_sums.sums[:, 0])
    totals = ranking.totals()[:, 0]
    clients = names_at(slice_.values("client"), ranking.value[ranking.starts])
    owed = ranking.sums[ranking.starts, 0]
    three = ranking.first(3).totals()[:, 0]
    sentences: list[Sentence | None] = []
    for client, amount, share, three_share, total, debtors in zip(
        clients,
        owed.tolist(),
        parts(owed, totals),
        parts(three, totals),
        totals.tolist(),
        ranking.sizes.tolist(),
        strict=True,
    ):
        values = {"client": client, "share": share, "amount": amount}
        if total <= 0 or share is None:
            sentences.append(None)
        elif debtors > 3 and three_share is not None:
            sentences.append(("top_three", {**values, "three_share": three_share}))
        else:
            sentences.append(("top", values))
    top = ranking.with_others(_TOP)
    running = np.cumsum(top.sums[:, 0])
    before = (running - top.sums[:, 0])[top.starts]
    # A total that is not positive has no shares.
    whole = np.where(top.sums[:, 0] < 0, 0, np.maximum(totals, 0)[top.group])
    columns: Columns = {
        "client": names_at(slice_.values("client"), top.value),
        "currency": names_at(slice_.currencies, top.currency),
        "receivable": top.sums[:, 0].tolist(),
        "cumulative_share": parts(running - before[top.group], whole),
    }
    of_variant = sentences_by_variant(
        slice_, ranking.variant[ranking.starts], ranking.currency[ranking.starts], sentences
    )
    return charts_by_variant(slice_, top.variant, columns, top.sums[:, 0] != 0, of_variant)


def margin_by_project(slice_: Slice) -> list[Data]:
    """Revenue, cost and margin of each project; cost is unknown where costs lack a dimension filtered by."""
    group_sums = slice_.group_sums("project", ("approved_amount", "cost_opex_amount", "cost_capex_amount"))
    revenue, cost = group_sums.sums[:, 0], group_sums.sums[:, 1] + group_sums.sums[:, 2]
    sums = np.stack([revenue, cost, revenue - cost], axis=1)
    rows = GroupSums(group_sums.variant, group_sums.value, group_sums.currency, sums)
    best = Ranking.of(rows, sums[:, 2])
    leaders = best.starts
    losing = np.add.reduceat((best.sums[:, 2] < 0).astype(np.int64), leaders)
    sentences: list[Sentence | None] = []
    for project, margin, losers, projects, known in zip(
        names_at(slice_.values("project"), best.value[leaders]),
        best.sums[leaders, 2].tolist(),
        losing.tolist(),
        best.sizes.tolist(),
        slice_.has_costs[best.variant[leaders], best.currency[leaders]].tolist(),
        strict=True,
    ):
        values = {"project": project, "margin": margin}
        if not known:
            sentences.append(None)
        elif losers:
            sentences.append(("some_lose", {"losing": losers, "projects": projects, **values}))
        else:
            sentences.append(("none_loses", values))
    top = Ranking.of(rows, revenue).with_others(_TOP)
    known_cost = slice_.has_costs[top.variant, top.currency]
    columns: Columns = {
        "project": names_at(slice_.values("project"), top.value),
        "currency": names_at(slice_.currencies, top.currency),
        "revenue": top.sums[:, 0].tolist(),
        "cost": values_or_none(top.sums[:, 1], known_cost),
        "margin": values_or_none(top.sums[:, 2], known_cost),
        "margin_share": quotients(top.sums[:, 2], top.sums[:, 0] * known_cost),
    }
    drawn = (top.sums[:, 0] != 0) | (top.sums[:, 1] != 0)
    of_variant = sentences_by_variant(slice_, best.variant[leaders], best.currency[leaders], sentences)
    return charts_by_variant(slice_, top.variant, columns, drawn, of_variant)


def payment_heatmap(slice_: Slice) -> list[Data]:
    """The collections of each month of the trend from the clients who paid most."""
    ranking = _collections(slice_)
    of_client = ranking.sums.sum(axis=1)
    by_month = ranking.totals()
    # The latest of equals: the first one from the end.
    best = TREND_MONTHS - 1 - by_month[:, ::-1].argmax(axis=1)
    leaders = ranking.starts
    sentences: list[Sentence | None] = [
        ("best_month", {"month": month, "amount": amount, "client": client, "paid": paid})
        if total > 0
        else None
        for total, month, amount, client, paid in zip(
            by_month.sum(axis=1).tolist(),
            [slice_.trend_months[place] for place in best.tolist()],
            by_month[np.arange(len(best)), best].tolist(),
            names_at(slice_.values("client"), ranking.value[leaders]),
            of_client[leaders].tolist(),
            strict=True,
        )
    ]
    top = ranking.first(_TOP_OF_HEATMAP)
    columns: Columns = {
        "client": names_at(slice_.values("client"), np.repeat(top.value, TREND_MONTHS)),
        "month": slice_.trend_months * len(top.variant),
        "currency": names_at(slice_.currencies, np.repeat(top.currency, TREND_MONTHS)),
        "amount": top.sums.ravel().tolist(),
    }
    of_variant = sentences_by_variant(slice_, ranking.variant[leaders], ranking.currency[leaders], sentences)
    rows = np.repeat(top.variant, TREND_MONTHS)
    return charts_by_variant(slice_, rows, columns, top.sums.ravel() != 0, of_variant)


def _collections(slice_: Slice) -> Ranking:
    """Clients by their payments in the months of the trend; their sums are those of each month."""
    group_sums = slice_.trend_group_sums("client", "paid_amount")
    clients = max(len(slice_.values("client")), 1)
    key = (group_sums.variant * len(slice_.currencies) + group_sums.currency) * clients + group_sums.value
    held, row = np.unique(key, return_inverse=True)
    sums = np.zeros((len(held), TREND_MONTHS), np.int64)
    np.add.at(sums, (row, group_sums.month), group_sums.amount)
    group, value = np.divmod(held, clients)
    variant, currency = np.divmod(group, max(len(slice_.currencies), 1))
    # Payments that cancel each other out in every month are none.
    kept = sums.any(axis=1)
    found = GroupSums(variant[kept], value[kept], currency[kept], sums[kept])
    return Ranking.of(found, found.sums.sum(axis=1))


def _performance(
    slice_: Slice, dimension: str, overdue_name: str, ratio: str, of: tuple[str, str]
) -> list[Data]:
    """Approved, receivable and overdue amounts and one quotient by the values of a dimension.

    Args:
        slice_: The variants.
        dimension: Whose values stand in the rows.
        overdue_name: What the sentence calls the value with the largest overdue amount.
        ratio: The column of the quotient.
        of: Its components, the upper and the lower one.
    """
    group_sums = slice_.group_sums(dimension, (*(f"{name}_amount" for name in _AMOUNTS), *of))
    ranking = Ranking.of(group_sums, group_sums.sums[:, 0])
    values = slice_.values(dimension)
    top = ranking.with_others(_TOP)
    columns: Columns = {
        dimension: names_at(values, top.value),
        "currency": names_at(slice_.currencies, top.currency),
        **{name: top.sums[:, place].tolist() for place, name in enumerate(_AMOUNTS)},
        ratio: quotients(top.sums[:, 3], top.sums[:, 4]),
    }
    drawn = (top.sums[:, : len(_AMOUNTS)] != 0).any(axis=1)
    leaders = ranking.starts
    # Grouped alike, so that group follows group in both.
    overdue = Ranking.of(group_sums, group_sums.sums[:, 2])
    most = 2 * overdue.sums[leaders, 2] > overdue.totals()[:, 2]
    of_variant = sentences_by_variant(
        slice_,
        ranking.variant[leaders],
        ranking.currency[leaders],
        _leaders(
            dimension,
            overdue_name,
            names_at(values, ranking.value[leaders]),
            ranking.sums[leaders, 0],
            ranking.totals()[:, 0],
            names_at(values, overdue.value[leaders]),
            overdue.sums[leaders, 2],
            most,
        ),
    )
    return charts_by_variant(slice_, top.variant, columns, drawn, of_variant)


def _leaders(
    dimension: str,
    overdue_name: str,
    leaders: list[str],
    approved: Ints,
    whole: Ints,
    owing: list[str],
    overdue: Ints,
    most: Bools,
) -> list[Sentence | None]:
    sentences: list[Sentence | None] = []
    for leader, amount, share, total, debtor, owed, is_most in zip(
        leaders,
        approved.tolist(),
        quotients(approved, whole),
        whole.tolist(),
        owing,
        overdue.tolist(),
        most.tolist(),
        strict=True,
    ):
        values = {dimension: leader, "share": share, "approved": amount}
        if total <= 0:
            sentences.append(None)
        elif owed > 0:
            name = "leader_and_most_overdue" if is_most else "leader_and_overdue"
            sentences.append((name, {**values, overdue_name: debtor, "overdue": owed}))
        else:
            sentences.append(("leader", values))
    return sentences

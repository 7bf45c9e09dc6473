"""The tables of pages: critical certificates, project managers, and profitability."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.ranking import Ranking
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.group_sums import GroupSums
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import (
    Data,
    by_variant,
    names_at,
    quotients,
    rows_of,
    values_or_none,
)

_CRITICAL_ROWS: Final = 20
_MANAGER_ROWS: Final = 30
_PROFITABILITY_ROWS: Final = 15
_CRITICAL_COLUMNS: Final = (
    "certificate_id",
    "project",
    "client",
    "project_manager",
    "state",
    "currency",
    "amount",
    "sent_on",
    "days",
    "overdue_days",
    "urgency",
)
_MANAGER_COMPONENTS: Final = (
    "proposed_count",
    "approved_amount",
    "receivable_amount",
    "overdue_amount",
    "critical_amount",
    "decided_proposed_amount",
)
_PROFITABILITY_DIMENSIONS: Final = ("project", "client", "project_manager")


def critical_certificates(slice_: Slice) -> list[list[Data]]:
    """The most urgent critical certificates of each variant."""
    variant, row = slice_.critical(_CRITICAL_ROWS)
    certificates = {at: _critical(slice_.frame.critical_rows[at]) for at in np.unique(row).tolist()}
    return by_variant(len(slice_.filters), variant, [certificates[at] for at in row.tolist()])


def project_managers(slice_: Slice) -> list[list[Data]]:
    """The figures of each project manager; by currency, the largest approved amount first."""
    group_sums = slice_.group_sums("project_manager", _MANAGER_COMPONENTS)
    approved_sums = group_sums.sums[:, _MANAGER_COMPONENTS.index("approved_amount")]
    ranking = Ranking.of(group_sums, approved_sums).first(_MANAGER_ROWS)
    certificates, approved, receivable, overdue, critical, decided = ranking.sums.T
    billed = _matched(slice_, ranking, slice_.window_group_sums("project_manager", ("approved_amount",)))
    days = slice_.window_days[ranking.variant]
    rows = rows_of(
        {
            "project_manager": names_at(slice_.values("project_manager"), ranking.value),
            "currency": names_at(slice_.currencies, ranking.currency),
            "certificates": certificates.tolist(),
            "approved": approved.tolist(),
            "receivable": receivable.tolist(),
            "overdue": overdue.tolist(),
            "critical": critical.tolist(),
            "approval_rate": quotients(approved, decided),
            # Without days of the window there is no DSO.
            "dso": quotients(receivable, np.where(days > 0, billed, 0), days),
        }
    )
    return by_variant(len(slice_.filters), ranking.variant, rows)


def profitability(slice_: Slice) -> list[Data]:
    """By dimension, the values with the largest approved amounts of each currency, whatever their sign.

    Where the filter names a dimension that costs do not have, costs and margin are None.
    """
    tables = [_profitability(slice_, dimension) for dimension in _PROFITABILITY_DIMENSIONS]
    return rows_of(dict(zip(_PROFITABILITY_DIMENSIONS, tables, strict=True)))


def _profitability(slice_: Slice, dimension: str) -> list[list[Data]]:
    group_sums = slice_.group_sums(dimension, ("approved_amount", "cost_opex_amount", "cost_capex_amount"))
    ranking = Ranking.of(group_sums, np.abs(group_sums.sums[:, 0])).first(_PROFITABILITY_ROWS)
    known = slice_.has_costs[ranking.variant]
    approved, costs = ranking.sums[:, 0], ranking.sums[:, 1] + ranking.sums[:, 2]
    rows = rows_of(
        {
            "value": names_at(slice_.values(dimension), ranking.value),
            "currency": names_at(slice_.currencies, ranking.currency),
            "approved": approved.tolist(),
            "costs": values_or_none(costs, known),
            "margin": values_or_none(approved - costs, known),
            "margin_share": quotients(approved - costs, approved * known),
        }
    )
    return by_variant(len(slice_.filters), ranking.variant, rows)


def _critical(row: Data) -> Data:
    return {name: row[name].isoformat() if name == "sent_on" else row[name] for name in _CRITICAL_COLUMNS}


def _matched(slice_: Slice, ranking: Ranking, group_sums: GroupSums) -> Ints:
    """The sum of `group_sums` at each row of a ranking; 0 where it has none."""
    values, currencies = len(slice_.values("project_manager")), len(slice_.currencies)

    def keys(rows: GroupSums) -> Ints:
        return (rows.variant * values + rows.value) * currencies + rows.currency

    known, wanted = keys(group_sums), keys(ranking)
    place = np.searchsorted(known, wanted)
    matches = np.append(known, -1)[place] == wanted
    sums = np.zeros(len(wanted), np.int64)
    sums[matches] = group_sums.sums[place[matches], 0]
    return sums

"""The tables of pages: critical certificates, project managers, reasons of rejection, kinds of failure."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.json_values import Data, named, quotients, split
from kpi_pipeline.compute.blocks.ranking import Ranking
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.group_sums import GroupSums
from kpi_pipeline.compute.cube.slices import Slice

_CRITICAL: Final = 20
_MANAGERS: Final = 30
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


def critical_certificates(slice_: Slice) -> list[list[Data]]:
    """The most urgent critical certificates of each variant."""
    variant, row = slice_.critical(_CRITICAL)
    made = {at: _critical(slice_.frame.critical_rows[at]) for at in np.unique(row).tolist()}
    return split(len(slice_.filters), variant, [made[at] for at in row.tolist()])


def project_managers(slice_: Slice) -> list[list[Data]]:
    """What each project manager's certificates amount to; by currency, the largest approved first."""
    group_sums = slice_.group_sums("project_manager", _MANAGER_COMPONENTS)
    ranking = Ranking.of(group_sums, group_sums.sums[:, _MANAGER_COMPONENTS.index("approved_amount")]).first(
        _MANAGERS
    )
    certificates, approved, receivable, overdue, critical, decided = ranking.sums.T
    billed = _matched(slice_, ranking, slice_.window_group_sums("project_manager", ("approved_amount",)))
    days = slice_.window_days[ranking.variant]
    _managers, _codes = (
        named(slice_.values("project_manager"), ranking.value),
        named(slice_.currencies, ranking.currency),
    )
    rows = [
        {
            "project_manager": manager,
            "currency": code,
            "certificates": count,
            "approved": accepted,
            "receivable": owed,
            "overdue": late,
            "critical": old,
            "approval_rate": rate,
            "dso": dso,
        }
        for manager, code, count, accepted, owed, late, old, rate, dso in zip(
            named(slice_.values("project_manager"), ranking.value),
            named(slice_.currencies, ranking.currency),
            certificates.tolist(),
            approved.tolist(),
            receivable.tolist(),
            overdue.tolist(),
            critical.tolist(),
            quotients(approved, decided),
            # Without days of the window there is no DSO.
            quotients(receivable, np.where(days > 0, billed, 0), days),
            strict=True,
        )
    ]
    return split(len(slice_.filters), ranking.variant, rows)


def _critical(row: Data) -> Data:
    return {name: row[name].isoformat() if name == "sent_on" else row[name] for name in _CRITICAL_COLUMNS}


def _matched(slice_: Slice, ranking: Ranking, group_sums: GroupSums) -> Ints:
    """The sum of `group_sums` at each row of a ranking; 0 where it has none."""
    values, currencies = len(slice_.values("project_manager")), len(slice_.currencies)

    def keys(rows: GroupSums) -> Ints:
        return (rows.variant * values + rows.value) * currencies + rows.currency

    held, wanted = keys(group_sums), keys(ranking)
    place = np.searchsorted(held, wanted)
    found = np.zeros(len(wanted), np.int64)
    there = np.append(held, -1)[place] == wanted
    found[there] = group_sums.sums[place[there], 0]
    return found

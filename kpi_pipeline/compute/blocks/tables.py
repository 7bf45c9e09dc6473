"""The tables of pages: critical certificates, project managers, reasons of rejection, kinds of failure."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.json_values import Data, named, quotients, split
from kpi_pipeline.compute.blocks.ranking import Ranking
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.group_sums import Parts
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


def critical_certificates(piece: Slice) -> list[list[Data]]:
    """The most urgent critical certificates of each variant."""
    variant, row = piece.critical(_CRITICAL)
    made = {at: _critical(piece.critical_rows[at]) for at in np.unique(row).tolist()}
    return split(len(piece.filters), variant, [made[at] for at in row.tolist()])


def project_managers(piece: Slice) -> list[list[Data]]:
    """What each project manager's certificates amount to; by currency, the largest approved first."""
    parts = piece.parts("project_manager", _MANAGER_COMPONENTS)
    ranking = Ranking.of(parts, parts.sums[:, _MANAGER_COMPONENTS.index("approved_amount")]).first(_MANAGERS)
    certificates, approved, receivable, overdue, critical, decided = ranking.sums.T
    billed = _matched(piece, ranking, piece.window_parts("project_manager", ("approved_amount",)))
    days = piece.window_days[ranking.variant]
    _managers, _codes = (
        named(piece.values("project_manager"), ranking.value),
        named(piece.currencies, ranking.currency),
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
            named(piece.values("project_manager"), ranking.value),
            named(piece.currencies, ranking.currency),
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
    return split(len(piece.filters), ranking.variant, rows)


def _critical(row: Data) -> Data:
    return {name: row[name].isoformat() if name == "sent_on" else row[name] for name in _CRITICAL_COLUMNS}


def _matched(piece: Slice, ranking: Ranking, parts: Parts) -> Ints:
    """The sum of `parts` at each row of a ranking; 0 where it has none."""
    values, currencies = len(piece.values("project_manager")), len(piece.currencies)

    def keys(rows: Parts) -> Ints:
        return (rows.variant * values + rows.value) * currencies + rows.currency

    held, wanted = keys(parts), keys(ranking)
    place = np.searchsorted(held, wanted)
    found = np.zeros(len(wanted), np.int64)
    there = np.append(held, -1)[place] == wanted
    found[there] = parts.sums[place[there], 0]
    return found

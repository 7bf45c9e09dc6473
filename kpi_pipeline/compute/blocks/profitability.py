"""Profitability: revenue, cost and margin by project, client and project manager."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.json_values import Data, known_only, named, quotients, split
from kpi_pipeline.compute.blocks.ranking import Ranking
from kpi_pipeline.compute.cube.slices import Slice

_TOP: Final = 15
_DIMENSIONS: Final = ("project", "client", "project_manager")
_COMPONENTS: Final = ("approved_amount", "cost_opex_amount", "cost_capex_amount")


def profitability(slice_: Slice) -> list[Data]:
    """By dimension, the values with the largest approved amounts of each currency, whatever their sign.

    Where the filter names what costs do not have, costs and margin are None.
    """
    tables = [_by_dimension(slice_, dimension) for dimension in _DIMENSIONS]
    return [dict(zip(_DIMENSIONS, one, strict=True)) for one in zip(*tables, strict=True)]


def _by_dimension(slice_: Slice, dimension: str) -> list[list[Data]]:
    group_sums = slice_.group_sums(dimension, _COMPONENTS)
    ranking = Ranking.of(group_sums, np.abs(group_sums.sums[:, 0])).first(_TOP)
    known = slice_.has_costs[ranking.variant]
    approved, costs = ranking.sums[:, 0], ranking.sums[:, 1] + ranking.sums[:, 2]
    rows = [
        {
            "value": value,
            "currency": code,
            "approved": revenue,
            "costs": spent,
            "margin": margin,
            "margin_share": share,
        }
        for value, code, revenue, spent, margin, share in zip(
            named(slice_.values(dimension), ranking.value),
            named(slice_.currencies, ranking.currency),
            approved.tolist(),
            known_only(costs, known),
            known_only(approved - costs, known),
            quotients(approved - costs, approved * known),
            strict=True,
        )
    ]
    return split(len(slice_.filters), ranking.variant, rows)

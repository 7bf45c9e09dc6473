"""The stages of a certificate's way to its payment, and the slowest of them."""

from typing import Final

from kpi_pipeline.compute.blocks.json_values import Data, quotients
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.model.charts.words import STAGES

_DAYS: Final = dict(zip(STAGES, ("sending_days", "acceptance_days", "settling_days"), strict=True))


def stages(slice_: Slice) -> list[Data]:
    """The mean days of each stage and of how many certificates; the one with the largest mean.

    Where stages take equally long, the bottleneck is the first; where no stage has been passed, there is
    none.
    """
    counts = {stage: slice_.total(f"{days}_count").sum(axis=1) for stage, days in _DAYS.items()}
    means = {stage: quotients(slice_.total(days).sum(axis=1), counts[stage]) for stage, days in _DAYS.items()}
    found = []
    by_variant = zip(
        zip(*means.values(), strict=True),
        zip(*(c.tolist() for c in counts.values()), strict=True),
        strict=True,
    )
    for days, passed in by_variant:
        known = [mean for mean in days if mean is not None]
        found.append(
            {
                "stages": [
                    {"stage": stage, "days": mean, "count": count}
                    for stage, mean, count in zip(STAGES, days, passed, strict=True)
                ],
                "bottleneck": STAGES[days.index(max(known))] if known else None,
            }
        )
    return found

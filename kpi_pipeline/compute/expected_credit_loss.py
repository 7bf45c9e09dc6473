"""Expected loss by a provision matrix: receivables by ageing bucket times historic roll rates."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.frame import CubeFrame
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import DAYS
from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.components import LOSS_COMPONENTS

RATE_UNIT: Final = 10**6
"""A rate of one: rates are whole millionths."""

_LABELS: Final = tuple(label for label, _, _ in AGEING_BUCKETS)
AGEING_COMPONENTS: Final = tuple(f"ageing_{label}_amount" for label in _LABELS)
"""What is receivable in each ageing bucket, in their order."""

_PLACE: Final = {component.name: place for place, component in enumerate(LOSS_COMPONENTS)}


def loss_rates(frame: CubeFrame, day: int) -> list[dict[str, int | None]]:
    """The part of each ageing bucket that ends as lost, by currency, in millionths, as known on a day.

    It is the product of the roll rates of the bucket and the later ones: of the amount unpaid on reaching a
    bucket, the part unpaid on leaving it. Buckets that no debt has passed have no rate.

    Args:
        frame: The encoded tables.
        day: The place of the day.
    """
    by_currency = []
    for sums in frame.losses[day]:
        rates: dict[str, int | None] = {}
        later: int | None = RATE_UNIT
        for label in reversed(_LABELS):
            reached, rolled = (int(sums[_PLACE[f"{end}_{label}_amount"]]) for end in ("reached", "rolled"))
            later = None if later is None or reached <= 0 else rolled * later // reached
            rates[label] = later
        by_currency.append(rates)
    return by_currency


def expected_losses(slice_: Slice) -> tuple[Ints, Bools]:
    """The expected loss of receivables on every day.

    Args:
        slice_: The variants.

    Returns:
        Minor units and where they are known, [V, days, C].
    """
    value = np.zeros((len(slice_), DAYS, len(slice_.currencies)), np.int64)
    there = np.ones(value.shape, np.bool_)
    for day in range(DAYS):
        for place, rates in enumerate(loss_rates(slice_.frame, day)):
            for label, component in zip(_LABELS, AGEING_COMPONENTS, strict=True):
                rate, amount = rates[label], slice_.on_each_day(component)[:, day, place]
                if rate is None:
                    there[:, day, place] &= amount == 0
                else:
                    value[:, day, place] += _part(amount, rate)
    return value, there


def _part(amount: Ints, rate: int) -> Ints:
    whole, rest = np.divmod(amount, RATE_UNIT)
    # As amount * rate // RATE_UNIT, without leaving 64 bits.
    part: Ints = whole * rate + rest * rate // RATE_UNIT
    return part

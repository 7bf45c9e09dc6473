"""Expected loss by a provision matrix: receivables by ageing bucket times historic roll rates."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.cube.encoding import Bools, Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.windows import VALUE, Windows
from kpi_pipeline.model.components import AGEING_BUCKETS, COMPONENT_INDEX

RATE_UNIT: Final = 10**6
"""A rate of one: rates are whole millionths."""

_LABELS: Final = tuple(label for label, _, _ in AGEING_BUCKETS)


def loss_rates(slice_: Slice) -> list[dict[str, int | None]]:
    """The part of each ageing bucket that ends as lost, by currency, in millionths.

    It is the product of the roll rates of the bucket and the later ones: of the amount unpaid on reaching a
    bucket, the part unpaid on leaving it. Buckets that no debt has passed have no rate.

    Args:
        slice_: A slice whose first variant is that of all certificates.
    """
    by_currency = []
    for place in range(len(slice_.currencies)):
        sums = slice_.totals[0, place]
        rates: dict[str, int | None] = {}
        later: int | None = RATE_UNIT
        for label in reversed(_LABELS):
            reached = int(sums[COMPONENT_INDEX[f"reached_{label}_amount"]])
            rolled = int(sums[COMPONENT_INDEX[f"rolled_{label}_amount"]])
            later = None if later is None or reached <= 0 else rolled * later // reached
            rates[label] = later
        by_currency.append(rates)
    return by_currency


def expected_losses(slice_: Slice, windows: Windows) -> tuple[Ints, Bools]:
    """The expected loss of receivables in every window.

    Args:
        slice_: The variants.
        windows: Their windows.

    Returns:
        Minor units and where they are known, [V, windows, C].
    """
    value = np.zeros((*windows.first.shape, len(slice_.currencies)), np.int64)
    there = np.ones(value.shape, np.bool_)
    everywhere = loss_rates(slice_.everything)
    for label in _LABELS:
        name = f"receivable_{label}_amount"
        amounts = slice_.over(name, windows.last, windows.last)
        amounts[:, VALUE] = slice_.total(name)
        for place, rates in enumerate(everywhere):
            rate, amount = rates[label], amounts[..., place]
            if rate is None:
                there[..., place] &= amount == 0
            else:
                value[..., place] += _part(amount, rate)
    return value, there


def _part(amount: Ints, rate: int) -> Ints:
    whole, rest = np.divmod(amount, RATE_UNIT)
    # As amount * rate // RATE_UNIT, without leaving 64 bits.
    part: Ints = whole * rate + rest * rate // RATE_UNIT
    return part

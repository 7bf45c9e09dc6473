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
    """The part of what is in each ageing bucket that ends as lost, by currency, in millionths.

    It is the product of the roll rates from the bucket through the later ones: of what was unpaid when it
    reached a bucket, the part that was unpaid when it left. Buckets that no debt has gone through have none.

    Args:
        slice_: A slice whose first variant is that of all certificates.
    """
    found = []
    for place in range(len(slice_.currencies)):
        sums = slice_.totals[0, place]
        rates: dict[str, int | None] = {}
        later: int | None = RATE_UNIT
        for label in reversed(_LABELS):
            reached = int(sums[COMPONENT_INDEX[f"reached_{label}_amount"]])
            rolled = int(sums[COMPONENT_INDEX[f"rolled_{label}_amount"]])
            later = None if later is None or reached <= 0 else rolled * later // reached
            rates[label] = later
        found.append(rates)
    return found


def expected_losses(slice_: Slice, windows: Windows) -> tuple[Ints, Bools]:
    """What is expected to be lost of receivables at every anchor.

    Args:
        slice_: The variants.
        windows: Theirs.

    Returns:
        Minor units and where they can be told, [V, anchors, C].
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
    found: Ints = whole * rate + rest * rate // RATE_UNIT
    return found

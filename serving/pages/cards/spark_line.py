"""The geometry of small lines over months, with gaps where there is no value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from serving.pages.cards.kpi_values import Number

WIDTH: Final = 120
HEIGHT: Final = 28
_MARGIN: Final = 2


@dataclass(frozen=True, slots=True)
class SparkLine:
    """A line in a box of `WIDTH` x `HEIGHT`.

    Attributes:
        path: The `d` of an SVG path; a value between two gaps is a dot.
        end: Where its last value stands.
    """

    path: str
    end: tuple[float, float]


def spark_line(values: Sequence[Number | None]) -> SparkLine | None:
    """Lay out a line from its least to its largest value.

    Args:
        values: One a month.

    Returns:
        None where there are not two values to compare.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    reach = (high - low) or 1
    across, down = (WIDTH - 2 * _MARGIN) / (len(values) - 1), HEIGHT - 2 * _MARGIN
    # A level line stands in the middle.
    foot = 0.5 if low == high else 0.0
    moves, end, drawing = [], (0.0, 0.0), False
    for place, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        end = (
            round(_MARGIN + place * across, 1),
            round(_MARGIN + down * (1 - foot - (value - low) / reach), 1),
        )
        moves.append(f"{'L' if drawing else 'M'}{end[0]:g},{end[1]:g}" + ("" if drawing else "h0"))
        drawing = True
    return SparkLine("".join(moves), end)

"""Amounts of a bridge as they are drawn: rounded so that what is shown adds up too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from serving.pages.formats import Formats
from serving.pages.writing import Cell

_MILLION: Final = 1_000_000
_TENTHS: Final = 10


def rounded_bridge(opening: int, changes: Sequence[int], unit: int) -> tuple[int, list[int], int]:
    """Round a bridge to a unit by the method of the largest remainder.

    Args:
        opening: The first figure.
        changes: The parts: the first figure plus these is the last.
        unit: To which all are rounded, in that of the amounts.

    Returns:
        The first figure and the last, each to the nearest unit and half up, with the parts between them: each
        rounded down, and those with the largest remainders up. In units; first and parts sum to the last.
    """
    first, last = (_nearest(amount, unit) for amount in (opening, opening + sum(changes)))
    rounded = [change // unit for change in changes]
    left = last - first - sum(rounded)
    by_remainder = sorted(range(len(changes)), key=lambda at: -(changes[at] % unit))
    for at in by_remainder[:left]:
        rounded[at] += 1
    return first, rounded, last


@dataclass(frozen=True, slots=True)
class ShownAmounts:
    """The amounts of one figure of a bridge in one currency.

    Attributes:
        opening: The first figure.
        changes: By part.
        closing: The last figure.
    """

    opening: Cell
    changes: tuple[Cell, ...]
    closing: Cell

    @classmethod
    def of(cls, held: Mapping[str, Any], currency: str, formats: Formats) -> "ShownAmounts":
        """Those of a figure as it is published: tenths of a million from a million on, else whole units."""
        opening, closing = held["opening"]["amount"], held["closing"]["amount"]
        changes = [part["amount"] for part in held["parts"]]
        whole = 10 ** formats.decimals(currency)
        largest = max(map(abs, (opening, closing, *changes)))
        in_millions = largest >= _MILLION * whole
        unit = _MILLION // _TENTHS * whole if in_millions else whole

        def cell(exact: int, units: int, *, signed: bool = False) -> Cell:
            decimals = 1 if in_millions else 0
            shown = formats.scaled_money(units, currency, decimals, in_millions=in_millions)
            plus = "+" if signed and exact > 0 else ""
            return Cell(
                f"{plus}{shown}", f"{plus}{formats.money(exact, currency).full}", is_number=True, order=exact
            )

        first, parts, last = rounded_bridge(opening, changes, unit)
        return cls(
            cell(opening, first),
            tuple(cell(*pair, signed=True) for pair in zip(changes, parts, strict=True)),
            cell(closing, last),
        )


def _nearest(amount: int, unit: int) -> int:
    return (2 * amount + unit) // (2 * unit)

"""Quotients of whole numbers, and the order in which people look for values."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from kpi_pipeline.audit.recomputation.rows import bare

Data = dict[str, Any]


def exact(above: int, below: int) -> float | None:
    """A quotient, rounded once; None where there is nothing to divide by."""
    return float(Fraction(above, below)) + 0.0 if below else None


def part(above: int, below: int) -> float | None:
    """A part of a whole; None where it is none, since credit notes outweigh what they correct."""
    share = exact(above, below)
    return share if share is not None and 0 <= share <= 1 else None


def in_order(values: Iterable[str]) -> list[str]:
    """Values as people look for them."""
    return sorted(values, key=lambda value: (bare(value), value))

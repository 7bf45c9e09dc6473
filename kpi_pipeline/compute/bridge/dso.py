"""How DSO changed between two days, by the parts of what is receivable and by billing.

DSO is receivable ÷ billing of the window × its days. Its change is decomposed by replacing one factor after
another (a polar decomposition: Dietzenbacher and Los, Structural Decomposition Techniques, Economic Systems
Research 10, 1998): first the receivable, part by part, at the daily billing of the first day; then the daily
billing, at the receivable of the last. The parts sum exactly to the change.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from kpi_pipeline.model.bridge import BILLING_PART

Data = dict[str, Any]

TENTHS = 10


class Billing(NamedTuple):
    """What is billed within the window that ends on a day.

    Attributes:
        amount: In minor units, by day of issue.
        days: Of the window, or those since the first certificate where these are fewer; 0 without one.
    """

    amount: int
    days: int


def dso_bridge(opening: Billing, closing: Billing, receivable: Mapping[str, Any]) -> Data:
    """The bridge of DSO, in tenths of a day.

    Both ends are rounded as KPIs are shown, half to even. Each part is rounded down, and those with the
    largest remainders up, so that the first end and the parts give the last.

    Args:
        opening: Of the first day.
        closing: Of the last.
        receivable: The bridge of what is receivable, as `documents` publishes it.

    Returns:
        `opening` and `closing`: `tenths`, None where there is no billing, with `receivable`, `billed` and
        `days`; `parts`, in order: `part`, `tenths`, and `receivable`, by how much it changed that, None of
        billing. No parts where an end has no value.
    """
    before, after = receivable["opening"]["amount"], receivable["closing"]["amount"]
    first, last = _dso(before, opening), _dso(after, closing)
    return {
        "opening": _end(first, before, opening),
        "parts": []
        if first is None or last is None
        else _parts(opening, closing, receivable["parts"], after),
        "closing": _end(last, after, closing),
    }


def _parts(opening: Billing, closing: Billing, moved: Sequence[Mapping[str, Any]], after: int) -> list[Data]:
    rate, later_rate = (Fraction(TENTHS * one.days, one.amount) for one in (opening, closing))
    exact = [part["amount"] * rate for part in moved] + [after * (later_rate - rate)]
    before = after - sum(part["amount"] for part in moved)
    change = round(after * later_rate) - round(before * rate)
    parts = [{"part": part["part"], "tenths": 0, "receivable": part["amount"]} for part in moved] + [
        {"part": BILLING_PART.name, "tenths": 0, "receivable": None}
    ]
    for part, tenths in zip(parts, shared_out(change, exact), strict=True):
        part["tenths"] = tenths
    return parts if exact[-1] or parts[-1]["tenths"] else parts[:-1]


def shared_out(whole: int, exact: Sequence[Fraction]) -> list[int]:
    """Round numbers so that they sum to a whole number, by the method of the largest remainder.

    Args:
        whole: What they are to sum to; less than one for each of them, and one more, from what they do.
        exact: The numbers; of equal remainders the first is rounded up before others.
    """
    rounded = [number.__floor__() for number in exact]
    left = whole - sum(rounded)
    by_remainder = sorted(range(len(exact)), key=lambda at: rounded[at] - exact[at])
    for at in by_remainder[:left] if left >= 0 else by_remainder[left:]:
        rounded[at] += 1 if left > 0 else -1
    return rounded


def _dso(receivable: int, billing: Billing) -> Fraction | None:
    if not billing.amount or not billing.days:
        return None
    return Fraction(TENTHS * receivable * billing.days, billing.amount)


def _end(tenths: Fraction | None, receivable: int, billing: Billing) -> Data:
    return {
        "tenths": None if tenths is None else round(tenths),
        "receivable": receivable,
        "billed": billing.amount,
        "days": billing.days,
    }

"""Amounts of a bridge as they are drawn: they add up."""

import re
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from serving.pages.changes.amounts import ShownAmounts, rounded_bridge
from serving.pages.formats import Formats

AMOUNTS = st.integers(-(10**12), 10**12)


@given(AMOUNTS, st.lists(AMOUNTS, max_size=9), st.sampled_from([1, 100, 100_000, 10_000_000]))
def test_what_is_rounded_adds_up(opening: int, changes: list[int], unit: int) -> None:
    first, parts, last = rounded_bridge(opening, changes, unit)
    assert first + sum(parts) == last
    assert abs(first * unit - opening) * 2 <= unit
    assert abs(last * unit - opening - sum(changes)) * 2 <= unit
    for part, change in zip(parts, changes, strict=True):
        assert part in (change // unit, -(-change // unit))


def held(opening: int, *changes: int) -> dict[str, object]:
    return {
        "opening": {"amount": opening},
        "parts": [{"amount": change} for change in changes],
        "closing": {"amount": opening + sum(changes)},
    }


def texts(shown: ShownAmounts) -> list[str]:
    cells = (shown.opening, *shown.changes, shown.closing)
    return [cell.text.replace("\N{NO-BREAK SPACE}", " ") for cell in cells]


def test_all_are_in_one_unit() -> None:
    formats = Formats("es", {"CLP": 0, "USD": 2}, ZoneInfo("America/Santiago"))
    pesos = ShownAmounts.of(held(1_234_560_000, 3_440_000, -140_000, 40_000), "CLP", formats)
    assert texts(pesos) == ["$1.234,6 M", "+$3,4 M", "−$0,1 M", "+$0,0 M", "$1.237,9 M"]
    assert pesos.changes[2].exact == "+$40.000"
    # Below a million, whole units: cents are rounded so that these add up.
    dollars = ShownAmounts.of(held(1_050, 1_050, 1_050), "USD", formats)
    numbers = [int(re.sub(r"\D", "", text)) for text in texts(dollars)]
    assert sum(numbers[:-1]) == numbers[-1]

"""What is expected of receivable certificates in one stretch of time, computed when it is requested.

It is what the forecast sums of each, to the last unit. A few in a hundred certificates are receivable: only
these are looked at, and only these have a value.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import compress
from operator import itemgetter
from typing import Final

from kpi_pipeline.cache.certificate_blocks import Block, Derived
from kpi_pipeline.cache.client_outlooks import ClientOutlooks
from kpi_pipeline.cache.reading.listing.matching import marked
from kpi_pipeline.model.forecast import SURVIVAL_SCALE
from kpi_pipeline.model.listing import EXPECTED

_Shares = tuple[int, int]
"""The chances of payment before a stretch and by its end."""

_NOTHING: Final = 0


def expecting(block: Block, outlooks: ClientOutlooks, stretch: str) -> Block:
    """A block with what is expected of it in a month, or in the next days.

    Args:
        block: The block.
        outlooks: What is expected of clients.
        stretch: One of those of the outlooks.
    """
    share_of = _shares_of(block, outlooks, outlooks.stretches.index(stretch))
    currency = block.columns["currency"]
    owed, known, unknown = block.columns["open"].values, [], []
    for row in compress(range(block.count), marked(block.columns, "receivable")):
        shares = share_of(row)
        if shares is None:
            unknown.append(row)
        else:
            known.append((currency.values[row], expected_of(owed[row], *shares), row))
    known.sort(key=itemgetter(0, 1))
    codes = currency.texts or ()
    keys = {row: (codes[place], amount) for place, amount, row in known}
    order = array("I", [*keys, *unknown])
    return replace(block, derived=Derived(EXPECTED.name, keys, order, len(keys), partial(_expected, keys)))


def _expected(keys: Mapping[int, tuple[str, int]], row: int, _: str) -> int | None:
    """What is expected of a row; None of one without an estimate."""
    return keys[row][1] if row in keys else None


def expected_of(owed: int, before: int, by_end: int) -> int:
    """What is expected of an open amount in a stretch: rounded without its sign, as the forecast does.

    Args:
        owed: The amount; minor units.
        before: The chance of payment before the stretch, in parts of `SURVIVAL_SCALE`.
        by_end: That of payment by its end.
    """
    size = abs(owed)
    expected = size * by_end // SURVIVAL_SCALE - size * before // SURVIVAL_SCALE
    return expected if owed > 0 else -expected


def _shares_of(block: Block, outlooks: ClientOutlooks, place: int) -> Callable[[int], _Shares | None]:
    """By row, its chances; None of a row without an estimate."""
    client, currency = block.columns["client"], block.columns["currency"]
    numbers = [outlooks.clients.get(text, -1) for text in client.texts or ()]
    of_all = [outlooks.shares_of_all(code) for code in currency.texts or ()]
    accepted, ages = marked(block.columns, "accepted"), block.columns["age_days"].values
    stretches, begins_now = len(outlooks.stretches), place in (0, len(outlooks.months))

    def of_row(row: int) -> _Shares | None:
        # Days are kept by one too many.
        number, age = numbers[client.values[row]], ages[row] - 1
        at = outlooks.place_of(number, age, is_accepted=bool(accepted[row]))
        shares = of_all[currency.values[row]]
        if at is None or (shares is not None and not shares):
            return None
        found: Sequence[int] = outlooks.shares if shares is None else shares
        end = place if shares is not None else at * stretches + place
        return (_NOTHING if begins_now else found[end - 1]), found[end]

    return of_row

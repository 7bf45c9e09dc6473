"""What is expected of each certificate on a business date, by the curves of `forecast`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property

from .certificate_states import CertificateState
from .forecast import UNIT, Curves, Outcome, Past, last_end, month_ends, outcome, unpaid_shares
from .source_rows import Row

MOST_VARIANCE = 2**53
"""A greater variance of a certificate counts as this."""


class Forecaster:
    """The forecast of one business date.

    Attributes:
        as_of: The date.
    """

    def __init__(
        self, rows: Sequence[Row], certificate_states: Iterable[CertificateState], as_of: date
    ) -> None:
        self.as_of = as_of
        self._rows = rows
        self._curves = Curves(rows, as_of)
        self._of = {id(one): self._outcome(one) for one in certificate_states if one.is_receivable}
        self._dispersion: dict[str, list[float]] = {}

    @cached_property
    def months(self) -> list[str]:
        """The months forecast."""
        return [f"{end:%Y-%m}" for end in month_ends(self.as_of)]

    def of(self, chosen: Iterable[CertificateState]) -> Outcome:
        """What is expected of certificates together."""
        total = Outcome()
        for one in chosen:
            if one.is_receivable:
                total.add(self._of[id(one)])
        return total

    def dispersion(self, currency: str) -> list[float]:
        """By how much forecasts of each month ahead have missed."""
        if currency not in self._dispersion:
            self._dispersion[currency] = self._past.dispersion(last_end(self.as_of), currency)
        return self._dispersion[currency]

    @cached_property
    def _past(self) -> Past:
        return Past(self._rows)

    def _outcome(self, one: CertificateState) -> Outcome:
        shares = unpaid_shares(self._curves, one.values["client"], one.age, self.as_of)
        found = outcome(one.outstanding, (abs(one.outstanding) // UNIT) ** 2, shares)
        return replace(found, variance=[min(one, MOST_VARIANCE) for one in found.variance])

"""What is expected of each certificate on a business date, by the curves and landmarks of `forecast`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.forecast import (
    NEXT,
    PER_CENT,
    UNIT,
    WHOLE,
    Curves,
    Outcome,
    claim,
    last_end,
    month_ends,
    naive_shares,
    outcome,
    paid_ahead,
    paid_soon,
    takes_part,
    unpaid_shares,
)
from kpi_pipeline.audit.recomputation.past_forecasts import Factors, Past, backtest_of, band
from kpi_pipeline.audit.recomputation.rows import Row

MOST_VARIANCE = 2**53
"""A greater variance of a certificate counts as this."""


@dataclass
class Basis:
    """The rule that is shown of a currency, its bands, and what readers are told of its test."""

    rule: str = "none"
    reason: str = "too_little_history"
    shares: list[int | None] = field(default_factory=list)
    factors: tuple[Factors, Factors] | None = None
    test: dict[str, Any] | None = None
    next_test: dict[str, Any] | None = None

    def as_published(self) -> dict[str, Any]:
        """What readers are told."""
        return {"rule": self.rule, "reason": self.reason, "test": self.test}

    def bands(self, one: Outcome, is_part: bool) -> dict[str, list[int]]:
        """The ends of the bands by their name; raises `ValueError` with too few errors for them."""
        if self.factors is None:
            raise ValueError("too few errors for bands")
        found: dict[str, list[int]] = {}
        for per_cent in PER_CENT:
            factors = self.factors[is_part][per_cent]
            ends = [band(one, one.expected, month, factor) for month, factor in enumerate(factors)]
            found[f"low_{per_cent}"], found[f"high_{per_cent}"] = (
                [both[end] for both in ends] for end in (0, 1)
            )
        return found


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
        self._past = Past(rows)
        self._curves = Curves(rows, as_of)
        self._bases: dict[str, Basis] = {}
        self._of = {id(one.row): self._outcome(one) for one in certificate_states if one.is_receivable}

    @cached_property
    def months(self) -> list[str]:
        """The months forecast."""
        return [f"{end:%Y-%m}" for end in month_ends(self.as_of)]

    def of(self, chosen: Iterable[CertificateState]) -> Outcome:
        """What is expected of certificates together."""
        total = Outcome()
        for one in chosen:
            if one.is_receivable:
                total.add(self._of[id(one.row)])
        return total

    def basis(self, currency: str) -> Basis:
        """On what the forecast of a currency rests."""
        if currency not in self._bases:
            self._bases[currency] = self._make_basis(currency)
        return self._bases[currency]

    def _make_basis(self, currency: str) -> Basis:
        over = last_end(self.as_of)
        scores = backtest_of(self._past, currency, over, 12)
        score = scores.get((currency, None))
        if score is None:
            return Basis()
        is_worse = score["error"] > score["naive_error"]
        rule = "naive" if is_worse else "model"
        factors = self._past.factors(rule, over, currency)
        if factors is None:
            return Basis()
        return Basis(
            rule,
            "model_worse" if is_worse else "model_not_worse",
            naive_shares(self.as_of, lambda day: self._total(day, currency)) if is_worse else [],
            factors,
            _test(score, is_worse),
            _test(scores[currency, 0], is_worse),
        )

    def _total(self, day: date, currency: str) -> Outcome | None:
        """All that was receivable on an earlier day, and what came of it."""
        total, is_any = Outcome(), False
        for row in self._rows:
            claimed = claim(row, day) if row["currency"] == currency and takes_part(row) else None
            if claimed is None:
                continue
            is_any = True
            total.known += claimed.outstanding
            ahead = paid_ahead(row, day)
            if ahead is not None:
                total.realised[ahead] += row["amount_approved"]
            if paid_soon(row, day):
                total.realised[NEXT] += row["amount_approved"]
        return total if is_any else None

    def unpaid_shares(self, one: CertificateState) -> list[int]:
        """The share of such certificates that is unpaid now, by each month and in the next days."""
        client, is_accepted = one.values["client"], one.is_accepted
        return unpaid_shares(self._curves, self._past.landmarks, client, is_accepted, one.age, self.as_of)

    def _outcome(self, one: CertificateState) -> Outcome:
        """By the rule that is shown, to the last unit; the variance is that of the model."""
        shares, squares = self.unpaid_shares(one), (abs(one.outstanding) // UNIT) ** 2
        of_model = outcome(one.outstanding, squares, shares)
        variance = [min(one, MOST_VARIANCE) for one in of_model.variance]
        basis = self.basis(one.currency)
        if shares[0] and basis.rule == "naive":
            *by_month, soon = [share or 0 for share in basis.shares]
            paid = [0, *accumulate(by_month), soon]
            shown = outcome(one.outstanding, squares, [WHOLE - share for share in paid])
            return replace(of_model, expected=shown.expected, variance=variance)
        return replace(of_model, variance=variance)


def _test(score: dict[str, Any], is_worse: bool) -> dict[str, Any]:
    """What readers are told of a score, by the rule that is shown."""
    coverage = score["naive_coverage" if is_worse else "coverage"]
    shares = {
        "error_share": score["error_share"],
        "naive_error_share": score["naive_error_share"],
        "coverage_50": coverage["in_50"],
        "coverage_90": coverage["in_90"],
        "client_coverage_50": coverage["client_in_50"],
        "client_coverage_90": coverage["client_in_90"],
    }
    rounded = {name: None if share is None else round(share, 2) for name, share in shares.items()}
    return {"months": score["months"], **rounded}

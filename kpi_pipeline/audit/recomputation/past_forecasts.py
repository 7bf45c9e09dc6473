"""Forecasts of months that are over, naively: the errors that give the bands, and their back-test."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kpi_pipeline.audit.recomputation.forecast import (
    FEWEST_FORECASTS,
    HORIZONS,
    LARGEST_ERROR,
    MONTHS,
    NEXT,
    NEXT_DAYS,
    PER_CENT,
    UNIT,
    Landmarks,
    Outcome,
    by_shares,
    ends_before,
    forecast_as_of,
    last_end,
    naive_shares,
    whole,
)
from kpi_pipeline.audit.recomputation.rows import Row


def error_scale(expected: int, variance: int, known: int) -> float:
    """What the error of an expectation is measured by."""
    of_expected, of_known = float(expected) * 0.2, float(known) * 0.01
    return math.sqrt(float(variance) * float(UNIT**2) + of_expected * of_expected + of_known * of_known)


def scaled(one: Outcome, expected: Sequence[int], month: int) -> float:
    """The error of an expectation by its scale."""
    missed = float(abs(one.realised[month] - expected[month]))
    scale = error_scale(expected[month], one.variance[month], one.known)
    if missed == 0:
        return 0.0
    return min(missed / scale, LARGEST_ERROR) if scale > 0 else LARGEST_ERROR


def quantile(errors: Iterable[float], per_cent: int) -> float:
    """The error below which a further one lies with so many per cent, between two of them."""
    ordered = sorted(errors)
    place = (len(ordered) + 1) * (per_cent / 100) - 1
    if place >= len(ordered) - 1:
        return round(ordered[-1], 2)
    low, high = ordered[int(place)], ordered[int(place) + 1]
    return round(low + (place - int(place)) * (high - low), 2)


Factors = dict[int, list[float]]
"""By per cent, those of each month."""


class Past:
    """Forecasts at month ends, each made once when it is first asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self.landmarks = Landmarks(rows)
        self._made: dict[date, dict[tuple[str, str], Outcome]] = {}
        self._shares: dict[tuple[date, str], list[int | None]] = {}
        self._factors: dict[tuple[str, date, str], tuple[Factors, Factors] | None] = {}

    def lines(self, origin: date) -> dict[tuple[str, str], Outcome]:
        """The forecast at a month end."""
        if origin not in self._made:
            self._made[origin] = forecast_as_of(self._rows, self.landmarks, origin)
        return self._made[origin]

    def whole(self, origin: date, currency: str) -> Outcome | None:
        """The forecast at a month end, of all clients."""
        return whole(self.lines(origin), currency)

    def clients(self, origin: date, currency: str) -> list[Outcome]:
        """The forecast at a month end, of each client."""
        return [one for (code, _), one in self.lines(origin).items() if code == currency]

    def shares(self, origin: date, currency: str) -> list[int | None]:
        """The naive rule's shares at a month end."""
        if (origin, currency) not in self._shares:
            self._shares[origin, currency] = naive_shares(origin, lambda day: self.whole(day, currency))
        return self._shares[origin, currency]

    def expected(self, rule: str, origin: date, currency: str, one: Outcome) -> list[int]:
        """What a rule expects at a month end."""
        return one.expected if rule == "model" else by_shares(one.known, self.shares(origin, currency))

    def factors(self, rule: str, over: date, currency: str) -> tuple[Factors, Factors] | None:
        """The band factors of the whole and of clients, as known at a month end; None with too few errors."""
        if (rule, over, currency) not in self._factors:
            self._factors[rule, over, currency] = self._make_factors(rule, over, currency)
        return self._factors[rule, over, currency]

    def _make_factors(self, rule: str, over: date, currency: str) -> tuple[Factors, Factors] | None:
        of_whole: list[list[float]] = [[] for _ in range(HORIZONS)]
        of_clients: list[list[float]] = [[] for _ in range(HORIZONS)]
        origins = set()
        for month in range(HORIZONS):
            for origin in origins_of(month, ends_before(over, 12)):
                total = self.whole(origin, currency)
                if total is None or (rule == "naive" and self.shares(origin, currency)[month] is None):
                    continue
                for one, errors in (
                    (total, of_whole),
                    *((client, of_clients) for client in self.clients(origin, currency)),
                ):
                    if counts(one, month):
                        expected = self.expected(rule, origin, currency, one)
                        errors[month].append(scaled(one, expected, month))
                        if one is total and month != NEXT and origin in ends_before(over, 13):
                            origins.add(origin)
        if len(origins) < FEWEST_FORECASTS:
            return None
        return self._by_month(of_whole), self._by_month(of_clients)

    @staticmethod
    def _by_month(errors: Sequence[list[float]]) -> Factors:
        together = [error for of_month in errors[:MONTHS] for error in of_month]
        return {
            per_cent: [
                quantile(of_month if len(of_month) >= FEWEST_FORECASTS else together, per_cent)
                for of_month in errors
            ]
            for per_cent in PER_CENT
        }


def band(one: Outcome, expected: Sequence[int], month: int, factor: float) -> tuple[int, int]:
    """The lower and upper end of a band."""
    middle = expected[month]
    reach = factor * error_scale(middle, one.variance[month], one.known)
    least, most = min(0, one.known, middle), max(0, one.known, middle)
    low, high = float(middle) - reach, float(middle) + reach
    return min(max(round(low), least), middle), max(min(round(high), most), middle)


def origins_of(horizon: int, targets: Sequence[date]) -> list[date]:
    """The month ends whose forecast of so many months ahead, or of the next days, was over in some months."""
    if horizon == NEXT:
        around = ends_before(targets[0], len(targets) + 3)
        return [
            one
            for one in around
            if any((one + NEXT_DAYS).replace(day=1) == to.replace(day=1) for to in targets)
        ]
    return [ends_before(target, horizon + 2)[horizon + 1] for target in targets]


def backtest(rows: Sequence[Row], as_of: date, months: int) -> dict[tuple[str, int | None], dict[str, Any]]:
    """Scores by currency and months ahead, None for all."""
    past, scores = Past(rows), dict[tuple[str, int | None], dict[str, Any]]()
    for currency in sorted({row["currency"] for row in rows}):
        scores |= backtest_of(past, currency, last_end(as_of), months)
    return scores


def backtest_of(
    past: Past, currency: str, over: date, months: int
) -> dict[tuple[str, int | None], dict[str, Any]]:
    """The scores of one currency; none where nothing was forecast."""
    points: dict[int | None, list[Point]] = {**{ahead: [] for ahead in range(13)}, None: []}
    for horizon in range(HORIZONS):
        for origin in origins_of(horizon, ends_before(over, months)):
            made = past.whole(origin, currency)
            if made is None or not counts(made, horizon):
                continue
            if past.shares(origin, currency)[horizon] is not None:
                point = Point(past, currency, origin, horizon, made)
                points[0 if horizon == NEXT else horizon + 1].append(point)
                if horizon != NEXT:
                    points[None].append(point)
    return {(currency, ahead): _score(found) for ahead, found in points.items()} if points[None] else {}


def counts(one: Outcome, month: int) -> bool:
    """Whether at least a hundredth of what was receivable was expected in a month, or came."""
    most = max(abs(one.expected[month]), abs(one.realised[month]))
    return most > 0 and 100 * most >= abs(one.known)


@dataclass
class Point:
    """The forecast of one month, made at one month end."""

    past: Past
    currency: str
    origin: date
    month: int
    made: Outcome

    @property
    def came(self) -> int:
        """What came in the month."""
        return self.made.realised[self.month]

    def missed(self, rule: str) -> int:
        """By how much a rule missed it."""
        expected = self.past.expected(rule, self.origin, self.currency, self.made)
        return abs(self.came - expected[self.month])

    def hits(self, rule: str, per_cent: int) -> tuple[list[bool], list[bool]]:
        """Whether the whole lay in its band, and each client; none where there were too few errors for
        bands.
        """
        factors = self.past.factors(rule, self.origin, self.currency)
        if factors is None:
            return [], []
        clients = self.past.clients(self.origin, self.currency)
        return (
            [self._is_inside(rule, self.made, factors[0][per_cent][self.month])],
            [
                self._is_inside(rule, one, factors[1][per_cent][self.month])
                for one in clients
                if counts(one, self.month)
            ],
        )

    def _is_inside(self, rule: str, one: Outcome, factor: float) -> bool:
        expected = self.past.expected(rule, self.origin, self.currency, one)
        low, high = band(one, expected, self.month, factor)
        return low <= one.realised[self.month] <= high


def _score(points: Sequence[Point]) -> dict[str, Any]:
    size = sum(abs(point.came) for point in points)
    errors = {}
    for name, rule in (("error", "model"), ("naive_error", "naive")):
        missed = sum(point.missed(rule) for point in points)
        errors[name] = missed / len(points) if points else None
        errors[f"{name}_share"] = missed / size if size else None
    return {
        "months": len(points),
        "realised": sum(point.came for point in points) / len(points) if points else None,
        **errors,
        "coverage": _coverage(points, "model"),
        "naive_coverage": _coverage(points, "naive"),
    }


def _coverage(points: Sequence[Point], rule: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for per_cent in PER_CENT:
        hits = [point.hits(rule, per_cent) for point in points]
        for at, (count, share) in enumerate((("months", "in"), ("client_months", "client_in"))):
            together = [hit for one in hits for hit in one[at]]
            found[count] = len(together)
            found[f"{share}_{per_cent}"] = sum(together) / len(together) if together else None
    return found

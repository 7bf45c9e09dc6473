"""The values of a KPI: now, compared with before, and month by month."""

from typing import Any

from .figures import Data, Variant
from .kpis import FIGURES, Figure, View

Value = float | int | None


class KpiValues:
    """The readings of one variant.

    Attributes:
        variant: What the filter chooses.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._made: dict[str, list[Data]] = {}
        self._views: dict[int | None, list[View]] = {}

    def __getitem__(self, name: str) -> list[Data]:
        """The readings of a KPI: one a currency, or one of everything."""
        if name not in self._made:
            figure, codes = FIGURES[name], self.variant.currencies
            self._made[name] = (
                [{"currency": code, **self._reading(figure, code)} for code in codes]
                if figure.by_currency
                else [self._reading(figure, None)]
            )
        return self._made[name]

    def of(self, name: str, code: str | None) -> Data:
        """The reading of a KPI in a currency, or of everything."""
        return next(one for one in self[name] if one.get("currency") == code)

    def _reading(self, figure: Figure, code: str | None) -> Data:
        variant, place = self.variant, None if code is None else self.variant.place(code)
        if figure.needs_costs and not variant.has_costs:
            return self._without_costs(figure)

        now = figure.of(View(variant, variant.now, place))
        recent, previous = self._compared(figure, place)
        spark = [rounded(figure.unit, figure.of(view).value) for view in self._months(place)]
        return {
            "value": now.value,
            **({"numerator": now.above, "denominator": now.below} if figure.is_quotient else {}),
            **({"window_days": variant.window_days(variant.now)} if figure.is_windowed else {}),
            **self._change(figure, recent, previous),
            "spark": spark,
        }

    def _months(self, place: int | None) -> list[View]:
        """Each month of the trend."""
        if place not in self._views:
            variant = self.variant
            self._views[place] = [View(variant, variant.at(month), place) for month in variant.months]
        return self._views[place]

    def _compared(self, figure: Figure, place: int | None) -> tuple[Value, Value]:
        """The values to compare; None where there is none."""
        variant = self.variant
        if variant.before is not None:
            if not figure.is_flow:
                return None, None
            return tuple(figure.of(View(one, one.now, place)).value for one in (variant, variant.before))
        if variant.compared is None:
            return None, None
        return tuple(figure.of(View(variant, one, place)).value for one in variant.compared)

    def _change(self, figure: Figure, recent: Value, previous: Value) -> Data:
        change = trend = share = None
        if recent is not None and previous is not None:
            change = recent - previous
            share = float(change) / float(abs(previous)) if previous else None
            if figure.good:
                trend = self._trend(figure, change, previous)
        return {
            "recent": recent,
            "previous": previous,
            "change": change,
            "change_share": share,
            "trend": trend,
        }

    def _trend(self, figure: Figure, change: float | int, previous: float | int) -> str:
        if change == 0 or abs(change) < self.variant.oracle.limits.stable_share * abs(previous):
            return "stable"
        return "improving" if (change > 0) == (figure.good > 0) else "declining"

    def _without_costs(self, figure: Figure) -> Data:
        nothing: Data = dict.fromkeys(
            ("value", "recent", "previous", "change", "change_share", "trend"), None
        )
        if figure.is_quotient:
            nothing |= {"numerator": None, "denominator": None}
        return {**nothing, "spark": [None] * len(self.variant.months)}


def rounded(unit: str, value: Value) -> Value:
    """A value as it is drawn."""
    if value is None or isinstance(value, int):
        return value
    if unit == "money":
        return round(value)
    shown: Any = round(value, 4 if unit == "share" else 1)
    return shown + 0.0

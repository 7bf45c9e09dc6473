"""The values of a KPI: now, as it stood on the day compared with, and at month ends."""

from kpi_pipeline.audit.recomputation.kpis import FIGURES, Figure, Result, View
from kpi_pipeline.audit.recomputation.quotients import Data
from kpi_pipeline.audit.recomputation.variant import Variant

Value = float | int | None

_NOTHING = Result(None)


class KpiValues:
    """The readings of one variant.

    Attributes:
        variant: What the filter chooses.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._made: dict[str, list[Data]] = {}
        self._views: dict[tuple[int, int | None], View] = {}

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
        now = self._on(figure, 0, place, code)
        previous = self._on(figure, 1, place, code).value if self._is_comparable(figure) else None
        days = range(2, len(variant.oracle.days))
        spark = [rounded(figure.unit, self._on(figure, day, place, code).value) for day in (*days, 0)]
        if variant.is_cohort:
            spark = [None] * len(spark)
        return {
            "value": now.value,
            **({"numerator": now.above, "denominator": now.below} if figure.is_quotient else {}),
            **({"payments": now.payments} if figure.is_estimate else {}),
            **({"window_days": variant.window_days(0)} if figure.is_windowed else {}),
            **self._change(figure, now.value, previous),
            "spark": spark,
        }

    def _on(self, figure: Figure, day: int, place: int | None, code: str | None) -> Result:
        """A KPI on a day."""
        variant = self.variant
        if day not in variant.places or (variant.is_cohort and figure.of_calendar):
            return _NOTHING
        if figure.needs_costs and not variant.knows_costs(code, day):
            return _NOTHING
        if (day, place) not in self._views:
            self._views[day, place] = View(variant, day, place)
        found = figure.of(self._views[day, place])
        if figure.is_part and found.value is not None and not 0 <= found.value <= 1:
            return found._replace(value=None)
        return found

    def _is_comparable(self, figure: Figure) -> bool:
        """The data reach back to what is compared with."""
        oracle = self.variant.oracle
        if oracle.first_issued is None:
            return False
        begin = oracle.days[1] if figure.is_stock else oracle.windows[1].first
        return begin is not None and oracle.first_issued <= begin

    def _change(self, figure: Figure, now: Value, previous: Value) -> Data:
        change = trend = share = None
        if now is not None and previous is not None:
            change = now - previous
            share = float(change) / float(abs(previous)) if previous else None
            if figure.good:
                trend = self._trend(figure, change, previous)
        return {"previous": previous, "change": change, "change_share": share, "trend": trend}

    def _trend(self, figure: Figure, change: float | int, previous: float | int) -> str:
        if change == 0 or abs(change) < self.variant.oracle.limits.stable_share * abs(previous):
            return "stable"
        return "improving" if (change > 0) == (figure.good > 0) else "declining"


def rounded(unit: str, value: Value) -> Value:
    """A value as it is drawn."""
    if value is None or isinstance(value, int):
        return value
    if unit == "money":
        return round(value)
    return round(value, 4 if unit == "share" else 1) + 0.0

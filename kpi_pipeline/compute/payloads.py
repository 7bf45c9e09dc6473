"""Payloads: what each product says of each variant, as plain JSON values.

Amounts are integers in minor units of their currency; a share or a mean is a float, correctly rounded
from its exact quotient, or None where there is nothing to divide by. Money is never added across
currencies: every money figure comes once a currency.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from kpi_pipeline.compute.cube import Cube, Slice
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.components import AGEING_BUCKETS, COMPONENT_INDEX
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.kpis import (
    DASHBOARD_CARDS,
    KPIS,
    TREND_COMPONENTS,
    TREND_MONTHS,
    WINDOW_COMPONENTS,
    Kpi,
    Total,
)

Data = dict[str, Any]

_CARDS: Final = tuple(next(kpi for kpi in KPIS if kpi.name == name) for name in DASHBOARD_CARDS)
_STATEMENT_LINES: Final = ("proposed", "approved", "collected", "receivable")
_AGEING_PLACES: Final = [
    (label, COMPONENT_INDEX[f"ageing_{label}_amount"], COMPONENT_INDEX[f"ageing_{label}_count"])
    for label, _, _ in AGEING_BUCKETS
]
_STATE_PLACES: Final = [
    (
        state.value,
        COMPONENT_INDEX[f"state_{state.value}_amount"],
        COMPONENT_INDEX[f"state_{state.value}_count"],
    )
    for state in State
]
_PRESENCE: Final = COMPONENT_INDEX["proposed_count"]


def payloads(product: str, cube: Cube, slices: Iterable[Slice]) -> Iterator[tuple[Filter, Data]]:
    """Yield each filter of some slices with what a product says of it.

    Args:
        product: One of `model.dimensions.PRODUCTS`.
        cube: The slices' cube.
        slices: The sums of the variants wanted.

    Raises:
        KeyError: If there is no such product.
    """
    build = _BUILDERS[product]
    for piece in slices:
        for variant in _variants(cube.currencies, piece):
            yield variant.filter, {"currencies": list(variant.totals), **build(variant)}


@dataclass(frozen=True, slots=True)
class _Variant:
    """The sums of one variant as Python integers, by currency; only currencies that have something.

    Attributes:
        filter: Which certificates.
        totals: Components over the filter.
        counted: Components over the filter and all currencies: counts and days, never money.
        window: `WINDOW_COMPONENTS` over the DSO window.
        window_days: Days of that window.
        months: Months of the trend.
        trend: Values of each series of the trend.
    """

    filter: Filter
    totals: dict[str, list[int]]
    counted: list[int]
    window: dict[str, list[int]]
    window_days: int
    months: list[str]
    trend: dict[str, dict[str, list[int]]]


def _variants(currencies: tuple[str, ...], piece: Slice) -> Iterator[_Variant]:
    totals, window = piece.totals.tolist(), piece.window.tolist()
    counted = piece.totals.sum(axis=1).tolist()
    trend = piece.trend.transpose(0, 2, 3, 1).tolist()  # [V, C, series, months]
    present = (piece.totals[..., _PRESENCE] != 0) | piece.trend.any(axis=(1, 3))
    months = {
        end: [month_text(number) for number in range(end - TREND_MONTHS + 1, end + 1)]
        for end in set(piece.trend_end.tolist())
    }
    for at, one in enumerate(piece.filters):
        there = [(place, code) for place, code in enumerate(currencies) if present[at, place]]
        yield _Variant(
            filter=one,
            totals={code: totals[at][place] for place, code in there},
            counted=counted[at],
            window={code: window[at][place] for place, code in there},
            window_days=int(piece.window_days[at]),
            months=months[int(piece.trend_end[at])],
            trend={code: dict(zip(TREND_COMPONENTS, trend[at][place], strict=True)) for place, code in there},
        )


def _kpis(variant: _Variant, chosen: tuple[Kpi, ...]) -> Data:
    """Each KPI's readings: one a currency, or one of all certificates."""
    return {
        kpi.name: [
            {"currency": code, **_reading(kpi, totals, variant.window[code], variant.window_days)}
            for code, totals in variant.totals.items()
        ]
        if kpi.per_currency
        else [_reading(kpi, variant.counted, [], variant.window_days)]
        for kpi in chosen
    }


def _reading(kpi: Kpi, totals: list[int], window: list[int], window_days: int) -> Data:
    formula = kpi.formula
    if isinstance(formula, Total):
        return {"value": totals[COMPONENT_INDEX[formula.component]]}
    numerator = totals[COMPONENT_INDEX[formula.numerator]]
    if not formula.over_window:
        denominator = totals[COMPONENT_INDEX[formula.denominator]]
        return {
            "value": _quotient(numerator, denominator),
            "numerator": numerator,
            "denominator": denominator,
        }
    denominator = window[WINDOW_COMPONENTS.index(formula.denominator)]
    return {
        "value": _quotient(numerator * window_days, denominator) if window_days else None,
        "numerator": numerator,
        "denominator": denominator,
        "window_days": window_days,
    }


def _quotient(numerator: int, denominator: int) -> float | None:
    # Python divides integers of any size with one correct rounding; adding 0.0 makes -0.0 plain zero.
    return numerator / denominator + 0.0 if denominator else None


def _ageing(variant: _Variant) -> list[Data]:
    """Open items by age since issue, per currency."""
    found = []
    for code, totals in variant.totals.items():
        whole = sum([totals[amount] for _, amount, _ in _AGEING_PLACES])
        buckets = [
            {
                "bucket": label,
                "amount": totals[amount],
                "count": totals[count],
                "share": _quotient(totals[amount], whole),
            }
            for label, amount, count in _AGEING_PLACES
        ]
        found.append({"currency": code, "buckets": buckets})
    return found


def _trend(variant: _Variant) -> Data:
    return {
        "months": variant.months,
        "series": [{"currency": code, **series} for code, series in variant.trend.items()],
    }


def _states(variant: _Variant) -> list[Data]:
    """Proposed amounts and counts by state on as_of, per currency."""
    return [
        {
            "currency": code,
            "states": [
                {"state": state, "amount": totals[amount], "count": totals[count]}
                for state, amount, count in _STATE_PLACES
            ],
        }
        for code, totals in variant.totals.items()
    ]


def _kpis_product(variant: _Variant) -> Data:
    return {"kpis": _kpis(variant, KPIS), "ageing": _ageing(variant), "trend": _trend(variant)}


def _dashboards_product(variant: _Variant) -> Data:
    return {
        "kpis": _kpis(variant, _CARDS),
        "ageing": _ageing(variant),
        "trend": _trend(variant),
        "states": _states(variant),
    }


def _financials_product(variant: _Variant) -> Data:
    lines = {
        code: {name: series[name] for name in _STATEMENT_LINES} for code, series in variant.trend.items()
    }
    return {
        "statement": {
            "months": variant.months,
            "lines": [{"currency": code, **line} for code, line in lines.items()],
        },
        "totals": [
            {"currency": code, **{name: sum(values) for name, values in line.items()}}
            for code, line in lines.items()
        ],
    }


def _charts_product(variant: _Variant) -> Data:
    return {"charts": {name: _chart(name, _CHART_ROWS[name](variant)) for name in CHARTS}}


def _chart(name: str, rows: list[tuple[Any, ...]]) -> Data:
    columns = CHARTS[name].columns
    amounts = columns.index("amount")
    return {
        "columns": {column: [row[place] for row in rows] for place, column in enumerate(columns)},
        "empty": not any(row[amounts] for row in rows),
    }


def _trend_rows(variant: _Variant) -> list[tuple[Any, ...]]:
    return [
        (month, code, name, amount)
        for code, series in variant.trend.items()
        for name, amounts in series.items()
        for month, amount in zip(variant.months, amounts, strict=True)
    ]


def _ageing_rows(variant: _Variant) -> list[tuple[Any, ...]]:
    return [
        (bucket["bucket"], one["currency"], bucket["amount"], bucket["count"])
        for one in _ageing(variant)
        for bucket in one["buckets"]
    ]


def _state_rows(variant: _Variant) -> list[tuple[Any, ...]]:
    return [
        (state["state"], one["currency"], state["amount"], state["count"])
        for one in _states(variant)
        for state in one["states"]
    ]


_CHART_ROWS: Final = {"monthly_trend": _trend_rows, "ageing": _ageing_rows, "states": _state_rows}
_BUILDERS: Final[dict[str, Callable[[_Variant], Data]]] = {
    "kpis": _kpis_product,
    "dashboards": _dashboards_product,
    "charts": _charts_product,
    "financials": _financials_product,
}

"""Charts by month: billing, costs, cash flow, and the trends of KPIs."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import (
    Columns,
    KpiValues,
    Sentence,
    charts_by_variant,
    present_currencies,
    sentences_by_variant,
)
from kpi_pipeline.compute.blocks.forecast import has_forecast, outlook_bands
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.forecast import first_whole_month, forecast_months
from kpi_pipeline.compute.json_values import Data, names_at, quotients, values_or_none
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.kpis import TREND_MONTHS
from kpi_pipeline.model.labels import KPIS_DRAWN

KPIS_READ: Final = tuple(KPIS_DRAWN)
"""KPIs whose trend the charts draw: their values must be given."""

_COLLECTED_MONTHS: Final = 6
_DRAWN_MONTHS: Final = _COLLECTED_MONTHS + FORECAST_MONTHS
_FLOWS: Final = ("proposed", "approved", "paid")
_DSO: Final = "dso"


def monthly_trend(slice_: Slice, kpi_values: Sequence[KpiValues]) -> list[Data]:
    """What was proposed, approved and paid in each month, and DSO as of its end."""
    variant, currency = present_currencies(slice_)
    amounts = {name: slice_.monthly(f"{name}_amount")[variant, :, currency] for name in _FLOWS}
    trends = [{value["currency"]: value["spark"] for value in values[_DSO]} for values in kpi_values]
    codes = names_at(slice_.currencies, currency)
    dso = [trends[at][code] for at, code in zip(variant.tolist(), codes, strict=True)]
    sentences: list[Sentence | None] = []
    period = _period(slice_)
    for days, *sums in zip(
        dso,
        *(amount.sum(axis=1).tolist() for amount in amounts.values()),
        strict=True,
    ):
        values: Data = {**period, **dict(zip(_FLOWS, sums, strict=True))}
        if days[-1] is None:
            sentences.append(("totals", values))
        else:
            sentences.append(("totals_and_dso", {**values, _DSO: days[-1]}))
    columns: Columns = {
        "month": slice_.trend_months * len(variant),
        "currency": names_at(slice_.currencies, np.repeat(currency, TREND_MONTHS)),
        **{name: amount.ravel().tolist() for name, amount in amounts.items()},
        _DSO: [value for days in dso for value in days],
    }
    drawn = np.any([amount.ravel() != 0 for amount in amounts.values()], axis=0)
    of_variant = sentences_by_variant(slice_, variant, currency, sentences)
    return charts_by_variant(slice_, np.repeat(variant, TREND_MONTHS), columns, drawn, of_variant)


def opex_capex(slice_: Slice) -> list[Data]:
    """Costs by month of invoice; unknown where costs are."""
    variant, currency = present_currencies(slice_)
    known = slice_.has_costs[variant, currency]
    opex, capex = (
        slice_.monthly(f"cost_{kind}_amount")[variant, :, currency] * known[:, None]
        for kind in ("opex", "capex")
    )
    opex_sum, both = opex.sum(axis=1), opex.sum(axis=1) + capex.sum(axis=1)
    period = _period(slice_)
    sentences: list[Sentence | None] = [
        ("split", {**period, "share": share, "opex": part, "capex": whole - part}) if whole > 0 else None
        for share, part, whole in zip(
            quotients(opex_sum, both), opex_sum.tolist(), both.tolist(), strict=True
        )
    ]
    known_rows = np.repeat(known, TREND_MONTHS)
    columns: Columns = {
        "month": slice_.trend_months * len(variant),
        "currency": names_at(slice_.currencies, np.repeat(currency, TREND_MONTHS)),
        "opex": values_or_none(opex.ravel(), known_rows),
        "capex": values_or_none(capex.ravel(), known_rows),
    }
    drawn = ((opex != 0) | (capex != 0)).ravel()
    of_variant = sentences_by_variant(slice_, variant, currency, sentences)
    return charts_by_variant(slice_, np.repeat(variant, TREND_MONTHS), columns, drawn, of_variant)


def _period(slice_: Slice) -> Data:
    """The months of the trend in words: the first, and the day that ends the last one so far."""
    return {"since": slice_.trend_months[0], "until": slice_.frame.as_of.isoformat()}


def cash_flow(slice_: Slice) -> list[Data]:
    """Collections of the last months of the trend, then those expected from the day after as_of on."""
    variant, currency = present_currencies(slice_)
    collected = slice_.monthly("paid_amount")[variant, :, currency][:, -_COLLECTED_MONTHS:]
    expected, *limits = (amounts[variant, currency] for amounts in outlook_bands(slice_)[1:])
    is_shown = has_forecast(slice_)[currency]
    ahead = [month_text(number) for number in forecast_months(slice_.frame.as_of)]
    at, whole = np.arange(len(variant)), first_whole_month(slice_.frame.as_of)
    first = np.where(expected[:, whole] > 0, whole, (expected > 0).argmax(axis=1))
    sentences: list[Sentence | None] = [
        ("no_forecast", {"collected": came})
        if not shown
        else (
            "expected",
            {"month": ahead[place], "amount": next_amount, "low": low, "high": high, "total": total},
        )
        if next_amount > 0
        else ("nothing_expected", {"collected": came})
        for shown, place, next_amount, low, high, total, came in zip(
            is_shown.tolist(),
            first.tolist(),
            expected[at, first].tolist(),
            limits[2][at, first].tolist(),
            limits[3][at, first].tolist(),
            expected.sum(axis=1).tolist(),
            collected.sum(axis=1).tolist(),
            strict=True,
        )
    ]
    is_ahead = np.tile(np.arange(_DRAWN_MONTHS) >= _COLLECTED_MONTHS, (len(variant), 1))
    kept = ~is_ahead | is_shown[:, None]
    months = np.array([*slice_.trend_months[-_COLLECTED_MONTHS:], *ahead] * len(variant), object)
    names = np.array(names_at(slice_.currencies, currency), object)
    amount = np.concatenate([collected, expected], axis=1)[kept]
    past = np.zeros_like(collected)
    bands = [values_or_none(np.concatenate([past, limit], axis=1)[kept], is_ahead[kept]) for limit in limits]
    columns: Columns = {
        "month": months.reshape(kept.shape)[kept].tolist(),
        "currency": np.broadcast_to(names[:, None], kept.shape)[kept].tolist(),
        "kind": np.where(is_ahead, "expected", "collected")[kept].tolist(),
        "amount": amount.tolist(),
        **dict(zip(("low_50", "high_50", "low_90", "high_90"), bands, strict=True)),
    }
    of_variant = sentences_by_variant(slice_, variant, currency, sentences)
    rows = np.broadcast_to(variant[:, None], kept.shape)[kept]
    return charts_by_variant(slice_, rows, columns, amount != 0, of_variant)


def kpi_trend(slice_: Slice, kpi_values: Sequence[KpiValues]) -> list[Data]:
    """The twelve values of a few KPIs; `currency` is empty for one that is no money figure."""
    months, charts = slice_.trend_months, []
    for values in kpi_values:
        columns: Columns = {"month": [], "currency": [], "kpi": [], "value": []}
        for name in KPIS_DRAWN:
            for value in values[name]:
                columns["month"] += months
                columns["currency"] += [value.get("currency", "")] * TREND_MONTHS
                columns["kpi"] += [name] * TREND_MONTHS
                columns["value"] += value["spark"]
        says = [
            {"currency": value["currency"], "sentence": sentence[0], "values": sentence[1]}
            for value in values[_DSO]
            if (sentence := _dso_since(months, value["spark"])) is not None
        ]
        empty = all(value is None for value in columns["value"])
        charts.append({"columns": columns, "empty": empty, "says": says})
    return charts


def _dso_since(months: list[str], values: list[float | None]) -> Sentence | None:
    now = values[-1]
    if now is None:
        return None
    since, before = next(
        (month, value) for month, value in zip(months, values, strict=True) if value is not None
    )
    if before == now:
        return "dso_level", {"since": since, "now": now}
    return "dso_better" if before > now else "dso_worse", {"since": since, "before": before, "now": now}

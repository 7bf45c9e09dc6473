"""What products say of a filter, made by hand: enough of everything that pages show."""

from dataclasses import asdict
from typing import Any

from kpi_pipeline.compute.charts.catalogue import column_entries
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.kpis import KPIS, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    CountBack,
    Herfindahl,
    PaymentQuantile,
    Ratio,
    ShareOfAll,
    TopShare,
)
from kpi_pipeline.model.pages import (
    EXPECTED,
    charts_of_product,
    kpis_of_product,
    leads_with_expected,
)

MINE = "Minera Ñandú"
CONSTRUCTORA = "Constructora Árbol & Cía."
MONTHS = [f"2023-{month:02}" for month in range(7, 13)] + [f"2024-{month:02}" for month in range(1, 7)]
AHEAD = [f"2024-{month:02}" for month in range(7, 13)] + [f"2025-{month:02}" for month in range(1, 7)]
BUCKETS = ("0-30", "31-60", "61-90", "91-120", "120+")
STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
COMPARISON = {"day": "2024-06-28", "previous_day": "2023-06-28"}
Rows = list[dict[str, Any]]

FORECAST_BASIS = {
    "rule": "model",
    "reason": "model_not_worse",
    "test": {
        "months": 96,
        "error_share": 0.06,
        "naive_error_share": 0.09,
        "coverage_50": 0.52,
        "coverage_90": 0.91,
        "client_coverage_50": 0.49,
        "client_coverage_90": 0.9,
    },
}
MILLION = 1_000_000
_PERIOD = {"since": "2023-07", "until": "2024-06-28"}
_MONTH_TOTALS = {"proposed": 7_020 * MILLION, "approved": 6_240 * MILLION, "paid": 5_460 * MILLION}
_EXPECTED = {"amount": 60 * MILLION, "low": 30 * MILLION, "high": 90 * MILLION, "total": 390 * MILLION}
_SENTENCES: dict[str, tuple[str, dict[str, Any]]] = {
    "monthly_trend": ("totals_and_dso", {**_PERIOD, **_MONTH_TOTALS, "dso": 34.5}),
    "ageing": ("oldest", {"share": 0.2, "amount": 5 * MILLION}),
    "states": ("largest", {"state": "enviado", "share": 0.4, "amount": 42 * MILLION}),
    "concentration": ("top", {"client": MINE, "share": 0.6, "amount": 90 * MILLION}),
    "cash_flow": ("expected", {"month": "2024-07", **_EXPECTED}),
    "stages": ("bottleneck", {"stage": "conformity_to_payment", "days": 31.2, "total": 52.0}),
}
"""By chart, what it states: the name of its sentence and the values in it."""


def catalogue_charts(digest: str) -> Rows:
    """Every chart as the catalogue has it, all with one specification."""
    return [
        {
            "name": chart.name,
            "title_es": chart.title.es,
            "title_en": chart.title.en,
            "description_es": chart.description.es,
            "description_en": chart.description.en,
            "nothing_es": chart.nothing.es,
            "nothing_en": chart.nothing.en,
            "columns": column_entries(chart.fields),
            "drawing": asdict(chart.drawing),
            "sentences": {
                name: {"es": sentence.template.es, "en": sentence.template.en}
                for name, sentence in chart.sentences.items()
            },
            "spec_es": digest,
            "spec_en": digest,
        }
        for chart in CHARTS.values()
    ]


def kpis(names: tuple[str, ...], currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kpi in KPIS:
        kpi_value = {**_value(kpi, scale), **_moves(kpi, scale)}
        found[kpi.name] = (
            [{"currency": code, **kpi_value} for code in currencies] if kpi.per_currency else [kpi_value]
        )
    found["approval_rate"] = [
        {**one, "value": 0.934, "numerator": 934, "denominator": 1000} for one in found["approval_rate"]
    ]
    return {name: found[name] for name in names}


def figures(product: str, *, currencies: tuple[str, ...] = ("CLP",), scale: int = 1) -> dict[str, Any]:
    """What a product says of one filter; `scale` tells one filter's figures from another's."""
    head = {"currencies": list(currencies), "months": MONTHS, "comparison": COMPARISON, "cohort": None}
    if product == "kpis":
        return {
            **head,
            "options": {"client": [9, 12]},
            "kpis": kpis(tuple(kpi.name for kpi in KPIS), currencies, scale),
            "ageing": [
                {
                    "currency": code,
                    "by_issue": [
                        {"bucket": bucket, "amount": 5_000_000 * scale, "count": 2 * scale, "share": 0.2}
                        for bucket in BUCKETS
                    ],
                    "by_due": [],
                }
                for code in currencies
            ],
        }
    drawn = charts_of_product(product)
    return {
        **head,
        "options": {"client": [9, 12], "state": [2, 6, 13]},
        "kpis": kpis(kpis_of_product(product), currencies, scale),
        "charts": {name: _chart(name, currencies, scale) for name in drawn},
        **({EXPECTED: _next_days(currencies, scale)} if leads_with_expected(product) else {}),
        **_tables(product, currencies, scale),
    }


def _next_days(currencies: tuple[str, ...], scale: int) -> Rows:
    amounts = _scaled({"amount": 66, "low_90": 33, "high_90": 99}, MILLION * scale)
    return _each(currencies, {"days": 30, "until": "2024-07-28", **amounts, "coverage_90": 0.91})


def _value(kpi: Kpi, scale: int) -> dict[str, Any]:
    if kpi.unit in (Unit.MONEY, Unit.COUNT):
        kpi_value: dict[str, Any] = {"value": 1_234_000_000 * scale if kpi.per_currency else 21 * scale}
    else:
        kpi_value = {"value": 34.56 if kpi.unit is Unit.DAYS else 0.3456}
    if isinstance(kpi.formula, (Ratio, TopShare, Herfindahl, ShareOfAll, CountBack, AgainstTarget)):
        kpi_value |= {"numerator": 432_000_000, "denominator": 4_562_000_000}
    if isinstance(kpi.formula, PaymentQuantile):
        kpi_value["payments"] = 1_234 * scale
    if getattr(kpi.formula, "times_days", False):
        kpi_value["window_days"] = 364
    return kpi_value


def _moves(kpi: Kpi, scale: int) -> dict[str, Any]:
    """How it moves: each KPI up by an eighth."""
    value = _value(kpi, scale)["value"]
    before = value / 1.125
    trend = {"up": "improving", "down": "declining", "neutral": None}[kpi.direction.value]
    spark = [None, *(before * (1 + place / 80) for place in range(10)), value]
    return {
        "previous": before,
        "change": before * 0.125,
        "change_share": 0.125,
        "trend": trend,
        "spark": spark,
    }


def _chart(name: str, currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    rows = _ROWS[name](currencies, scale)
    per_currency = "currency" in CHARTS[name].columns
    says = []
    if name in _SENTENCES:
        sentence, values = _SENTENCES[name]
        says = [
            {**({"currency": code} if per_currency else {}), "sentence": sentence, "values": values}
            for code in (currencies if per_currency else currencies[:1])
        ]
    columns = {column: [row[column] for row in rows] for column in CHARTS[name].columns}
    return {"columns": columns, "empty": not rows, "says": says}


def _each(currencies: tuple[str, ...], *rows: dict[str, Any]) -> Rows:
    """The same rows in each currency."""
    return [{"currency": code, **row} for code in currencies for row in rows]


def _scaled(amounts: dict[str, int], scale: int) -> dict[str, int]:
    return {name: amount * scale for name, amount in amounts.items()}


def _monthly_trend(currencies: tuple[str, ...], scale: int) -> Rows:
    amounts = {"proposed": 90 * MILLION, "approved": 80 * MILLION, "paid": 70 * MILLION}
    rows = (
        {"month": month, **_scaled(amounts, scale * place), "dso": None if place == 1 else 30.0 + place}
        for place, month in enumerate(MONTHS, 1)
    )
    return _each(currencies, *rows)


def _ageing(currencies: tuple[str, ...], scale: int) -> Rows:
    row = {"amount": 5 * MILLION * scale, "count": 2 * scale, "share": 0.2}
    return _each(currencies, *({"bucket": bucket, **row} for bucket in BUCKETS))


def _states(currencies: tuple[str, ...], scale: int) -> Rows:
    rows = (
        {"state": state, "amount": 7 * MILLION * scale * place, "count": 3 * scale}
        for place, state in enumerate(STATES, 1)
    )
    return _each(currencies, *rows)


def _by_name(column: str, **more: Any) -> Any:
    amounts = {"approved": 90 * MILLION, "receivable": 30 * MILLION, "overdue": 20 * MILLION}

    def rows(currencies: tuple[str, ...], scale: int) -> Rows:
        shares = (
            {column: name, **{key: amount * scale // place for key, amount in amounts.items()}, **more}
            for place, name in enumerate((MINE, CONSTRUCTORA, ""), 1)
        )
        return _each(currencies, *shares)

    return rows


def _cash_flow(currencies: tuple[str, ...], scale: int) -> Rows:
    ends = {"low_50": -0.2, "high_50": 0.2, "low_90": -0.5, "high_90": 0.5}
    rows = []
    for place, month in enumerate([*MONTHS[-6:], *AHEAD]):
        amount, is_expected = (90 - 4 * place) * MILLION * scale, place >= 6
        bands = {name: round(amount * (1 + part)) if is_expected else None for name, part in ends.items()}
        rows.append(
            {"month": month, "kind": "expected" if is_expected else "collected", "amount": amount, **bands}
        )
    return _each(currencies, *rows)


def _opex_capex(currencies: tuple[str, ...], scale: int) -> Rows:
    rows = (
        {"month": month, "opex": 30 * MILLION * scale, "capex": 4 * MILLION * scale * place}
        for place, month in enumerate(MONTHS)
    )
    return _each(currencies, *rows)


def _margin_by_project(currencies: tuple[str, ...], scale: int) -> Rows:
    rows = []
    for project, revenue, cost in (("P-001", 90, 60), ("P-002", 40, 65)):
        money = _scaled({"revenue": revenue, "cost": cost, "margin": revenue - cost}, MILLION * scale)
        rows.append({"project": project, **money, "margin_share": (revenue - cost) / revenue})
    return _each(currencies, *rows)


def _stages(_: tuple[str, ...], scale: int) -> Rows:
    return [
        {"stage": "issue_to_sent", "start": 0.0, "end": 6.3, "days": 6.3, "count": 20 * scale},
        {"stage": "sent_to_conformity", "start": 6.3, "end": 20.8, "days": 14.5, "count": 18 * scale},
        {"stage": "conformity_to_payment", "start": 20.8, "end": 52.0, "days": 31.2, "count": 13 * scale},
    ]


def _payment_heatmap(currencies: tuple[str, ...], scale: int) -> Rows:
    rows = (
        {"client": client, "month": month, "amount": 7 * MILLION * scale * place * share}
        for share, client in enumerate((CONSTRUCTORA, MINE))
        for place, month in enumerate(MONTHS)
    )
    return _each(currencies, *rows)


def _kpi_trend(currencies: tuple[str, ...], scale: int) -> Rows:
    measured = [
        ("dso", currencies, 30.0),
        ("overdue_share", currencies, 0.2),
        ("approval_rate", currencies, 0.9),
        ("acceptance_days", ("",), 12.0),
    ]
    return [
        {"month": month, "currency": code, "kpi": kpi, "value": value * scale * (1 + place / 40)}
        for kpi, codes, value in measured
        for code in codes
        for place, month in enumerate(MONTHS)
    ]


def _concentration(currencies: tuple[str, ...], scale: int) -> Rows:
    return _each(
        currencies,
        {"client": MINE, "receivable": 90 * MILLION * scale, "cumulative_share": 0.6},
        {"client": CONSTRUCTORA, "receivable": 60 * MILLION * scale, "cumulative_share": 1.0},
    )


_ROWS = {
    "monthly_trend": _monthly_trend,
    "ageing": _ageing,
    "states": _states,
    "client_performance": _by_name("client", payment_days=41.25),
    "manager_performance": _by_name("project_manager", approval_rate=None),
    "concentration": _concentration,
    "cash_flow": _cash_flow,
    "opex_capex": _opex_capex,
    "margin_by_project": _margin_by_project,
    "stages": _stages,
    "payment_heatmap": _payment_heatmap,
    "kpi_trend": _kpi_trend,
}


def _tables(product: str, currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    if product == "dashboards":
        return {
            "tables": {
                "collect_today": _to_collect(currencies, scale),
                "correct_and_resend": _to_correct(currencies, scale),
                "oldest_open": _oldest(currencies, scale),
            }
        }
    if product != "charts":
        return _financials(currencies, scale)
    reason = {"reason": "fuera_alcance", "amount": 3 * MILLION * scale, "count": 2}
    failure = {"kind": "error_tecnico", "amount": 4 * MILLION * scale, "count": 3}
    return {
        "tables": {
            "project_managers": _managers(currencies, scale),
            "rejection_reasons": _each(currencies, reason),
            "failure_kinds": _each(currencies, failure),
        }
    }


def _to_collect(currencies: tuple[str, ...], scale: int) -> Rows:
    certificate = {
        "certificate_id": "P-001/17",
        "project": "P-001",
        "client": MINE,
        "project_manager": "sin asignar",
        "state": "enviado",
        "why": "critical_client",
        "amount": 12_500_000 * scale,
        "sent_on": "2024-03-01",
        "days": 119,
        "overdue_days": None,
        "expected_days": 30.5,
        "urgency": 381_250_000 * scale,
    }
    return _each(currencies, certificate)


def _to_correct(currencies: tuple[str, ...], scale: int) -> Rows:
    common = {"project": "P-001", "client": MINE, "project_manager": "sin asignar"}
    returned = {
        "certificate_id": "P-002/3",
        **common,
        "state": "rechazado",
        "why": "returned_for_reason",
        "amount": 2 * MILLION * scale,
        "rejection_reason": "fuera_alcance",
        "returned_days": 12,
        "age_days": 40,
        "urgency": 24 * MILLION * scale,
    }
    unsent = {
        "certificate_id": "P-002/4",
        **common,
        "state": "revision",
        "why": "unsent",
        "amount": MILLION * scale,
        "rejection_reason": None,
        "returned_days": None,
        "age_days": 9,
        "urgency": 9 * MILLION * scale,
    }
    return [*_each(currencies, returned), *_each(currencies, unsent)]


def _oldest(currencies: tuple[str, ...], scale: int) -> Rows:
    oldest = {
        "certificate_id": "P-001/1",
        "project": "P-001",
        "client": MINE,
        "amount": 12_345_678 * scale,
        "age_days": 170,
        "overdue_days": 138,
    }
    return _each(currencies, oldest)


def _managers(currencies: tuple[str, ...], scale: int) -> Rows:
    amounts = {"approved": 80, "receivable": 30, "overdue": 20, "critical": 10}
    manager = {
        "project_manager": "Jorge Díaz",
        "certificates": 21 * scale,
        **_scaled(amounts, MILLION * scale),
        "approval_rate": 0.875,
        "dso": 41.0,
    }
    return _each(currencies, manager)


def _financials(currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    line = {
        "billed": 90,
        "approved": 80,
        "collected": 65,
        "opex": 30,
        "capex": 5,
        "costs": 35,
        "costs_paid_out": 33,
        "margin": 45,
    }
    amounts = _scaled(line, MILLION * scale)
    by_month = {name: [amount] * 12 for name, amount in amounts.items()}
    loss = _scaled({"approved": 40, "costs": 65, "margin": -25}, MILLION * scale)
    profit = _each(currencies, {"value": "P-002", **loss, "margin_share": -0.625})
    spent = {"amount": 9 * MILLION * scale, "count": 4}
    working_capital = {
        "dso": 41.5,
        "target_days": 35,
        "benchmark_days": 45,
        "gap_days": 6.5,
        "daily_billing": {"value": 2_666_666.5, "numerator": 976_000_000, "denominator": 366},
        "cash_tied": 17_333_333 * scale,
        "cash_tied_benchmark": -9_333_333 * scale,
    }
    expected = {"expected": 20, "low_50": 15, "high_50": 25, "low_90": 10, "high_90": 30}
    forecast = {
        **{name: [amount] * 12 for name, amount in _scaled(expected, MILLION * scale).items()},
        **_scaled({"later": 7, "unknown": 3, "receivable": 250}, MILLION * scale),
    }
    return {
        "statement": {
            "months": MONTHS,
            "lines": _each(currencies, {**by_month, "margin_share": [0.5625] * 12}),
        },
        "totals": _each(currencies, {**_scaled(amounts, 12), "margin_share": 0.5625}),
        "profitability": {"project": profit, "client": profit, "project_manager": profit},
        "suppliers": _each(currencies, {"supplier": "Áridos Sur", **spent}),
        "cost_categories": _each(currencies, {"category": "Materiales", **spent}),
        "working_capital": _each(currencies, working_capital),
        "forecast": {
            "months": AHEAD,
            "lines": _each(currencies, {**forecast, "basis": FORECAST_BASIS}),
        },
    }

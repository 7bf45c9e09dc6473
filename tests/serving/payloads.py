"""What products say of a filter, made by hand: enough of everything that pages show."""

from typing import Any

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.kpis import KPIS, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import AgainstTarget, CountBack, Herfindahl, Ratio, ShareOfAll, TopShare
from kpi_pipeline.model.pages import charts_of_product, kpis_of_product

MINE = "Minera Ñandú"
CONSTRUCTORA = "Constructora Árbol & Cía."
MONTHS = [f"2023-{month:02}" for month in range(7, 13)] + [f"2024-{month:02}" for month in range(1, 7)]
AHEAD = [f"2024-{month:02}" for month in range(7, 13)] + [f"2025-{month:02}" for month in range(1, 7)]
BUCKETS = ("0-30", "31-60", "61-90", "91-120", "120+")
STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
COMPARISON = {"from": "2023-06", "to": "2024-05", "previous_from": "2022-06", "previous_to": "2023-05"}
Rows = list[dict[str, Any]]

_SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "monthly_trend": (
        "totals_and_dso",
        {
            "month": "2024-06",
            "proposed": 7_020_000_000,
            "approved": 6_240_000_000,
            "paid": 5_460_000_000,
            "dso": 34.5,
        },
    ),
    "ageing": ("oldest", {"share": 0.2, "amount": 5_000_000}),
    "states": ("largest", {"state": "enviado", "share": 0.4, "amount": 42_000_000}),
    "concentration": ("top", {"client": MINE, "share": 0.6, "amount": 90_000_000}),
    "cash_flow": (
        "expected",
        {
            "month": "2024-07",
            "amount": 60_000_000,
            "low": 30_000_000,
            "high": 90_000_000,
            "total": 390_000_000,
        },
    ),
    "stages": ("bottleneck", {"stage": "conformity_to_payment", "days": 31.2, "total": 52.0}),
}


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
            "columns": [
                {"name": one.name, "label_es": one.label.es, "label_en": one.label.en, "kind": one.kind.value}
                for one in chart.fields
            ],
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
    head = {"currencies": list(currencies), "months": MONTHS, "comparison": COMPARISON}
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
    drawn = tuple(CHARTS) if product == "charts" else charts_of_product(product)
    return {
        **head,
        "options": {"client": [9, 12], "state": [2, 6, 13]},
        "kpis": kpis(kpis_of_product(product), currencies, scale),
        "charts": {name: _chart(name, currencies, scale) for name in drawn},
        **_tables(product, currencies, scale),
    }


def _value(kpi: Kpi, scale: int) -> dict[str, Any]:
    if kpi.unit in (Unit.MONEY, Unit.COUNT):
        kpi_value: dict[str, Any] = {"value": 1_234_000_000 * scale if kpi.per_currency else 21 * scale}
    else:
        kpi_value = {"value": 34.56 if kpi.unit is Unit.DAYS else 0.3456}
    if isinstance(kpi.formula, (Ratio, TopShare, Herfindahl, ShareOfAll, CountBack, AgainstTarget)):
        kpi_value |= {"numerator": 432_000_000, "denominator": 4_562_000_000}
    if getattr(kpi.formula, "times_days", False):
        kpi_value["window_days"] = 364
    return kpi_value


def _moves(kpi: Kpi, scale: int) -> dict[str, Any]:
    """How it moves: each KPI up by an eighth."""
    before = _value(kpi, scale)["value"] / 1.125
    trend = {"up": "improving", "down": "declining", "neutral": None}[kpi.direction.value]
    spark = [None, *(before * (1 + place / 80) for place in range(11))]
    return {
        "recent": before * 1.125,
        "previous": before,
        "change": before * 0.125,
        "change_share": 0.125,
        "trend": trend,
        "spark": spark,
    }


def _chart(name: str, currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    rows = _ROWS[name](currencies, scale)
    says = [
        {"currency": code, "sentence": _SAID[name][0], "values": _SAID[name][1]}
        if CHARTS[name].columns.count("currency")
        else {"sentence": _SAID[name][0], "values": _SAID[name][1]}
        for code in currencies[: None if "currency" in CHARTS[name].columns else 1]
        if name in _SAID
    ]
    columns = {column: [row[column] for row in rows] for column in CHARTS[name].columns}
    return {"columns": columns, "empty": not rows, "says": says}


def _monthly_trend(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {
            "month": month,
            "currency": code,
            "proposed": 90_000_000 * scale * place,
            "approved": 80_000_000 * scale * place,
            "paid": 70_000_000 * scale * place,
            "dso": None if place == 1 else 30.0 + place,
        }
        for code in currencies
        for place, month in enumerate(MONTHS, 1)
    ]


def _ageing(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {"bucket": one, "currency": code, "amount": 5_000_000 * scale, "count": 2 * scale, "share": 0.2}
        for code in currencies
        for one in BUCKETS
    ]


def _states(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {"state": one, "currency": code, "amount": 7_000_000 * scale * place, "count": 3 * scale}
        for code in currencies
        for place, one in enumerate(STATES, 1)
    ]


def _by_name(column: str, **more: Any) -> Any:
    def rows(currencies: tuple[str, ...], scale: int) -> Rows:
        return [
            {
                column: name,
                "currency": code,
                "approved": 90_000_000 * scale // place,
                "receivable": 30_000_000 * scale // place,
                "overdue": 20_000_000 * scale // place,
                **more,
            }
            for code in currencies
            for place, name in enumerate((MINE, CONSTRUCTORA, ""), 1)
        ]

    return rows


def _cash_flow(currencies: tuple[str, ...], scale: int) -> Rows:
    found = []
    for code in currencies:
        for place, month in enumerate([*MONTHS[-6:], *AHEAD]):
            expected = place >= 6
            amount = (90_000_000 - 4_000_000 * place) * scale
            ends = {"low_50": -0.2, "high_50": 0.2, "low_90": -0.5, "high_90": 0.5}
            found.append(
                {
                    "month": month,
                    "currency": code,
                    "kind": "expected" if expected else "collected",
                    "amount": amount,
                    **{name: round(amount * (1 + part)) if expected else None for name, part in ends.items()},
                }
            )
    return found


def _opex_capex(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {"month": month, "currency": code, "opex": 30_000_000 * scale, "capex": 4_000_000 * scale * place}
        for code in currencies
        for place, month in enumerate(MONTHS)
    ]


def _margin_by_project(currencies: tuple[str, ...], scale: int) -> Rows:
    found = []
    for code in currencies:
        for project, revenue, cost in (("P-001", 90, 60), ("P-002", 40, 65)):
            margin = revenue - cost
            money = {"revenue": revenue, "cost": cost, "margin": margin}
            found.append(
                {
                    "project": project,
                    "currency": code,
                    **{name: amount * 1_000_000 * scale for name, amount in money.items()},
                    "margin_share": margin / revenue,
                }
            )
    return found


def _stages(_: tuple[str, ...], scale: int) -> Rows:
    return [
        {"stage": "issue_to_sent", "start": 0.0, "end": 6.3, "days": 6.3, "count": 20 * scale},
        {"stage": "sent_to_conformity", "start": 6.3, "end": 20.8, "days": 14.5, "count": 18 * scale},
        {"stage": "conformity_to_payment", "start": 20.8, "end": 52.0, "days": 31.2, "count": 13 * scale},
    ]


def _payment_heatmap(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {"client": client, "month": month, "currency": code, "amount": 7_000_000 * scale * place * share}
        for code in currencies
        for share, client in enumerate((CONSTRUCTORA, MINE))
        for place, month in enumerate(MONTHS)
    ]


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
    return [
        {
            "client": name,
            "currency": code,
            "receivable": amount * 1_000_000 * scale,
            "cumulative_share": share,
        }
        for code in currencies
        for name, amount, share in ((MINE, 90, 0.6), (CONSTRUCTORA, 60, 1.0))
    ]


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
        return {"tables": {"critical_certificates": _critical(currencies, scale)}}
    if product == "charts":
        return {
            "tables": {
                "project_managers": _managers(currencies, scale),
                "rejection_reasons": [
                    {"reason": "fuera_alcance", "currency": code, "amount": 3_000_000 * scale, "count": 2}
                    for code in currencies
                ],
                "failure_kinds": [
                    {"kind": "error_tecnico", "currency": code, "amount": 4_000_000 * scale, "count": 3}
                    for code in currencies
                ],
            }
        }
    return _financials(currencies, scale)


def _critical(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {
            "certificate_id": "P-001/17",
            "project": "P-001",
            "client": MINE,
            "project_manager": "sin asignar",
            "state": "enviado",
            "currency": code,
            "amount": 12_500_000 * scale,
            "sent_on": "2024-03-01",
            "days": 119,
            "overdue_days": None,
            "urgency": 78,
        }
        for code in currencies
    ]


def _managers(currencies: tuple[str, ...], scale: int) -> Rows:
    return [
        {
            "project_manager": "Jorge Díaz",
            "currency": code,
            "certificates": 21 * scale,
            "approved": 80_000_000 * scale,
            "receivable": 30_000_000 * scale,
            "overdue": 20_000_000 * scale,
            "critical": 10_000_000 * scale,
            "approval_rate": 0.875,
            "dso": 41.0,
        }
        for code in currencies
    ]


def _financials(currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    line = {
        "billed": 90_000_000,
        "approved": 80_000_000,
        "collected": 65_000_000,
        "opex": 30_000_000,
        "capex": 5_000_000,
        "costs": 35_000_000,
        "costs_paid_out": 33_000_000,
        "margin": 45_000_000,
    }
    profit = [
        {
            "value": "P-002",
            "currency": code,
            "approved": 40_000_000 * scale,
            "costs": 65_000_000 * scale,
            "margin": -25_000_000 * scale,
            "margin_share": -0.625,
        }
        for code in currencies
    ]
    return {
        "statement": {
            "months": MONTHS,
            "lines": [
                {
                    "currency": code,
                    **{name: [amount * scale] * 12 for name, amount in line.items()},
                    "margin_share": [0.5625] * 12,
                }
                for code in currencies
            ],
        },
        "totals": [
            {
                "currency": code,
                **{name: amount * scale * 12 for name, amount in line.items()},
                "margin_share": 0.5625,
            }
            for code in currencies
        ],
        "profitability": {"project": profit, "client": profit, "project_manager": profit},
        "suppliers": [
            {"supplier": "Áridos Sur", "currency": code, "amount": 9_000_000 * scale, "count": 4}
            for code in currencies
        ],
        "cost_categories": [
            {"category": "Materiales", "currency": code, "amount": 9_000_000 * scale, "count": 4}
            for code in currencies
        ],
        "working_capital": [
            {
                "currency": code,
                "dso": 41.5,
                "target_days": 35,
                "benchmark_days": 45,
                "gap_days": 6.5,
                "daily_billing": {"value": 2_666_666.5, "numerator": 976_000_000, "denominator": 366},
                "cash_tied": 17_333_333 * scale,
                "cash_tied_benchmark": -9_333_333 * scale,
            }
            for code in currencies
        ],
        "forecast": {
            "months": AHEAD,
            "lines": [
                {
                    "currency": code,
                    "expected": [20_000_000 * scale] * 12,
                    "low_50": [15_000_000 * scale] * 12,
                    "high_50": [25_000_000 * scale] * 12,
                    "low_90": [10_000_000 * scale] * 12,
                    "high_90": [30_000_000 * scale] * 12,
                    "later": 7_000_000 * scale,
                    "unknown": 3_000_000 * scale,
                    "receivable": 250_000_000 * scale,
                }
                for code in currencies
            ],
            "dispersion": {code: [1.0] * 12 for code in currencies},
        },
    }

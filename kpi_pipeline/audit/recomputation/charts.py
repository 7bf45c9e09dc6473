"""The columns of every chart, and what each says of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kpi_pipeline.audit.recomputation import months as month
from kpi_pipeline.audit.recomputation import sentences as say
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.finances import first_whole_month, forecast_line
from kpi_pipeline.audit.recomputation.kpi_values import KpiValues
from kpi_pipeline.audit.recomputation.measures import COSTS, FLOWS, STATES, STOCKS
from kpi_pipeline.audit.recomputation.quotients import Data, exact, part
from kpi_pipeline.audit.recomputation.rankings import Ranked, by_value, ranked, total, with_others
from kpi_pipeline.audit.recomputation.tables import STAGES, ageing, stages
from kpi_pipeline.audit.recomputation.variant import Variant

Rows = list[tuple[Any, ...]]

TOP = 10
PAID_MONTHS = 6
TREND_KPIS = ("dso", "overdue_share", "approval_rate", "acceptance_days")


def charts(variant: Variant, readings: KpiValues) -> dict[str, Data]:
    """Every chart, by name."""
    return {name: draw(variant, readings) for name, draw in DRAWN.items()}


def chart(columns: Sequence[str], rows: Rows, drawn: Sequence[str], says: list[Data | None]) -> Data:
    """A chart of rows. It is empty where none of the columns drawn holds anything, and then says nothing."""
    at = [columns.index(name) for name in drawn]
    empty = not any(row[place] for row in rows for place in at)
    return {
        "columns": {name: [row[place] for row in rows] for place, name in enumerate(columns)},
        "empty": empty,
        "says": [] if empty else [one for one in says if one is not None],
    }


def _monthly_trend(variant: Variant, readings: KpiValues) -> Data:
    rows: Rows = []
    says = []
    names = ("proposed", "approved", "paid")
    for code in variant.currencies:
        place = variant.place(code)
        amounts = [[variant.flow(f"{name}_amount", one, place) for one in variant.months] for name in names]
        dso = readings.of("dso", code)["spark"]
        texts = [month.text(one) for one in variant.months]
        rows += zip(texts, [code] * len(texts), *amounts, dso, strict=True)
        proposed, approved, paid = map(sum, amounts)
        says.append(say.monthly_trend(code, texts[0], _until(variant), proposed, approved, paid, dso[-1]))
    return chart(("month", "currency", *names, "dso"), rows, names, says)


def _until(variant: Variant) -> str:
    return variant.oracle.as_of.isoformat()


def _ageing(variant: Variant, _readings: KpiValues) -> Data:
    columns = ("bucket", "amount", "count", "share")
    lines = ageing(variant)
    rows = [
        (one["bucket"], line["currency"], one["amount"], one["count"], one["share"])
        for line in lines
        for one in line["by_issue"]
    ]
    says = [say.ageing(line["currency"], line["by_issue"]) for line in lines]
    return chart((columns[0], "currency", *columns[1:]), rows, ("amount", "count"), says)


def _states(variant: Variant, _readings: KpiValues) -> Data:
    rows: Rows = []
    says = []
    measures = {**FLOWS, **STOCKS}
    window = Window(None, variant.oracle.as_of) if variant.is_cohort else variant.oracle.windows[0]
    for code in variant.currencies:
        found = []
        for state in STATES:
            amount, count = (
                sum(
                    measures[f"state_{state}_{what}"](one, window)
                    for one in variant.certificate_states
                    if one.currency == code
                )
                for what in ("amount", "count")
            )
            found.append((state, code, amount, count))
        rows += found
        says.append(say.states(code, {state: amount for state, _, amount, _ in found}))
    return chart(("state", "currency", "amount", "count"), rows, ("amount", "count"), says)


def _performance(
    dimension: str, leader: str, quotient: str, above: str, below: str
) -> Callable[[Variant, KpiValues], Data]:
    amounts = ("approved_amount", "receivable_amount", "overdue_amount")

    def draw(variant: Variant, _readings: KpiValues) -> Data:
        rows: Rows = []
        says = []
        for code in variant.currencies:
            names = tuple(dict.fromkeys((*amounts, above, below)))
            found = by_value(variant, dimension, code, names)
            for value, sums in with_others(ranked(found, lambda one: one["approved_amount"]), TOP):
                shown = [sums[name] for name in amounts]
                rows.append((value, code, *shown, exact(sums[above], sums[below])))
            says.append(say.performance(code, found, dimension, leader))
        columns = (dimension, "currency", "approved", "receivable", "overdue", quotient)
        return chart(columns, rows, columns[2:5], says)

    return draw


def _concentration(variant: Variant, _readings: KpiValues) -> Data:
    rows: Rows = []
    says = []
    for code in variant.currencies:
        found = by_value(variant, "client", code, ("receivable_amount",))
        order: Ranked = ranked(found, lambda one: one["receivable_amount"])
        whole, so_far = sum(one["receivable_amount"] for _, one in order), 0
        for client, sums in with_others(order, TOP):
            so_far += sums["receivable_amount"]
            owed = sums["receivable_amount"]
            rows.append((client, code, owed, part(so_far, whole) if whole > 0 and owed >= 0 else None))
        says.append(say.concentration(code, order))
    columns = ("client", "currency", "receivable", "cumulative_share")
    return chart(columns, rows, ("receivable",), says)


def _cash_flow(variant: Variant, _readings: KpiValues) -> Data:
    bands = ("low_50", "high_50", "low_90", "high_90")
    rows: Rows = []
    says = []
    for code in variant.currencies:
        line, place = forecast_line(variant, code), variant.place(code)
        collected = [variant.flow("paid_amount", one, place) for one in variant.months[-PAID_MONTHS:]]
        for one, amount in zip(variant.months[-PAID_MONTHS:], collected, strict=True):
            rows.append((month.text(one), code, "collected", amount, None, None, None, None))
        months = variant.oracle.forecaster.months
        for at, text in enumerate(months if line["basis"]["rule"] != "none" else ()):
            ends = [line[name][at] for name in bands]
            rows.append((text, code, "expected", line["expected"][at], *ends))
        says.append(say.cash_flow(code, months, line, sum(collected), first_whole_month(variant)))
    columns = ("month", "currency", "kind", "amount", *bands)
    return chart(columns, rows, ("amount",), says)


def _opex_capex(variant: Variant, _readings: KpiValues) -> Data:
    rows: Rows = []
    says: list[Data | None] = []
    for code in variant.currencies:
        place, since = variant.place(code), month.text(variant.months[0])
        opex, capex = ([variant.flow(name, one, place) for one in variant.months] for name in COSTS[:2])
        for one, *amounts in zip(variant.months, opex, capex, strict=True):
            shown = amounts if variant.knows_costs(code) else [None, None]
            rows.append((month.text(one), code, *shown))
        if variant.knows_costs(code):
            says.append(say.opex_capex(code, since, _until(variant), sum(opex), sum(capex)))
    return chart(("month", "currency", "opex", "capex"), rows, ("opex", "capex"), says)


def _margin_by_project(variant: Variant, _readings: KpiValues) -> Data:
    rows: Rows = []
    says: list[Data | None] = []
    for code in variant.currencies:
        found = by_value(variant, "project", code, ("approved_amount", *COSTS[:2]))
        for project, sums in with_others(ranked(found, lambda one: one["approved_amount"]), TOP):
            revenue, cost = sums["approved_amount"], sum(sums[name] for name in COSTS[:2])
            left = [cost, revenue - cost, exact(revenue - cost, revenue)]
            rows.append((project, code, revenue, *(left if variant.knows_costs(code) else [None] * 3)))
        if variant.knows_costs(code):
            says.append(say.margin_by_project(code, found))
    columns = ("project", "currency", "revenue", "cost", "margin", "margin_share")
    return chart(columns, rows, columns[2:5], says)


def _stages(variant: Variant, _readings: KpiValues) -> Data:
    found = stages(variant)
    rows: Rows = []
    end = 0.0
    for one in found["stages"]:
        start, end = end, end + (one["days"] or 0.0)
        rows.append((one["stage"], start, end, one["days"], one["count"]))
    columns = ("stage", "start", "end", "days", "count")
    return chart(columns, rows, ("count",), [say.stages(found, end)])


def _payment_heatmap(variant: Variant, _readings: KpiValues) -> Data:
    rows: Rows = []
    says = []
    texts = [month.text(one) for one in variant.months]
    for code in variant.currencies:
        paid: dict[str, dict[str, int]] = {}
        for one in variant.of_any_month:
            on = one.settled_on
            if one.currency == code and one.collected and on is not None and f"{on:%Y-%m}" in texts:
                months = paid.setdefault(one.values["client"], dict.fromkeys(texts, 0))
                months[f"{on:%Y-%m}"] += one.collected
        order = ranked(
            {client: months for client, months in paid.items() if any(months.values())},
            lambda months: sum(months.values()),
        )
        for client, months in order[:8]:
            rows += [(client, text, code, amount) for text, amount in months.items()]
        says.append(say.payment_heatmap(code, order, total(order)))
    return chart(("client", "month", "currency", "amount"), rows, ("amount",), says)


def _kpi_trend(variant: Variant, readings: KpiValues) -> Data:
    rows: Rows = []
    texts = [month.text(one) for one in variant.months]
    for name in TREND_KPIS:
        for reading in readings[name]:
            code = reading.get("currency", "")
            rows += [(text, code, name, value) for text, value in zip(texts, reading["spark"], strict=True)]
    says = [say.kpi_trend(one["currency"], texts, one["spark"]) for one in readings["dso"]]
    columns = ("month", "currency", "kpi", "value")
    return {
        "columns": {name: [row[place] for row in rows] for place, name in enumerate(columns)},
        # A KPI of 0 is one: only where nothing is known is there nothing to draw.
        "empty": all(row[-1] is None for row in rows),
        "says": [one for one in says if one is not None],
    }


DRAWN: Mapping[str, Callable[[Variant, KpiValues], Data]] = {
    "monthly_trend": _monthly_trend,
    "ageing": _ageing,
    "states": _states,
    "client_performance": _performance(
        "client", "overdue_client", "payment_days", "payment_days", "payment_days_count"
    ),
    "manager_performance": _performance(
        "project_manager",
        "overdue_manager",
        "approval_rate",
        "approved_amount",
        "decided_proposed_amount",
    ),
    "concentration": _concentration,
    "cash_flow": _cash_flow,
    "opex_capex": _opex_capex,
    "margin_by_project": _margin_by_project,
    "stages": _stages,
    "payment_heatmap": _payment_heatmap,
    "kpi_trend": _kpi_trend,
}
"""How each chart is made."""

__all__ = ["DRAWN", "STAGES", "charts"]

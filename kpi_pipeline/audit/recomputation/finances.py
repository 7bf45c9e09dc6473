"""The financial statement, working capital and the forecast."""

from kpi_pipeline.audit.recomputation import months as month
from kpi_pipeline.audit.recomputation.forecast import MONTHS, NEXT, NEXT_DAYS, Outcome
from kpi_pipeline.audit.recomputation.kpi_values import KpiValues
from kpi_pipeline.audit.recomputation.kpis import View
from kpi_pipeline.audit.recomputation.measures import COSTS
from kpi_pipeline.audit.recomputation.quotients import Data, exact
from kpi_pipeline.audit.recomputation.variant import Variant

FLOWS = {"billed": "proposed_amount", "approved": "approved_amount", "collected": "paid_amount"}


def statement(variant: Variant) -> Data:
    """What was billed, approved, collected and spent in each month of the trend."""
    return {
        "months": [month.text(one) for one in variant.months],
        "lines": [{"currency": code, **_by_month(variant, code)} for code in variant.currencies],
    }


def totals(variant: Variant) -> list[Data]:
    """The statement over its months together."""
    return [{"currency": code, **_line(variant, code, variant.months)} for code in variant.currencies]


def working_capital(variant: Variant, readings: KpiValues) -> list[Data]:
    """What the distance of DSO to its target and to the industry's ties up."""
    limits, found = variant.oracle.limits, []
    days = variant.window_days(0)
    for code in variant.currencies:
        own = View(variant, 0, variant.place(code)).own
        receivable, billed = own["receivable_amount"], own["billed_amount"]
        dso = readings.of("dso", code)["value"]

        def tied(aim: int, owed: int = receivable, approved: int = billed) -> int | None:
            return (owed * days - aim * approved) // days if days else None

        found.append(
            {
                "currency": code,
                "dso": dso,
                "target_days": limits.target_days,
                "benchmark_days": limits.benchmark_days,
                "gap_days": None if dso is None else dso - limits.target_days,
                "daily_billing": {
                    "value": exact(billed, days),
                    "numerator": billed,
                    "denominator": days,
                },
                "cash_tied": tied(limits.target_days),
                "cash_tied_benchmark": tied(limits.benchmark_days),
            }
        )
    return found


def forecast(variant: Variant) -> Data:
    """What is expected in the months to come."""
    forecaster = variant.oracle.forecaster
    return {
        "months": forecaster.months,
        "lines": [{"currency": code, **forecast_line(variant, code)} for code in variant.currencies],
    }


def next_days(variant: Variant) -> list[Data]:
    """What is expected in the 30 days after the business date."""
    found, until = [], variant.oracle.as_of + NEXT_DAYS
    for code in variant.currencies:
        outcome, basis = _expected(variant, code), variant.oracle.forecaster.basis(code)
        if basis.rule != "none":
            ends = basis.bands(outcome, is_part=bool(variant.asked))
            found.append(
                {
                    "currency": code,
                    "days": 30,
                    "until": until.isoformat(),
                    "amount": outcome.expected[NEXT],
                    **{name: ends[name][NEXT] for name in ("low_90", "high_90")},
                    "coverage_90": (basis.next_test or {})[
                        "client_coverage_90" if variant.asked else "coverage_90"
                    ],
                }
            )
    return found


def first_whole_month(variant: Variant) -> int:
    """Its place among the months that are forecast."""
    present = month.text(month.of(variant.oracle.as_of))
    return int(variant.oracle.forecaster.months[0] == present)


def forecast_line(variant: Variant, code: str) -> Data:
    """The forecast of a currency."""
    outcome, basis = _expected(variant, code), variant.oracle.forecaster.basis(code)
    receivable = sum(
        one.outstanding
        for one in variant.certificate_states
        if one.currency == code and one.is_receivable and one.is_issued
    )
    if basis.rule == "none":
        names = ("expected", "low_50", "high_50", "low_90", "high_90")
        line: Data = {**{name: [None] * MONTHS for name in names}, "later": None, "unknown": None}
    else:
        ends = basis.bands(outcome, is_part=bool(variant.asked))
        line = {
            "expected": outcome.expected[:MONTHS],
            **{name: amounts[:MONTHS] for name, amounts in ends.items()},
            "later": outcome.known - sum(outcome.expected[:MONTHS]),
            "unknown": outcome.unknown,
        }
    return {**line, "receivable": receivable, "basis": basis.as_published()}


def _expected(variant: Variant, code: str) -> Outcome:
    issued = (one for one in variant.certificate_states if one.is_issued)
    return variant.oracle.forecaster.of(one for one in issued if one.currency == code)


def _by_month(variant: Variant, code: str) -> Data:
    lines = [_line(variant, code, [one]) for one in variant.months]
    return {name: [line[name] for line in lines] for name in lines[0]}


def _line(variant: Variant, code: str, months: list[int]) -> Data:
    place = variant.place(code)
    found: Data = {name: _flow(variant, amount, months, place) for name, amount in FLOWS.items()}
    opex, capex = (_flow(variant, name, months, place) for name in COSTS[:2])
    left = found["approved"] - opex - capex
    spent = {
        "opex": opex,
        "capex": capex,
        "costs": opex + capex,
        "costs_paid_out": _flow(variant, "paid_out_amount", months, place),
        "margin": left,
        "margin_share": exact(left, found["approved"]),
    }
    return {**found, **(spent if variant.knows_costs(code) else dict.fromkeys(spent))}


def _flow(variant: Variant, name: str, months: list[int], place: int) -> int:
    return sum(variant.flow(name, one, place) for one in months)

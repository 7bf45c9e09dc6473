"""What is published adds up: a dimension's values sum to the total, in every additive figure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.kpis import OF_COSTS
from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.audit.recomputation.rows import DIMENSIONS
from kpi_pipeline.audit.recomputation.variant import NOT_OF_COSTS
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import Filter

from .both_ways import DEMO_DAY, WINDOW_MONTHS, BothWays

pytestmark = pytest.mark.slow

Name = tuple[str, ...]
Data = dict[str, Any]

STOCKS = (
    *("receivable", "receivable_count", "pending", "portfolio", "overdue", "overdue_count", "retained"),
    *("returned", "returned_count", "unsent", "unsent_count", "due_assumed_count"),
    *("idle_notice_count", "idle_warning_count", "idle_urgent_count", "idle_critical_count"),
    *("conformity_pending", "conformity_pending_count", "critical", "critical_count", "costs_pending"),
)
"""KPIs that are sums of what stands on the day."""

SUMS = (
    *STOCKS,
    *("proposed", "approved", "paid", "certificates", "paid_count", "cancelled_count"),
    *("approved_assumed_count", "high_amount_count"),
    *("costs", "opex", "capex", "costs_paid", "gross_margin", "cash_margin"),
)
"""KPIs that are sums."""

QUOTIENTS_OF_STOCKS = (
    *("overdue_share", "receivable_age", "waiting_days", "returned_days", "unsent_days", "idle_days"),
    "critical_days",
)
"""KPIs that are a sum by a sum of what stands on the day."""

QUOTIENTS = (
    *QUOTIENTS_OF_STOCKS,
    *("average_certificate", "approval_rate", "approval_rate_count", "recovery_rate", "acceptance_days"),
    *("payment_days", "late_days", "sending_days", "settling_days", "fast_collection_rate"),
    *("rejection_rate", "rework_rate", "first_pass_rate", "gross_margin_share"),
)
"""KPIs that are a sum by a sum."""

FLOWS, COST_FLOWS = (
    ("billed", "approved", "collected"),
    ("opex", "capex", "costs", "costs_paid_out", "margin"),
)
"""Lines of the statement."""


def of_kpis(said: Data, has_costs: bool, has_flows: bool) -> Iterator[tuple[Name, int]]:
    """The additive figures of the KPIs' payload."""
    sums, quotients = (SUMS, QUOTIENTS) if has_flows else (STOCKS, QUOTIENTS_OF_STOCKS)
    for names, parts in ((sums, ("value",)), (quotients, ("numerator", "denominator"))):
        for name in names:
            for one in said["kpis"][name]:
                for part in parts:
                    if has_costs or name not in OF_COSTS:
                        yield (name, part, one.get("currency", "")), one[part]
    for line in said["ageing"]:
        for by in ("by_issue", "by_due"):
            for one in line[by]:
                yield (by, one["bucket"], "amount", line["currency"]), one["amount"]
                yield (by, one["bucket"], "count", line["currency"]), one["count"]
    for one in said["stages"]["stages"] if has_flows else ():
        yield ("stage", one["stage"]), one["count"]


def of_states(said: Data) -> Iterator[tuple[Name, int]]:
    """The additive figures of the chart of states."""
    columns = said["charts"]["states"]["columns"]
    for state, code, amount, count in zip(*(columns[name] for name in columns), strict=True):
        yield ("states", state, "amount", code), amount
        yield ("states", state, "count", code), count


def of_trend(said: Data, has_costs: bool) -> Iterator[tuple[Name, int]]:
    """The additive figures of the statement, month by month."""
    for line in said["statement"]["lines"]:
        for name in (*FLOWS, *(COST_FLOWS if has_costs else ())):
            for month, amount in zip(said["months"], line[name], strict=True):
                yield ("statement", name, month, line["currency"]), amount


def of_positions(said: Data) -> Iterator[tuple[Name, int]]:
    """What stood at each month end."""
    for name in ("receivable", "overdue", "critical"):
        for one in said["kpis"][name]:
            for month, amount in zip(said["months"], one["spark"], strict=True):
                yield ("position", name, month, one["currency"]), amount


def additive(cube: Cube, filters: list[Filter], dimension: str) -> Iterator[tuple[Name, int]]:
    """The figures of some variants that are sums over their certificates and costs.

    Figures of costs are left out where the dimension cuts none. By month they are cohorts, which together
    hold all time and not a window: of them what stands on the day alone adds up.
    """
    found, has_costs, has_flows = [cube.select(filters)], dimension not in NOT_OF_COSTS, dimension != "month"
    for _, said in payloads("kpis", found):
        yield from of_kpis(said, has_costs, has_flows)
        if has_flows:
            yield from of_positions(said)
    if has_flows:
        for _, said in payloads("charts", found):
            yield from of_states(said)
        for _, said in payloads("financials", found):
            yield from of_trend(said, has_costs)


def sum_by_place(figures: Iterable[tuple[Name, int]]) -> Counter[Name]:
    """Figures of the same name together; those that are 0 may as well not be there."""
    total: Counter[Name] = Counter()
    for name, value in figures:
        total[name] += value
    return Counter({name: value for name, value in total.items() if value})


@pytest.fixture(scope="module")
def cube_and_oracle(demo: BothWays) -> tuple[Cube, Oracle]:
    """The demo on its last day, for every dimension."""
    return demo.cube(DEMO_DAY), demo.oracle(DEMO_DAY)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_values_of_a_dimension_sum_to_the_total(cube_and_oracle: tuple[Cube, Oracle], dimension: str) -> None:
    cube, oracle = cube_and_oracle
    total = sum_by_place(additive(cube, [Filter()], dimension))
    if dimension != "month":
        states, window = oracle.certificate_states, Window.ending(DEMO_DAY, WINDOW_MONTHS)
        issued = [one for one in states if one.is_counted and one.issued in window]
        assert total["certificates", "value", ""] == len(issued) > 50
        assert total["proposed", "value", "CLP"] > 0
    assert total["receivable", "value", "CLP"] > 0
    assert (total["costs_pending", "value", "CLP"] > 0) == (dimension not in NOT_OF_COSTS)
    singles = [Filter(((dimension, (value,)),)) for value in cube.frame.values[dimension]]
    assert len(singles) > 1
    assert sum_by_place(additive(cube, singles, dimension)) == total

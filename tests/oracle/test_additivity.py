"""What is published adds up: a dimension's values sum to the total, in every additive figure."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.compute.payloads import payloads

from .both_ways import DEMO_DAY, BothWays
from .figures import COUNTS, MONEY
from .source_rows import DIMENSIONS

pytestmark = pytest.mark.slow

Name = tuple[str, ...]


def additive(dashboard: dict[str, Any], kpis: dict[str, Any]) -> Iterator[tuple[Name, int]]:
    """The figures of one variant that are sums over its certificates."""
    for name in (*MONEY, *COUNTS):
        for reading in kpis["kpis"][name]:
            yield (name, reading.get("currency", "")), reading["value"]
    for name in ("acceptance_days", "waiting_days", "approval_rate", "approval_rate_count"):
        for reading in kpis["kpis"][name]:
            yield (name, "numerator", reading.get("currency", "")), reading["numerator"]
            yield (name, "denominator", reading.get("currency", "")), reading["denominator"]
    for line in dashboard["ageing"]:
        for one in line["buckets"]:
            yield (one["bucket"], "amount", line["currency"]), one["amount"]
            yield (one["bucket"], "count", line["currency"]), one["count"]
    for line in dashboard["states"]:
        for one in line["states"]:
            yield (one["state"], "amount", line["currency"]), one["amount"]
            yield (one["state"], "count", line["currency"]), one["count"]


def sums(cube: Cube, dimension: str | None) -> Counter[Name]:
    """Each additive figure over the single values of a dimension; of everything where it is None."""
    total: Counter[Name] = Counter()
    wanted = [
        one
        for one in cube.hot_filters()
        if tuple(name for name, _ in one.terms) == ((dimension,) if dimension else ())
    ]
    found = [cube.select(wanted)]
    for (_, dashboard), (_, kpis) in zip(
        payloads("dashboards", cube, found), payloads("kpis", cube, found), strict=True
    ):
        for name, value in additive(dashboard, kpis):
            total[name] += value
    return total


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_values_of_a_dimension_sum_to_the_total(demo: BothWays, dimension: str) -> None:
    cube = demo.cube(DEMO_DAY)
    total = sums(cube, None)
    assert total["certificates", ""] == 2000 - 6
    assert total["proposed", "CLP"] == sum(row["amount_proposed"] for row in demo.rows)
    assert sums(cube, dimension) == total

"""The comparison can fail: one unit or one day of one certificate is found, and only where it shows."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.demo.database import write_demo

from .both_ways import DEMO_DAY, BothWays, certificate
from .comparison import assert_agreement, disagreements, each_disagreement
from .source_rows import demo_costs, demo_rows

pytestmark = pytest.mark.slow

AS_OF = date(2024, 3, 15)
PAID = certificate(
    "pagado",
    date(2024, 1, 10),
    1000,
    900,
    sent_on=date(2024, 1, 12),
    conformity_on=date(2024, 1, 22),
    paid_on=date(2024, 2, 20),
)
UNPAID = certificate("enviado", date(2024, 1, 14), 500, sent_on=date(2024, 1, 16), client="Sur")
CERTIFICATES = [PAID, UNPAID]


@pytest.fixture(scope="module")
def unchanged() -> Oracle:
    """The oracle of the certificates as they are, on whose figures both agree."""
    both = BothWays.of_certificates(CERTIFICATES)
    assert_agreement(both, AS_OF)
    return both.oracle(AS_OF)


@pytest.mark.parametrize(
    ("original", "change"),
    [
        (PAID, {"amount_proposed": 1001}),
        (PAID, {"amount_approved": 899}),
        (PAID, {"month": date(2023, 12, 1)}),
        (PAID, {"paid_on": date(2024, 1, 31)}),
        (PAID, {"conformity_on": date(2024, 1, 23)}),
        (PAID, {"currency": "USD"}),
        (PAID, {"client": "Sur"}),
        (PAID, {"state": "validado", "paid_on": None}),
        (UNPAID, {"issued_on": AS_OF - timedelta(60)}),
        (UNPAID, {"issued_on": AS_OF + timedelta(1)}),
        (UNPAID, {"sent_on": AS_OF - timedelta(60)}),
        (UNPAID, {"sent_on": None}),
        (UNPAID, {"expected_payment_on": AS_OF}),
        (UNPAID, {"state": "pendiente"}),
    ],
    ids=str,
)
def test_any_change_of_one_certificate_is_found(
    unchanged: Oracle, original: dict[str, Any], change: dict[str, Any]
) -> None:
    changed = [{**row, **change} if row is original else row for row in CERTIFICATES]
    cube = BothWays.of_certificates(changed).cube(AS_OF)
    assert next(each_disagreement(unchanged, cube.slices()), None)


@pytest.mark.parametrize("rows", [60, pytest.param(600, marks=pytest.mark.sweep)])
def test_one_unit_is_found_in_every_variant_that_holds_it(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "demo.db"
    write_demo(path, rows=rows, seed=1, today=DEMO_DAY, progress=None)
    both = BothWays.of_source(f"sqlite:///{path}", "edp", demo_rows(path), demo_costs(path))
    row = next(one for one in both.rows if one["state"] == "enviado")
    cube = both.cube(DEMO_DAY)
    row["amount_proposed"] += 1
    oracle = both.oracle(DEMO_DAY)
    values = next(one.values for one in oracle.certificate_states if one.row is row)
    found = disagreements(oracle, cube.slices())

    holding = {
        one for one in cube.candidate_filters() if all(values[name] in some for name, some in one.terms)
    }
    # A month's trend also shows the months before it.
    showing = {
        one
        for one in cube.candidate_filters()
        if all(values[name] in some for name, some in one.without("month").terms)
    }
    # Bands of the forecast rest on how all forecasts have missed; the KPIs of a filter on its rows alone.
    of_kpis = {
        one for one, problems in found.items() if any(problem.startswith("kpis.") for problem in problems)
    }
    assert holding <= of_kpis <= showing
    everything = found[next(one for one in holding if not one.terms)]
    assert any(problem.startswith("kpis.kpis.proposed[0].value: ") for problem in everything)
    assert {problem.partition(".")[0] for problem in everything} == {
        "kpis",
        "dashboards",
        "charts",
        "financials",
    }

"""What is expected of a certificate, month by month, to the last unit."""

from datetime import timedelta

import pyarrow as pa
import pytest

from kpi_pipeline.compute.forecasting.expected_payments import expected_payments
from kpi_pipeline.compute.forecasting.forecast import OUTLOOK_SCHEMA
from kpi_pipeline.model.components import FORECAST_MONTHS, HORIZONS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE, VARIANCE_UNIT, ForecastRule
from tests.compute.blocks.conftest import basis
from tests.compute.rows import AS_OF, certificate, rolled


@pytest.mark.parametrize("amount", [1_000_003, -1_000_003, 10**10 + 1, 5 * 10**11 + 1])
def test_what_is_expected_follows_the_payments_of_the_client(amount: int) -> None:
    payments = [
        certificate(issued, "pagado") | {"paid_on": issued + timedelta(days)}
        for days in (10, 50, 110)
        for issued in [AS_OF - timedelta(300)] * 10
    ]
    open_one = certificate(AS_OF - timedelta(20), amount_proposed=amount, client="other")
    cells = rolled([*payments, open_one]).cells.to_pylist()
    cell = next(row for row in cells if row["state"] == "enviado")
    # 31 at risk on day 10, 20 on day 50 (30 days from now, in April), 10 on day 110 (in June).
    # The client is another: no landmarks stand beside the curve.
    whole, now = SURVIVAL_SCALE, SURVIVAL_SCALE * 21 // 31
    left = (now * 10 // 20) * whole // now
    april = abs(amount) * (whole - left) // whole * (1 if amount > 0 else -1)
    spread = left * (whole - left) // whole
    variance = (abs(amount) // VARIANCE_UNIT) ** 2 * spread // whole
    # That of the largest debt is cut, so that sums over many cells fit 64 bits.
    variance = min(variance, 2**53)
    expected = {
        "forecast_1": april,
        "forecast_3": amount - april,
        "variance_1": variance,
        "variance_3": variance,
        # The day in April is the last of the next 30.
        "forecast_next": april,
        "variance_next": variance,
    }
    found = {
        name: value for name, value in cell.items() if name.startswith(("forecast", "variance")) and value
    }
    assert found == {name: value for name, value in expected.items() if value}


def test_the_naive_rule_is_a_share_of_each_certificate_with_an_estimate() -> None:
    """Each is rounded by itself, so that those of any filter add up to what the filter shows."""
    soon = SURVIVAL_SCALE // 5
    shares = [SURVIVAL_SCALE // 2, SURVIVAL_SCALE // 4, *[0] * (FORECAST_MONTHS - 2), soon]
    items = pa.table({"amount": [101, -101, 101, 40], "currency": ["CLP", "CLP", "CLP", "USD"]})
    known = [*[1] * 2, 0, 1]
    rows = [
        {"client": "x", "is_accepted": True, "age_days": at, "survival_now": now * SURVIVAL_SCALE}
        | {f"survival_{horizon}": 0 for horizon in HORIZONS}
        for at, now in enumerate(known)
    ]
    naive_unpaid = {"CLP": basis(ForecastRule.NAIVE, shares).naive_unpaid}
    expected, variance = expected_payments(items, pa.Table.from_pylist(rows, OUTLOOK_SCHEMA), naive_unpaid)
    none = [0] * (FORECAST_MONTHS - 2)
    assert expected.tolist() == [
        [50, 25, *none, 20, 26],
        [-50, -25, *none, -20, -26],
        [0, 0, *none, 0, 0],
        [40, 0, *none, 40, 0],
    ]
    assert not variance.any()

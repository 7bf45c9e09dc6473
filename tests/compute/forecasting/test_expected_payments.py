"""What is expected of a certificate, month by month, to the last unit."""

from datetime import timedelta

import pytest

from kpi_pipeline.model.forecast import SURVIVAL_SCALE, VARIANCE_UNIT
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
    }
    found = {
        name: value for name, value in cell.items() if name.startswith(("forecast", "variance")) and value
    }
    assert found == {name: value for name, value in expected.items() if value}

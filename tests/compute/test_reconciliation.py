"""A roll-up that lost or changed something is found out."""

from datetime import date

import pyarrow as pa

from kpi_pipeline.compute.reconciliation import reconcile_rollup

AS_OF = date(2024, 1, 31)
CERTIFICATES = pa.table(
    {
        "issued_on": pa.array([date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 1)], pa.date32()),
        "currency": ["CLP", "USD", "CLP"],
        "amount_proposed": pa.array([10, 20, 40], pa.int64()),
    }
)


def rollup(amount: int) -> pa.Table:
    return pa.table({"currency": ["CLP", "USD"], "proposed_count": [1, 1], "proposed_amount": [amount, 20]})


def test_equal_totals_give_no_problem() -> None:
    assert reconcile_rollup(CERTIFICATES, rollup(10), AS_OF) == []


def test_a_different_amount_is_named_with_its_currency() -> None:
    assert reconcile_rollup(CERTIFICATES, rollup(11), AS_OF) == [
        "proposed in CLP: 10 straight from the rows, 11 in the roll-up"
    ]


def test_a_lost_currency_is_found() -> None:
    problems = reconcile_rollup(CERTIFICATES, rollup(10).slice(0, 1), AS_OF)
    assert problems == [
        "certificates in USD: 1 straight from the rows, 0 in the roll-up",
        "proposed in USD: 20 straight from the rows, 0 in the roll-up",
    ]

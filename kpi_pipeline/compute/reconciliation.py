"""Checks that totals are the same at each step; each returns problems in words, none when good."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc


def reconcile_rollup(certificates: pa.Table, rollup: pa.Table, as_of: date) -> list[str]:
    """Compare the count and the proposed amount of each currency in certificates and in the roll-up.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        rollup: The roll-up of those rows.
        as_of: The business date of the roll-up; certificates issued later are not in it.

    Returns:
        One sentence a difference, amounts in minor units.
    """
    existing = certificates.filter(pc.less_equal(certificates["issued_on"], pa.scalar(as_of)))
    problems = []
    currencies = set(existing["currency"].to_pylist()) | set(rollup["currency"].to_pylist())
    for currency in sorted(currencies):
        rows = existing.filter(pc.equal(existing["currency"], currency))
        cells = rollup.filter(pc.equal(rollup["currency"], currency))
        pairs = {
            "certificates": (rows.num_rows, _total(cells, "proposed_count")),
            "proposed": (_total(rows, "amount_proposed"), _total(cells, "proposed_amount")),
        }
        problems += [
            f"{what} in {currency}: {straight} straight from the rows, {rolled} in the roll-up"
            for what, (straight, rolled) in pairs.items()
            if straight != rolled
        ]
    return problems


def _total(table: pa.Table, column: str) -> int:
    return pc.sum(table[column]).as_py() or 0

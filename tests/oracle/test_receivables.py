"""Every published figure of the real receivables equals the oracle's, on several dates."""

from datetime import date

import pytest

from .both_ways import BothWays
from .comparison import assert_agreement


@pytest.mark.parametrize(
    "as_of",
    [
        date(2013, 6, 30),
        pytest.param(date(2012, 6, 30), marks=pytest.mark.slow),
        pytest.param(date(2013, 12, 31), marks=pytest.mark.slow),
        date(2011, 12, 31),
    ],
    ids=str,
)
def test_every_figure_of_every_variant(receivables: BothWays, as_of: date) -> None:
    assert_agreement(receivables, as_of)


def test_every_invoice_is_in_it(receivables: BothWays) -> None:
    assert len(receivables.rows) == receivables.certificates.num_rows == 2466
    # The earliest date compared precedes every invoice: then there is nothing, and nothing is what is said.
    assert min(row["issued_on"] for row in receivables.rows) > date(2011, 12, 31)

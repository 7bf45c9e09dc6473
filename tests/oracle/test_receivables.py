"""Every published figure of the real receivables equals the oracle's, on several dates."""

from datetime import date

import pytest

from .both_ways import BothWays
from .comparison import assert_agreement, assert_agreement_of_some

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "as_of",
    [
        date(2012, 6, 15),
        *(pytest.param(day, marks=pytest.mark.sweep) for day in (date(2014, 2, 28), date(2012, 4, 18))),
    ],
    ids=str,
)
def test_every_figure_of_some_variants(receivables: BothWays, as_of: date) -> None:
    assert_agreement_of_some(receivables, as_of)


@pytest.mark.sweep
def test_every_figure_of_every_variant(receivables: BothWays) -> None:
    assert_agreement(receivables, date(2013, 6, 30))


def test_before_the_first_invoice_there_is_nothing(receivables: BothWays) -> None:
    assert_agreement(receivables, date(2011, 12, 31))


def test_every_invoice_is_in_it(receivables: BothWays) -> None:
    assert len(receivables.rows) == receivables.certificates.num_rows == 2466
    assert min(row["issued_on"] for row in receivables.rows) > date(2011, 12, 31)

"""Certificates with all that can befall them: on every day every published figure equals the oracle's."""

from datetime import date

import pytest

from .both_ways import BothWays
from .comparison import assert_agreement, assert_agreement_of_some
from .standing_rows import COME_AND_GONE, STANDING_ROWS

pytestmark = pytest.mark.slow

ALL = [row for rows in STANDING_ROWS.values() for row in rows]


@pytest.mark.parametrize("name", STANDING_ROWS)
def test_every_figure_of_every_variant(name: str) -> None:
    both = BothWays.of_certificates(STANDING_ROWS[name])
    *days, last = COME_AND_GONE
    for as_of in days:
        assert_agreement_of_some(both, as_of)
    assert_agreement(both, last)


@pytest.mark.parametrize("as_of", COME_AND_GONE, ids=str)
def test_all_together(as_of: date) -> None:
    assert_agreement_of_some(BothWays.of_certificates(ALL), as_of)

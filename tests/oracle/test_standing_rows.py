"""Certificates with all that can befall them: on every day every published figure equals the oracle's."""

from datetime import date

import pytest

from .both_ways import BothWays, each_of_its_own_clients
from .comparison import assert_agreement, assert_agreement_of_some
from .standing_rows import COME_AND_GONE, STANDING_ROWS

pytestmark = pytest.mark.slow

*DAYS, LAST = COME_AND_GONE


@pytest.fixture(scope="module")
def together() -> BothWays:
    """All of them in one table, those of each kind under clients of their own."""
    return BothWays.of_certificates(each_of_its_own_clients(STANDING_ROWS))


@pytest.mark.parametrize("as_of", DAYS, ids=str)
def test_every_figure_of_some_variants(together: BothWays, as_of: date) -> None:
    assert_agreement_of_some(together, as_of)


def test_every_figure_of_every_variant(together: BothWays) -> None:
    assert_agreement(together, LAST)


@pytest.mark.sweep
@pytest.mark.parametrize("name", STANDING_ROWS)
def test_every_figure_of_each_kind_alone(name: str) -> None:
    both = BothWays.of_certificates(STANDING_ROWS[name])
    for as_of in DAYS:
        assert_agreement_of_some(both, as_of)
    assert_agreement(both, LAST)

"""Every published figure of the demo equals the oracle's, which reads the database for itself."""

from datetime import date

import pytest

from .both_ways import DEMO_DAY, DEMO_ROWS, BothWays
from .comparison import assert_agreement, assert_agreement_of_some, assert_none, disagreements

pytestmark = pytest.mark.slow

MIDWAY = date(2023, 2, 17)


@pytest.mark.parametrize("as_of", [DEMO_DAY, pytest.param(MIDWAY, marks=pytest.mark.sweep)], ids=str)
def test_every_figure_of_every_variant(demo: BothWays, as_of: date) -> None:
    assert_agreement(demo, as_of)


def test_every_figure_of_some_variants_on_an_earlier_day(demo: BothWays) -> None:
    assert_agreement_of_some(demo, MIDWAY)


def test_everything_at_the_end_of_each_month(demo: BothWays) -> None:
    for as_of in (date(2024, 2, 29), date(2024, 1, 1), date(2023, 12, 31), date(2022, 6, 15)):
        cube = demo.cube(as_of)
        assert_none(disagreements(demo.oracle(as_of), [cube.select([cube.candidate_filters()[0]])]), 1)


def test_dirty_rows_are_left_out_by_both(demo: BothWays) -> None:
    assert len(demo.rows) == demo.certificates.num_rows < DEMO_ROWS
    assert len(demo.cost_rows) == demo.costs.num_rows > 0


def test_states_are_walked_back(demo: BothWays) -> None:
    """The earlier date is worth comparing: much has happened since."""
    now, then = (
        {one.values["state"] for one in demo.oracle(day).certificate_states} for day in (DEMO_DAY, MIDWAY)
    )
    # Which of the rarer states a day has is chance.
    assert {"enviado", "validado", "pagado", "rechazado"} <= now
    assert {"enviado", "validado", "pagado"} <= then

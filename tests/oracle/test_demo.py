"""Every published figure of the demo equals the oracle's, which reads the database for itself."""

from datetime import date

import pytest

from .both_ways import DEMO_DAY, BothWays
from .comparison import assert_agreement

pytestmark = pytest.mark.slow

MIDWAY = date(2023, 2, 17)


@pytest.mark.parametrize("as_of", [DEMO_DAY, MIDWAY], ids=str)
def test_every_figure_of_every_variant(demo: BothWays, as_of: date) -> None:
    assert_agreement(demo, as_of)


def test_dirty_rows_are_left_out_by_both(demo: BothWays) -> None:
    assert len(demo.rows) == demo.certificates.num_rows == 2000 - 6


def test_states_are_walked_back(demo: BothWays) -> None:
    """The earlier date is worth comparing: much has happened since."""
    now, then = ({one.values["state"] for one in demo.oracle(day).standings} for day in (DEMO_DAY, MIDWAY))
    assert now == {"revision", "enviado", "pendiente", "validado", "pagado", "rechazado"}
    assert {"enviado", "validado", "pagado"} <= then

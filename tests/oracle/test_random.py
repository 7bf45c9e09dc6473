"""Any certificates, any filter: every published figure equals the oracle's."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.model.filters import Filter

from .both_ways import BothWays, certificate
from .comparison import assert_agreement, disagreements
from .figures import STATES

pytestmark = pytest.mark.slow

days = st.dates(date(2022, 11, 1), date(2024, 5, 31))
dates_of_interest = st.sampled_from([date(2024, 2, 29), date(2023, 12, 31), date(2024, 3, 1)]) | days
amounts = st.integers(-1000, 10**6) | st.sampled_from([0, 1, -(10**15), 10**15])
VALUES = {
    "client": ["Norte", "Sur", "Ñuble"],
    "project": ["Puente", "Túnel"],
    "project_manager": ["Ana", "Íñigo"],
    "administrator": ["Luis", "sin asignar"],
    "project_type": ["minería", "energía"],
}
ASKED = {
    **{name: [*values, values[0].upper(), "nadie"] for name, values in VALUES.items()},
    "state": [*STATES, "Revisión"],
    "month": ["1995-06", "2022-12", "2023-11", "2023-12", "2024-01", "2024-02", "2024-03", "2025-01"],
}


@st.composite
def certificates(draw: st.DrawFn) -> dict[str, Any]:
    """A certificate that could come out of a source: conformity follows sending, payment issue."""
    issued = draw(days)
    sent = draw(st.none() | st.integers(0, 70).map(lambda after: issued + timedelta(after)))
    return certificate(
        draw(st.sampled_from(STATES)),
        issued,
        draw(amounts),
        draw(amounts),
        **{name: draw(st.sampled_from(values)) for name, values in VALUES.items()},
        month=draw(st.just(issued) | days).replace(day=1),
        sent_on=sent,
        conformity_on=draw(
            st.none() | st.integers(0, 70).map(lambda after: (sent or issued) + timedelta(after))
        ),
        expected_payment_on=draw(st.none() | days),
        paid_on=draw(st.none() | st.integers(0, 200).map(lambda after: issued + timedelta(after))),
        currency=draw(st.sampled_from(["CLP", "USD"])),
    )


tables = st.lists(certificates(), max_size=12)
filters = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(values), max_size=3) for name, values in ASKED.items()}
).map(Filter.of)


@settings(max_examples=30)
@given(tables, dates_of_interest, st.integers(1, 24))
def test_every_hot_filter(rows: list[dict[str, Any]], as_of: date, window_months: int) -> None:
    assert_agreement(BothWays.of_certificates(rows), as_of, window_months)


@settings(max_examples=60)
@given(tables, dates_of_interest, st.lists(filters, min_size=1, max_size=12))
def test_any_filters(rows: list[dict[str, Any]], as_of: date, asked: list[Filter]) -> None:
    both = BothWays.of_certificates(rows)
    cube = both.cube(as_of)
    found = cube.select(asked)
    assert found.filters == tuple(asked)
    assert disagreements(both.oracle(as_of), cube, [found]) == {}

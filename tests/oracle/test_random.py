"""Any certificates and costs, any filter: every published figure equals the oracle's."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.audit.recomputation.measures import STATES
from kpi_pipeline.audit.recomputation.ranges import AMOUNT_BANDS, ISSUED_AGES
from kpi_pipeline.model.filters import Filter
from tests.examples import examples

from .both_ways import BothWays, certificate, cost
from .comparison import assert_agreement, assert_none, disagreements
from .source_rows import with_log

pytestmark = pytest.mark.slow

days = st.dates(date(2022, 11, 1), date(2024, 5, 31))
dates_of_interest = st.sampled_from([date(2024, 2, 29), date(2023, 12, 31), date(2024, 3, 1)]) | days
amounts = st.integers(-1000, 10**7) | st.sampled_from([0, 1, 999_999, 10**6, -(10**10), 10**10])
CURRENCIES = st.sampled_from(["CLP", "USD"])
EVENTS = ["sent", "accepted", "rejected", "rework", "cancelled", "paid"]
UNPAID = {"sent", "accepted", "rejected", "cancelled"}
log = st.just([]) | st.lists(st.tuples(st.integers(0, 120), st.sampled_from(EVENTS)), max_size=6).map(
    lambda entries: sorted(entries, key=lambda entry: entry[0])
)
"""What a log tells: days after sending, and events."""
VALUES = {
    "client": ["Norte", "Sur", "Ñuble"],
    "project": ["Puente", "Túnel"],
    "project_manager": ["Ana", "Íñigo"],
    "administrator": ["Luis", "sin asignar"],
    "project_type": ["minería", "energía"],
}
MONTHS = ["1995-06", "2022-12", "2023-10", "2023-11", "2023-12", "2024-01", "2024-02", "2024-03", "2025-01"]
AGES = list(ISSUED_AGES)
ASKED = {
    **{
        name: st.lists(st.sampled_from([*values, values[0].upper(), "nadie"]), max_size=3)
        for name, values in VALUES.items()
    },
    "state": st.lists(st.sampled_from([*STATES, "anulado", "Revisión"]), max_size=3)
    | st.just(["revision", "enviado"]),
    "month": st.lists(st.sampled_from(MONTHS), max_size=4) | st.just(MONTHS[3:7]),
    "amount_band": st.lists(st.sampled_from(AMOUNT_BANDS), max_size=2),
    "issued_age": st.lists(st.sampled_from(AGES), max_size=3)
    | st.sampled_from([AGES[:1], AGES[:3], AGES[:5], AGES[:7]]),
}


def shared(draw: st.DrawFn) -> dict[str, Any]:
    """What a certificate and a cost have in common."""
    return {
        **{name: draw(st.sampled_from(values)) for name, values in VALUES.items()},
        "currency": draw(CURRENCIES),
    }


def part_of(amount: int) -> st.SearchStrategy[int | None]:
    """What may be paid or retained of an amount: mostly nothing that is told, all or a part of it."""
    return st.sampled_from([None, None, None, 0, amount // 3, amount, 2 * amount])


@st.composite
def certificates(draw: st.DrawFn) -> dict[str, Any]:
    """A certificate that could come out of a source: conformity follows sending."""
    issued = draw(days)
    sent = draw(st.none() | st.integers(-5, 70).map(lambda after: issued + timedelta(after)))
    proposed, approved = draw(amounts), draw(st.none() | amounts)
    entries = draw(log)
    unknown: st.SearchStrategy[int | None] = st.nothing() if entries else st.none()
    row = certificate(
        draw(st.sampled_from([*STATES, "anulado"])),
        issued,
        proposed,
        proposed if approved is None else approved,
        approved_assumed=approved is None,
        **shared(draw),
        month=draw(st.just(issued) | days).replace(day=1),
        sent_on=sent,
        conformity_on=draw(
            st.none() | st.integers(0, 70).map(lambda after: (sent or issued) + timedelta(after))
        ),
        expected_payment_on=draw(st.none() | days),
        paid_on=draw(st.none() | st.integers(-60, 400).map(lambda after: issued + timedelta(after))),
        amount_paid=draw(part_of(approved or proposed)),
        amount_retained=draw(part_of((approved or proposed) // 10)),
        rejection_reason=draw(st.sampled_from([None, "otros", "fuera_alcance"])),
        failure_kind=draw(st.sampled_from([None, "otros", "coord_cliente"])),
        rework_count=draw(st.integers(0, 2) | unknown),
        rejection_count=draw(st.integers(0, 1) | unknown),
    )
    start = sent or issued
    return with_log(row, [(start + timedelta(day), event, event in UNPAID) for day, event in entries])


@st.composite
def costs(draw: st.DrawFn) -> dict[str, Any]:
    """A cost that could come out of a source."""
    return cost(
        draw(amounts),
        draw(days),
        **shared(draw),
        paid_on=draw(st.none() | days),
        kind=draw(st.sampled_from(["opex", "capex"])),
        supplier=draw(st.sampled_from(["Áridos", "Grúas"])),
        category=draw(st.sampled_from(["materiales", "arriendos"])),
    )


tables = st.builds(
    BothWays.of_certificates, st.lists(certificates(), max_size=12), st.lists(costs(), max_size=5)
)
filters = st.fixed_dictionaries({}, optional=ASKED).map(Filter.of)


windows = st.integers(1, 24)


@settings(max_examples=examples(8))
@given(tables, dates_of_interest, windows)
def test_every_hot_filter(both: BothWays, as_of: date, window_months: int) -> None:
    assert_agreement(both, as_of, window_months)


@pytest.mark.sweep
@settings(max_examples=examples(50))
@given(tables, dates_of_interest, windows)
def test_every_hot_filter_of_many_tables(both: BothWays, as_of: date, window_months: int) -> None:
    assert_agreement(both, as_of, window_months)


asked_for = st.lists(filters, min_size=1, max_size=12)


@settings(max_examples=examples(20))
@given(tables, dates_of_interest, asked_for)
def test_any_filters(both: BothWays, as_of: date, asked: list[Filter]) -> None:
    assert_what_is_asked_for_agrees(both, as_of, asked)


@pytest.mark.sweep
@settings(max_examples=examples(150))
@given(tables, dates_of_interest, asked_for)
def test_any_filters_of_many_tables(both: BothWays, as_of: date, asked: list[Filter]) -> None:
    assert_what_is_asked_for_agrees(both, as_of, asked)


def assert_what_is_asked_for_agrees(both: BothWays, as_of: date, asked: list[Filter]) -> None:
    cube = both.cube(as_of)
    found = cube.select(asked)
    assert found.filters == tuple(asked)
    assert_none(disagreements(both.oracle(as_of), [found]), len(asked))

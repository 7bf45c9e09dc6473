"""The forecast, its basis, bands and back-test equal the oracle's, to the last unit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.audit.recomputation import forecast as oracle
from kpi_pipeline.audit.recomputation import forecasting
from kpi_pipeline.audit.recomputation import past_forecasts as oracle_of_past
from kpi_pipeline.audit.recomputation.certificate_states import certificate_states
from kpi_pipeline.audit.recomputation.rows import Row
from kpi_pipeline.compute.forecasting.backtest import past_forecasts, score_forecasts
from kpi_pipeline.compute.forecasting.basis import ForecastBasis, forecast_bases
from kpi_pipeline.compute.forecasting.calibration import bands, error_scale
from kpi_pipeline.compute.forecasting.forecast import OUTLOOK_SCHEMA, days_ahead, outlook
from kpi_pipeline.compute.forecasting.landmarks import (
    REACH,
    LandmarkCounts,
    LandmarkDays,
    Standing,
)
from kpi_pipeline.compute.months import month_of
from kpi_pipeline.model.forecast import TESTED_MONTHS
from tests.examples import examples

from .both_ways import DEMO_DAY, BothWays, certificate

pytestmark = pytest.mark.slow

STATES = (
    "revision",
    "enviado",
    "pendiente",
    "validado",
    "pagado",
    "pagado",
    "pagado",
    "rechazado",
    "anulado",
)
EVENTS = ("sent", "accepted", "rejected", "rework", "cancelled", "paid")
LAST = date(2024, 6, 30)
as_of_dates = st.sampled_from([date(2024, 2, 29), date(2023, 12, 31), LAST]) | st.dates(
    date(2023, 6, 1), LAST
)
amounts = st.integers(-1000, 10**6) | st.sampled_from([0, 1, -(10**9), 10**11])


def history(issued: date, events: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """Dated events, in order: each so many days after issue."""
    return [{"day": issued + timedelta(after), "event": event} for after, event in sorted(events)]


@st.composite
def certificates(draw: st.DrawFn) -> Row:
    """A certificate with dates as sources give them: some missing, conformity before or after payment."""
    issued = draw(st.dates(date(2021, 6, 1), LAST))
    sent = draw(st.none() | st.integers(0, 40).map(lambda after: issued + timedelta(after)))
    answered = st.integers(0, 40).map(lambda after: (sent or issued) + timedelta(after))
    waited = st.integers(0, 30) | st.integers(0, 400)
    events = st.lists(st.tuples(st.integers(-5, 200), st.sampled_from(EVENTS)), min_size=1, max_size=4)
    state, past = draw(st.sampled_from(STATES)), draw(st.none() | events)
    return certificate(
        state,
        issued,
        draw(amounts),
        draw(amounts),
        client=draw(st.sampled_from(["Norte", "Norte", "Norte", "Sur", "Ñuble"])),
        sent_on=sent,
        conformity_on=draw(st.none() | answered),
        # Whoever has a history is paid by it.
        paid_on=None
        if past and state != "pagado"
        else draw(st.none() | waited.map(lambda after: issued + timedelta(after))),
        currency=draw(st.sampled_from(["CLP", "CLP", "USD"])),
        history=past and history(issued, past),
    )


tables = st.lists(certificates(), max_size=80)


def many_certificates(seed: int) -> list[Row]:
    """As many as give some clients curves of their own, others none, and that have waited for any time."""
    random = Random(seed)
    rows = []
    for _ in range(500):
        issued = LAST - timedelta(random.randrange(1000))
        sent = issued + timedelta(random.randrange(6))
        state = random.choice(STATES)
        waited = random.choice((10, 40, 40, 90, 90, 400)) + random.randrange(30)
        past = random.random() < 0.3
        events = [(random.randrange(90), random.choice(EVENTS)) for _ in range(random.randrange(1, 4))]
        rows.append(
            certificate(
                state,
                issued,
                random.randrange(-(10**5), 10**7),
                random.randrange(10**7),
                client=random.choice(("Norte", "Norte", "Norte", "Sur", "Sur", "Ñuble") * 4 + ("Este",)),
                sent_on=random.choice((sent, sent, None)),
                conformity_on=random.choice((sent + timedelta(random.randrange(20)), None)),
                paid_on=issued + timedelta(waited)
                if random.random() < 0.97 and not (past and state != "pagado")
                else None,
                currency=random.choice(("CLP", "CLP", "USD")),
                history=history(issued, events) if past else None,
            )
        )
    return rows


def landmark_cells(certificates: pa.Table, as_of: date) -> pa.Table:
    """How certificates stood on days of earlier months like a date."""
    this_month = month_of(as_of)
    days = LandmarkDays.like(as_of)
    return Standing.of_certificates(certificates, days, this_month - REACH, this_month - 1).cells


def assert_outlook(both: BothWays, as_of: date) -> None:
    """The shares by which every receivable certificate is judged are the oracle's."""
    rows = both.rows
    seen: Counter[tuple[str, int, bool]] = Counter()
    # A client of whom nothing is known is judged too.
    items = {("Nadie", False, 3): None}
    for row in rows:
        observed = oracle.observation(row, as_of)
        if observed is not None:
            days, paid = observed
            seen[row["client"], days, paid] += 1
            if not paid:
                (one,) = certificate_states([row], as_of)
                items[row["client"], one.is_accepted, days] = None
    history = pa.table(
        {
            "client": pa.array([client for client, _, _ in seen], pa.string()),
            "days": pa.array([days for _, days, _ in seen], pa.int64()),
            "paid": pa.array([paid for _, _, paid in seen], pa.bool_()),
            "count": pa.array(seen.values(), pa.int64()),
        }
    )
    asked = pa.table(
        {
            "client": pa.array([client for client, _, _ in items], pa.string()),
            "is_accepted": pa.array([is_accepted for _, is_accepted, _ in items], pa.bool_()),
            "age_days": pa.array([age for _, _, age in items], pa.int64()),
        }
    )
    found = outlook(
        history,
        asked,
        LandmarkCounts(landmark_cells(both.certificates, as_of), LandmarkDays.like(as_of)),
        as_of,
    )
    assert found.schema.equals(OUTLOOK_SCHEMA)
    curves, landmarks = oracle.Curves(rows, as_of), oracle.Landmarks(rows)
    assert [list(row.values()) for row in found.to_pylist()] == [
        [*item, *oracle.unpaid_shares(curves, landmarks, *item, as_of)] for item in items
    ]


def assert_backtest(both: BothWays, as_of: date, months: int) -> None:
    """Every score is the oracle's."""
    found = {}
    for score in score_forecasts(both.certificates, as_of, months):
        told: dict[str, Any] = asdict(score)
        found[told.pop("currency"), told.pop("months_ahead")] = told
    assert found == oracle_of_past.backtest(both.rows, as_of, months)


def assert_basis(both: BothWays, as_of: date) -> None:
    """The rule that is shown, its bands and what readers are told of its test are the oracle's."""
    forecaster = forecasting.Forecaster(both.rows, [], as_of)
    past = past_forecasts(both.certificates, as_of, TESTED_MONTHS)
    currencies = {row["currency"] for row in both.rows}
    bases = forecast_bases(past, currencies, landmark_cells(both.certificates, as_of), as_of)
    assert {code: plain(basis) for code, basis in bases.items()} == {
        code: naive(forecaster.basis(code)) for code in sorted({row["currency"] for row in both.rows})
    }


def plain(basis: ForecastBasis) -> dict[str, Any]:
    factors = basis.factors
    return {
        **basis.as_data(),
        "shares": list(basis.shares),
        "factors": factors and [factors.whole, factors.part],
    }


def naive(basis: forecasting.Basis) -> dict[str, Any]:
    factors = basis.factors
    return {
        **basis.as_published(),
        "next_test": basis.next_test,
        "shares": [share or 0 for share in basis.shares],
        "factors": factors and [list(one.values()) for one in factors],
    }


@settings(max_examples=examples(60))
@given(tables, as_of_dates)
def test_shares_of_any_certificates(rows: list[Row], as_of: date) -> None:
    assert_outlook(BothWays.of_certificates(rows), as_of)


@settings(max_examples=examples(25))
@given(tables, as_of_dates)
def test_basis_of_any_certificates(rows: list[Row], as_of: date) -> None:
    assert_basis(BothWays.of_certificates(rows), as_of)


@settings(max_examples=examples(15))
@given(tables, as_of_dates, st.integers(1, 6))
def test_back_test_of_any_certificates(rows: list[Row], as_of: date, months: int) -> None:
    assert_backtest(BothWays.of_certificates(rows), as_of, months)


@given(
    st.lists(st.integers(-(10**16), 10**16), min_size=12, max_size=12),
    st.lists(st.integers(0, 10**18), min_size=12, max_size=12),
    st.lists(st.floats(0, 50), min_size=12, max_size=12),
    st.integers(-(10**16), 10**16),
)
def test_bands_of_any_expectation(
    expected: list[int], variance: list[int], factors: list[float], known: int
) -> None:
    one = oracle.Outcome(known=known, expected=expected, variance=variance)
    owed, wider = np.array([known]), [3 * factor for factor in factors]
    scale = error_scale(np.array([expected]), np.array([variance]), owed)
    found = bands(np.array([expected]), scale, owed, [factors, wider])
    assert [ends.tolist() for ends in found] == [
        [[oracle_of_past.band(one, expected, month, which[month])[end] for month in range(12)]]
        for which in (factors, wider)
        for end in (0, 1)
    ]


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_months_ahead_of_any_day(as_of: date) -> None:
    ends = [*oracle.month_ends(as_of), as_of + oracle.NEXT_DAYS]
    assert days_ahead(as_of) == [(end - as_of).days for end in ends]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.sweep) for seed in (2, 3))])
def test_many_certificates(seed: int) -> None:
    both = BothWays.of_certificates(many_certificates(seed))
    assert_outlook(both, LAST - timedelta(seed))
    assert_backtest(both, LAST, 5)
    assert_basis(both, LAST - timedelta(seed))


def test_they_meet_every_case() -> None:
    """Curves of a client, of all, and none; forecasts that are counted."""
    rows = many_certificates(0)
    curves = oracle.Curves(rows, LAST)
    assert curves.fitting("Norte", 30) is not curves.fitting("Este", 30)
    assert curves.fitting("Este", 30) is curves.fitting("Nadie", 30)
    assert len(oracle_of_past.backtest(rows, LAST, 5)) == 2 * 14
    assert oracle_of_past.Past(rows).factors("model", LAST, "CLP") is not None
    paid = [row for row in rows if row["state"] == "pagado" and row["history"] is None]
    assert oracle.Curves(paid, LAST).fitting("Norte", 2000) is None


def test_the_demo(demo: BothWays) -> None:
    assert_outlook(demo, DEMO_DAY)
    assert_backtest(demo, DEMO_DAY, 3)
    assert_basis(demo, DEMO_DAY)


@pytest.mark.parametrize("as_of", [date(2013, 6, 30), date(2012, 3, 14), date(2011, 12, 31)], ids=str)
def test_the_real_receivables(receivables: BothWays, as_of: date) -> None:
    assert_outlook(receivables, as_of)
    assert_backtest(receivables, as_of, 4)
    assert_basis(receivables, as_of)

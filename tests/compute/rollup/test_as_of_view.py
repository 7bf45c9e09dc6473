"""How certificates stand on a day: known answers, and a naive computation one certificate at a time."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState, Limits
from kpi_pipeline.audit.recomputation.rows import table_rows
from kpi_pipeline.audit.recomputation.standing import CANCELLED
from kpi_pipeline.compute.database import summation
from kpi_pipeline.compute.histories import Histories, facts_by_day, with_histories
from kpi_pipeline.compute.rollup.as_of_view import amount_cuts, as_of_view, view_settings
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.rows import AS_OF, certificate, certificates, history, table
from tests.examples import examples

_ON = """(
    SELECT *, $day::DATE AS day FROM certificates JOIN cuts USING (currency) LEFT JOIN facts USING (row)
)"""


def stood(rows: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    """Certificates as the view has them on a day."""
    of, limits = table(rows), Thresholds()
    with summation() as connection:
        histories = Histories.of(of)
        connection.register("certificates", with_histories(of, histories))
        connection.register("facts", facts_by_day(histories, {0: day}))
        connection.register("cuts", amount_cuts(of["currency"].unique().to_pylist(), limits))
        found = connection.sql(as_of_view(_ON), params={"day": day, **view_settings(limits)})
        return sorted(found.to_arrow_table().to_pylist(), key=lambda one: int(one["certificate_id"]))


def state_on(row: dict[str, Any], text: str) -> str:
    return str(stood([row], date.fromisoformat(text))[0]["state_as_of"])


def test_a_claim_that_waits_for_long_is_overdue_critical_and_waited_for() -> None:
    row = certificate("2024-01-10", sent_on="2024-01-12", amount_proposed=6_000_000)
    (found,) = stood([row], AS_OF)
    expected = {
        "state_as_of": "enviado",
        "amount_open": 6_000_000,
        "is_receivable": True,
        "is_overdue": True,
        "is_critical": True,
        "is_due_assumed": True,
        "sending_days": 2,
        "late_days": 33,
        "critical_age": 63,
        "waiting_days": 63,
        "idle_days": 63,
        "age_days": 65,
        "amount_band": "alto",
        "issued_age": "60-89",
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2024-01-09", "revision"),
        ("2024-01-10", "enviado"),
        ("2024-02-01", "rechazado"),
        ("2024-02-10", "enviado"),
        ("2024-02-20", "validado"),
        ("2024-02-25", "rechazado"),
        ("2024-03-01", "validado"),
        ("2024-03-10", "pagado"),
    ],
)
def test_a_history_is_walked_back(day: str, state: str) -> None:
    events = history(
        ("2024-01-10", "sent"),
        ("2024-02-01", "rejected"),
        ("2024-02-10", "sent"),
        ("2024-02-20", "accepted"),
        ("2024-02-25", "rework"),
        ("2024-03-01", "accepted"),
        ("2024-03-10", "paid"),
    )
    row = certificate(
        "2024-01-02",
        "pagado",
        sent_on="2024-01-10",
        conformity_on="2024-03-01",
        paid_on="2024-03-10",
        history=events,
    )
    assert state_on(row, day) == state


@pytest.mark.parametrize(
    ("row", "day", "state"),
    [
        # A word without a date holds on every day on which the milestone before it has passed.
        (certificate("2024-01-02", "anulado"), "2024-01-02", "anulado"),
        (certificate("2024-01-02", "rechazado", sent_on="2024-01-10"), "2024-01-09", "revision"),
        (certificate("2024-01-02", "rechazado", sent_on="2024-01-10"), "2024-01-10", "rechazado"),
        (certificate("2024-01-02", "pagado", conformity_on="2024-02-01"), "2024-01-31", "enviado"),
        (certificate("2024-01-02", "pagado", conformity_on="2024-02-01"), "2024-02-01", "pagado"),
        # Dates come before words.
        (certificate("2024-01-02", "revision", sent_on="2024-01-10"), "2024-01-10", "enviado"),
        (certificate("2024-01-02", "validado", paid_on="2024-02-01"), "2024-02-01", "pagado"),
        (certificate("2024-01-02", "rechazado", conformity_on="2024-02-01"), "2024-02-01", "validado"),
    ],
)
def test_dates_come_before_words(row: dict[str, Any], day: str, state: str) -> None:
    assert state_on(row, day) == state


def test_a_cancellation_holds_from_its_day() -> None:
    events = history(("2024-01-10", "sent"), ("2024-02-01", "cancelled"))
    row = certificate("2024-01-02", "anulado", sent_on="2024-01-10", history=events)
    assert state_on(row, "2024-01-31") == "enviado"
    assert state_on(row, "2024-02-01") == "anulado"


def test_a_part_payment_and_a_retention_leave_the_rest_open() -> None:
    given = {"sent_on": "2024-01-10", "conformity_on": "2024-01-20", "paid_on": "2024-02-01"}
    row = certificate("2024-01-02", "validado", **given, amount_approved=1000) | {
        "amount_paid": 600,
        "amount_retained": 50,
    }
    before, after = (stood([row], date(2024, 1, 31))[0], stood([row], date(2024, 2, 1))[0])
    assert (before["amount_open"], before["amount_collected"], before["amount_withheld"]) == (950, 0, 50)
    assert (after["amount_open"], after["amount_collected"], after["state_as_of"]) == (350, 600, "validado")
    (whole,) = stood([{**row, "amount_paid": 950}], date(2024, 2, 1))
    assert (whole["amount_open"], whole["amount_collected"], whole["state_as_of"]) == (0, 950, "pagado")


def test_an_advance_takes_no_days() -> None:
    row = certificate("2024-02-10", "pagado", sent_on="2024-02-10", paid_on="2024-02-01")
    assert stood([row], AS_OF)[0]["payment_days"] == 0


def test_a_payment_of_an_unknown_day_takes_an_unknown_time() -> None:
    assert stood([certificate("2024-02-10", "pagado")], AS_OF)[0]["payment_days"] is None


def test_a_credit_note_is_never_late_nor_counted() -> None:
    row = certificate("2023-02-10", sent_on="2023-02-10", amount_proposed=-100)
    (found,) = stood([row], AS_OF)
    assert (found["amount_open"], found["is_receivable"]) == (-100, True)
    assert not (found["is_counted"] or found["is_overdue"] or found["is_critical"])
    assert found["waiting_days"] is found["idle_days"] is None


_SAME = {
    "state_as_of": "state",
    "amount_claimed": "claimed",
    "amount_open": "outstanding",
    "amount_collected": "collected",
    "is_accepted": "is_accepted",
    "is_decided": "is_decided",
    "is_paid": "is_paid",
    "is_open": "is_open",
    "is_receivable": "is_receivable",
    "is_counted": "is_counted",
    "is_overdue": "is_overdue",
    "is_critical": "is_critical",
    "is_due_assumed": "is_due_assumed",
    "is_high": "is_high",
    "is_fast": "is_fast",
    "is_reworked": "is_reworked",
    "was_rejected": "was_rejected",
    "is_first_pass": "is_first_pass",
    "due_on": "due",
    "accepted_on": "accepted_on",
    "answered_on": "answered_on",
    "settled_on": "settled_on",
    "late_on": "late_on",
    **{
        name: name
        for name in (
            *("overdue_days", "critical_age", "late_days", "waiting_days", "idle_days"),
            *("sending_days", "acceptance_days", "settling_days", "payment_days"),
            *("returned_days", "unsent_days"),
        )
    },
}
"""Columns of the view, and what the naive computation calls them."""


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(st.lists(certificates(), min_size=1, max_size=8), st.integers(-200, 30))
def test_any_certificate_on_any_day(rows: list[dict[str, Any]], shift: int) -> None:
    day = AS_OF + timedelta(shift)
    expected = [CertificateState(row, day, Limits()) for row in table_rows(table(rows))]
    for found, right in zip(stood(rows, day), expected, strict=True):
        different = {
            column: (found[column], getattr(right, name))
            for column, name in _SAME.items()
            if found[column] != getattr(right, name)
        }
        assert different == {}
        assert found["amount_withheld"] == right.withheld or right.standing == CANCELLED
        assert {name: found[name] for name in ("amount_band", "issued_age")} == {
            name: right.values[name] for name in ("amount_band", "issued_age")
        }

"""The published bridge of any two readings is the oracle's, and adds up to the last unit for each filter."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState, Limits
from kpi_pipeline.audit.recomputation.rows import Row, table_rows
from kpi_pipeline.cache.bridges import MovedCertificates
from kpi_pipeline.compute.bridge.documents import published_parts
from kpi_pipeline.compute.bridge.moves import DayPair, moved_rows, moves_of
from kpi_pipeline.compute.bridge.standings import StandingDay, standing_sums, standings
from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.model.bridge import BRIDGE_FIGURE_BY_NAME
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds
from tests.examples import examples

from .both_ways import certificate
from .bridge import FIGURES, WINDOW_MONTHS, Day, bridge, dso, dso_parts, filters_of
from .test_random import certificates, dates_of_interest

pytestmark = pytest.mark.slow

OPENS, CLOSES = date(2024, 3, 31), date(2024, 4, 30)


class Reading:
    """Certificates by their ids as they are known on a day, with the payment term of that time."""

    def __init__(self, rows: Mapping[str, Row], day: date, term: int = 30) -> None:
        self.day, self.term = day, term
        thresholds = Thresholds(payment_term_days=term)
        named = [{**row, "certificate_id": name} for name, row in rows.items()]
        table = pa.Table.from_pylist(named, schema=CERTIFICATE_SCHEMA)
        rows = standings(listed_rows(table, day, thresholds, WINDOW_MONTHS))
        self.standings = StandingDay(rows, day, WINDOW_MONTHS)
        limits = Limits(payment_term_days=term)
        states = [CertificateState(row, day, limits) for row in table_rows(table)]
        # An advance is paid before it is issued.
        known = [one for one in states if one.is_issued or one.paid_on is not None]
        self.states: Day = {one.row["certificate_id"]: one for one in known}


def published(opening: Reading, closing: Reading) -> dict[str, dict[str, Any]]:
    """The documents of the bridge between two readings."""
    days = (opening.standings, closing.standings)
    sums, (moves,) = (
        standing_sums(days),
        moves_of(moved_rows([DayPair(*days, closing.term - opening.term)]), 1),
    )
    return published_parts(*sums, moves)


def assert_same(opening: Reading, closing: Reading) -> None:
    """Each figure of each currency and filter, and the certificates of its parts."""
    documents = published(opening, closing)
    currencies = {one.currency for reading in (opening, closing) for one in reading.states.values()}
    moved = {figure: MovedCertificates(documents[figure]) for figure in FIGURES}
    for dimension, value in filters_of(opening.states, closing.states):
        held = documents[dimension]["values"].get(value, []) if dimension else documents[""]["currencies"]
        found = {one["currency"]: one["figures"] for one in held}
        for one in held:
            assert_same_dso(one, (dimension, value), opening, closing)
        for currency in currencies:
            for figure in FIGURES:
                asked = (dimension, value)
                expected = bridge(opening.states, closing.states, asked, currency, figure, closing.day)
                if currency not in found:
                    assert expected == {"opening": (0, 0), "parts": {}, "closing": (0, 0)}
                    continue
                own = found[currency][figure]
                parts = {
                    one["part"]: (one["amount"], one["count"], one["certificates"]) for one in own["parts"]
                }
                assert parts == expected["parts"], (figure, asked)
                for end in ("opening", "closing"):
                    assert tuple(own[end].values()) == expected[end], (figure, asked)
                assert parts.keys() <= {part.name for part in BRIDGE_FIGURE_BY_NAME[figure].parts}
                for name, (amount, _, count) in parts.items():
                    rows = [
                        moved[figure].row(place)
                        for place in moved[figure].select(dimension, value, name, currency)
                    ]
                    assert sum(row.change for row in rows) == amount
                    assert len(rows) == count


def assert_same_dso(
    held: Mapping[str, Any], asked: tuple[str, str], opening: Reading, closing: Reading
) -> None:
    """The bridge of DSO of a currency and filter, whose shown figures add up."""
    made_of = [dso(one.states, asked, held["currency"], one.day) for one in (opening, closing)]
    moved = {part["part"]: part["amount"] for part in held["figures"]["receivable"]["parts"]}
    first, parts, last = dso_parts(*made_of, moved)
    found = held["dso"]
    ends = [found[end]["tenths"] for end in ("opening", "closing")]
    assert ends == [first, last], asked
    for end, expected in zip(("opening", "closing"), made_of, strict=True):
        assert found[end]["receivable"] == expected[0]
        assert found[end]["billed"] == expected[1]
        assert found[end]["days"] == expected[2]
    assert {part["part"]: part["tenths"] for part in found["parts"]} == parts
    if parts:
        assert first + sum(parts.values()) == last


edits = st.fixed_dictionaries(
    {},
    optional={
        "client": st.sampled_from(["Norte", "Sur"]),
        "project_manager": st.sampled_from(["Ana", "Íñigo"]),
        "currency": st.sampled_from(["CLP", "USD"]),
        "amount_proposed": st.integers(-1000, 10**7),
        "expected_payment_on": st.none() | st.dates(date(2023, 1, 1), date(2024, 6, 1)),
        "amount_paid": st.none() | st.integers(0, 10**7),
    },
)


@st.composite
def two_readings(draw: st.DrawFn) -> tuple[Reading, Reading]:
    """Certificates on a day; and later, some of them changed, gone or new."""
    first = {str(at): row for at, row in enumerate(draw(st.lists(certificates(), max_size=8)))}
    later: dict[str, Row] = {}
    for name, row in first.items():
        fate = draw(st.sampled_from(["same", "edited", "other", "gone"]))
        if fate == "same":
            later[name] = row
        elif fate == "edited":
            later[name] = {**row, **draw(edits)}
        elif fate == "other":
            later[name] = draw(certificates())
    later |= {f"n{at}": row for at, row in enumerate(draw(st.lists(certificates(), max_size=3)))}
    day = draw(dates_of_interest)
    return (
        Reading(first, day, draw(st.sampled_from([30, 45]))),
        Reading(later, day + timedelta(draw(st.integers(0, 60))), draw(st.sampled_from([30, 45]))),
    )


@settings(max_examples=examples(15), deadline=None)
@given(two_readings())
def test_any_two_readings(readings: tuple[Reading, Reading]) -> None:
    assert_same(*readings)


@pytest.mark.sweep
@settings(max_examples=examples(300), deadline=None)
@given(two_readings())
def test_many_pairs_of_readings(readings: tuple[Reading, Reading]) -> None:
    assert_same(*readings)


SENT = certificate("enviado", date(2024, 2, 1), 900, sent_on=date(2024, 3, 5))
ACCEPTED = {**SENT, "state": "validado", "conformity_on": date(2024, 4, 3), "amount_approved": 800}
PAID = {**ACCEPTED, "state": "pagado", "paid_on": date(2024, 4, 20)}
OVERDUE = {**SENT, "expected_payment_on": date(2024, 3, 20)}
LONG_PAID = {
    **certificate("pagado", date(2023, 4, 10), 900, sent_on=date(2023, 4, 12)),
    **{"conformity_on": date(2023, 4, 20), "amount_approved": 800, "paid_on": date(2023, 5, 20)},
}
ADVANCE = {**PAID, "issued_on": date(2024, 4, 2), "sent_on": None, "paid_on": date(2024, 3, 20)}
PART_ADVANCE = {**OVERDUE, "amount_approved": 800, "paid_on": date(2024, 3, 20), "amount_paid": 100}
CASES: dict[str, tuple[Row | None, Row | None, dict[str, str]]] = {
    "issued": (
        None,
        {**SENT, "issued_on": date(2024, 4, 2), "sent_on": date(2024, 4, 4)},
        {"receivable": "new", "billed": "new"},
    ),
    "recorded overdue": (None, OVERDUE, {"receivable": "new", "overdue": "new", "billed": "new"}),
    "sent": (
        {**SENT, "state": "revision", "sent_on": None},
        {**SENT, "sent_on": date(2024, 4, 9)},
        {"receivable": "new", "billed": "new"},
    ),
    "accepted": (
        SENT,
        ACCEPTED,
        {"receivable": "accepted", "approved": "accepted", "billed": "accepted"},
    ),
    "paid": (
        SENT,
        PAID,
        {"receivable": "paid", "approved": "accepted", "collected": "paid", "billed": "accepted"},
    ),
    "overdue, paid": (
        OVERDUE,
        {**PAID, "expected_payment_on": date(2024, 3, 20)},
        {
            **{"receivable": "paid", "overdue": "paid", "collected": "paid"},
            **{"approved": "accepted", "billed": "accepted"},
        },
    ),
    "returned": (
        OVERDUE,
        {**OVERDUE, "state": "rechazado"},
        {"receivable": "returned", "overdue": "returned", "billed": "returned"},
    ),
    "turned overdue": (SENT, SENT, {"overdue": "time"}),
    "put off": (OVERDUE, {**SENT, "expected_payment_on": date(2024, 5, 20)}, {"overdue": "redated"}),
    "brought forward": (
        {**SENT, "expected_payment_on": date(2024, 5, 20)},
        {**SENT, "expected_payment_on": date(2024, 4, 20)},
        {"overdue": "redated"},
    ),
    "cancelled": (
        OVERDUE,
        {**OVERDUE, "state": "anulado"},
        {"receivable": "cancelled", "overdue": "cancelled", "billed": "cancelled"},
    ),
    "removed": (SENT, None, {"receivable": "cancelled", "billed": "cancelled"}),
    "corrected": (
        SENT,
        {**SENT, "amount_proposed": 950, "expected_payment_on": date(2024, 5, 1)},
        {"receivable": "corrected", "billed": "corrected"},
    ),
    "payment undone": (
        {**PAID, "conformity_on": date(2024, 3, 9), "paid_on": date(2024, 3, 20)},
        {**ACCEPTED, "conformity_on": date(2024, 3, 9), "expected_payment_on": date(2024, 5, 1)},
        {"receivable": "corrected", "collected": "corrected"},
    ),
    "another currency": (
        {**SENT, "expected_payment_on": date(2024, 5, 1)},
        {**SENT, "expected_payment_on": date(2024, 5, 1), "currency": "USD"},
        {"receivable": "corrected", "billed": "corrected"},
    ),
    "issued a year ago": (LONG_PAID, LONG_PAID, {"billed": "aged_out"}),
    "issued a year ago, cancelled": (
        LONG_PAID,
        {**LONG_PAID, "state": "anulado"},
        {"approved": "cancelled", "collected": "cancelled", "billed": "cancelled"},
    ),
    "paid in advance, issued since": (ADVANCE, ADVANCE, {"billed": "new"}),
    "paid in part in advance, issued and overdue since": (
        *(2 * ({**PART_ADVANCE, "issued_on": date(2024, 4, 2)},)),
        {"receivable": "new", "overdue": "new", "billed": "new"},
    ),
    "paid in part in advance, not issued yet": (
        *(2 * ({**PART_ADVANCE, "issued_on": date(2024, 5, 2)},)),
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_part(case: str) -> None:
    before, after, expected = CASES[case]
    opening = Reading({} if before is None else {"P/1": before}, OPENS)
    # An id may be spelled in another case.
    closing = Reading({} if after is None else {"p/1": after}, CLOSES)
    documents = published(opening, closing)
    found = {
        (figure, part["part"])
        for one in documents[""]["currencies"]
        for figure, own in one["figures"].items()
        for part in own["parts"]
    }
    assert found == set(expected.items())


def test_another_payment_term_is_a_part_of_its_own() -> None:
    sent = {**SENT, "sent_on": date(2024, 3, 10)}
    opening, closing = Reading({"1": sent}, OPENS), Reading({"1": sent}, date(2024, 4, 1), term=10)
    (one,) = published(opening, closing)[""]["currencies"]
    assert one["figures"]["overdue"]["parts"] == [
        {"part": "definition", "amount": 900, "count": 1, "certificates": 1}
    ]
    assert_same(opening, closing)


def test_who_moves_to_another_client_is_in_no_part_of_everything() -> None:
    opening, closing = Reading({"1": SENT}, OPENS), Reading({"1": {**PAID, "client": "Sur"}}, CLOSES)
    documents = published(opening, closing)
    (everything,) = documents[""]["currencies"]
    assert [part["part"] for part in everything["figures"]["receivable"]["parts"]] == ["paid"]
    (north,) = documents["client"]["values"]["Norte"]
    assert [part["part"] for part in north["figures"]["receivable"]["parts"]] == ["corrected"]
    (south,) = documents["client"]["values"]["Sur"]
    assert [part["part"] for part in south["figures"]["collected"]["parts"]] == ["corrected"]
    assert_same(opening, closing)

"""Tables at the edges of what certificates can be: every published figure equals the oracle's."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import EVERYTHING, Filter

from .both_ways import BothWays, certificate
from .comparison import assert_agreement, disagreements
from .figures import CARDS, STATES

pytestmark = pytest.mark.slow

AS_OF = date(2024, 3, 15)
LEAP_DAY = date(2024, 2, 29)
ISSUED = date(2024, 1, 10)

TABLES: dict[str, list[dict[str, Any]]] = {
    "no rows": [],
    "one row": [certificate("enviado", ISSUED, 100, sent_on=ISSUED)],
    "all paid": [
        certificate("pagado", ISSUED - timedelta(days), 100, 90, paid_on=ISSUED + timedelta(days))
        for days in range(0, 60, 7)
    ],
    "nothing paid": [certificate("revision", ISSUED, 100), certificate("rechazado", ISSUED, 100)],
    "amounts of zero": [
        certificate("validado", ISSUED, 0),
        certificate("pagado", ISSUED, 0, paid_on=ISSUED),
    ],
    "leap day": [
        certificate("validado", LEAP_DAY, 100, 90, sent_on=LEAP_DAY, conformity_on=LEAP_DAY),
        certificate("pagado", LEAP_DAY - timedelta(1), 100, 90, paid_on=LEAP_DAY),
        certificate("enviado", date(2023, 2, 28), 100, sent_on=date(2023, 2, 28)),
    ],
    "dates missing": [certificate(state, ISSUED, 100, 90) for state in STATES],
    "dates all of one day": [
        certificate(
            state,
            AS_OF,
            100,
            90,
            **dict.fromkeys(("sent_on", "conformity_on", "expected_payment_on", "paid_on"), AS_OF),
        )
        for state in STATES
    ],
    "dates to come": [
        certificate(
            state,
            ISSUED,
            100,
            90,
            **dict.fromkeys(("sent_on", "conformity_on", "expected_payment_on", "paid_on"), date(2024, 6, 1)),
        )
        for state in STATES
    ],
    "certificates to come": [certificate("enviado", AS_OF + timedelta(1), 100)],
    "days at the limits": [
        certificate(
            state,
            AS_OF - timedelta(days),
            100,
            90,
            sent_on=AS_OF - timedelta(days),
            expected_payment_on=expected,
        )
        for days in (0, 1, 29, 30, 31, 59, 60, 61, 89, 90, 91, 119, 120, 121)
        for state in ("enviado", "validado")
        for expected in (None, AS_OF - timedelta(1), AS_OF, AS_OF + timedelta(1))
    ],
    "two currencies": [
        certificate("validado", ISSUED, 100, 90),
        certificate("validado", ISSUED, 12_345, 12_344, currency="USD"),
        certificate("enviado", date(2023, 9, 1), 7, currency="USD", client="Sur"),
        certificate("pagado", date(2021, 9, 1), 5, 5, currency="EUR", paid_on=date(2021, 9, 2)),
    ],
    "corrections": [
        certificate("validado", ISSUED, 100, 90),
        certificate("validado", ISSUED, -300, -290),
        certificate("pagado", ISSUED, -50, -50, paid_on=ISSUED, client="Sur"),
        certificate("enviado", AS_OF, -3, client="Sur"),
    ],
    "corrections that cancel out": [
        certificate("validado", ISSUED, 100, 90),
        certificate("validado", ISSUED, -100, -90),
        certificate("enviado", date(2023, 11, 2), 70, client="Sur", currency="USD"),
        certificate("enviado", date(2023, 11, 3), -70, client="Sur", currency="USD"),
    ],
    "billed for months to come": [
        certificate("validado", ISSUED, 100, 90, month=date(2024, 4, 1)),
        certificate("enviado", ISSUED, 70, month=date(2025, 1, 1)),
        certificate("pagado", ISSUED, 50, 50, month=date(2024, 12, 1), paid_on=AS_OF),
    ],
    "paid long after": [
        certificate("pagado", date(2019, 1, 31), 100, 90, paid_on=date(2024, 3, 1)),
        certificate("pagado", date(2019, 1, 31), 70, 70, paid_on=date(2021, 12, 31), client="Sur"),
    ],
    "amounts as large as can be": [
        certificate("validado", ISSUED + timedelta(day), 10**15, 10**15 - day, sent_on=ISSUED)
        for day in range(50)
    ],
    "names that need care": [
        certificate("validado", ISSUED, 100, 90, client="O'Higgins & Hijos, S.A.", project='Túnel "B"'),
        certificate("enviado", ISSUED, 70, client="ñuble", project="a=b&c"),
        certificate("enviado", ISSUED, 70, client="Ñandú", project="Zanja"),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_of_every_variant(name: str) -> None:
    assert_agreement(BothWays.of_certificates(TABLES[name]), AS_OF)


@pytest.mark.parametrize("name", TABLES)
def test_hot_filters_asked_for_one_by_one(name: str) -> None:
    both = BothWays.of_certificates(TABLES[name])
    cube = both.cube(AS_OF)
    assert disagreements(both.oracle(AS_OF), cube, [cube.select(cube.hot_filters())]) == {}


@pytest.mark.parametrize(
    "as_of", [LEAP_DAY, date(2023, 2, 28), date(2025, 2, 28), date(2024, 12, 31)], ids=str
)
def test_dates_at_the_end_of_a_month(as_of: date) -> None:
    certificates = [row for rows in TABLES.values() for row in rows]
    assert_agreement(BothWays.of_certificates(certificates), as_of)


@pytest.mark.parametrize("window_months", [1, 3, 24])
def test_other_windows(window_months: int) -> None:
    certificates = [row for rows in TABLES.values() for row in rows]
    assert_agreement(BothWays.of_certificates(certificates), AS_OF, window_months)


@pytest.mark.parametrize(
    "selection",
    [
        {"month": ["1999-12"]},
        {"month": ["2031-01"]},
        {"month": ["2023-09", "2024-01", "2031-01"]},
        {"client": ["Oeste"]},
        {"client": ["Norte", "Sur"], "state": ["validado", "enviado"]},
        {"client": ["NORTE"], "project_type": ["Mineria"]},
        {"client": ["Sur"], "project": ["Puente"], "state": ["enviado"], "month": ["2023-11"]},
        {name: [] for name in ("client", "month")},
    ],
    ids=str,
)
def test_filters_beyond_the_hot_ones(selection: dict[str, list[str]]) -> None:
    both = BothWays.of_certificates(row for rows in TABLES.values() for row in rows)
    cube = both.cube(AS_OF)
    assert disagreements(both.oracle(AS_OF), cube, [cube.select([Filter.of(selection)])]) == {}


@pytest.mark.parametrize("name", ["no rows", "certificates to come"])
def test_nothing_is_told_of_no_certificates(name: str) -> None:
    cube = BothWays.of_certificates(TABLES[name]).cube(AS_OF)
    ((asked, data),) = payloads("kpis", cube, cube.slices())
    assert asked == EVERYTHING
    assert data["currencies"] == data["ageing"] == data["kpis"]["proposed"] == data["kpis"]["dso"] == []
    assert data["kpis"]["certificates"] == [{"value": 0}]
    assert data["kpis"]["waiting_days"] == [{"value": None, "numerator": 0, "denominator": 0}]


def test_cards_come_in_reading_order() -> None:
    cube = BothWays.of_certificates(TABLES["one row"]).cube(AS_OF)
    for asked, data in payloads("dashboards", cube, cube.slices()):
        assert tuple(data["kpis"]) == CARDS, asked


def test_a_share_of_nothing_has_no_sign() -> None:
    """Where what is unpaid is negative as a whole, an empty bucket's share is 0 and not -0."""
    cube = BothWays.of_certificates([certificate("enviado", AS_OF, -3)]).cube(AS_OF)
    ((_, data),) = payloads("kpis", cube, [cube.select([EVERYTHING])])
    shares = [bucket["share"] for bucket in data["ageing"][0]["buckets"]]
    assert list(map(str, shares)) == ["1.0", "0.0", "0.0", "0.0", "0.0"]

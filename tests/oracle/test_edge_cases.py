"""Tables at the edges of what certificates and costs can be: every published figure equals the oracle's."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.certificate_states import Limits
from kpi_pipeline.audit.recomputation.measures import STATES
from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.audit.recomputation.ranges import ISSUED_AGES
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.thresholds import Thresholds

from .both_ways import BothWays, certificate, cost, each_of_its_own_clients
from .comparison import assert_agreement, assert_agreement_of_some, assert_none, disagreements, some_of

pytestmark = pytest.mark.slow

AS_OF = date(2024, 3, 15)
LEAP_DAY = date(2024, 2, 29)
ISSUED = date(2024, 1, 10)
LATER = date(2024, 6, 1)

Rows = list[dict[str, Any]]

CERTIFICATES: dict[str, Rows] = {
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
            **dict.fromkeys(("sent_on", "conformity_on", "expected_payment_on", "paid_on"), LATER),
        )
        for state in STATES
    ],
    "sent before it was issued": [
        certificate("enviado", ISSUED, 100, sent_on=ISSUED - timedelta(40)),
        certificate(
            "pagado",
            ISSUED,
            100,
            90,
            sent_on=ISSUED - timedelta(5),
            conformity_on=ISSUED + timedelta(30),
            paid_on=ISSUED + timedelta(10),
        ),
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
    "ages at the limits": [
        certificate(state, AS_OF - timedelta(days + late), 100, 90)
        for days in (0, 7, 14, 30, 60, 90, 180, 365, 730)
        for late in (-1, 0)
        for state in ("validado", "pagado")
        if days + late >= 0
    ],
    "paid at the limits of roll rates": [
        certificate("pagado", date(2022, 5, 2), 100, 90, paid_on=date(2022, 5, 2) + timedelta(days))
        for days in (0, 24, 25, 30, 31, 60, 61, 90, 91, 120, 121, 364, 365, 366)
    ]
    + [
        certificate("validado", AS_OF - timedelta(days), 100, 90) for days in (10, 40, 70, 100, 364, 365, 400)
    ],
    "amounts at the cuts": [
        certificate("enviado", ISSUED, cut + more, currency=code, sent_on=ISSUED)
        for code, scale in (("CLP", 1), ("USD", 100), ("EUR", 100))
        for cut in (scale * 1_000 * (1_000 if scale == 1 else 1) * times for times in (1, 5, 10))
        for more in (-1, 0)
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
        certificate("enviado", date(2023, 6, 1), -40, client="Este", sent_on=date(2023, 6, 1)),
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
    "billed for months long gone": [
        certificate("validado", ISSUED, 100, 90, month=date(2022, 4, 1)),
        certificate("pagado", ISSUED, 50, 50, month=date(2021, 12, 1), paid_on=AS_OF),
    ],
    "paid long after": [
        certificate("pagado", date(2019, 1, 31), 100, 90, paid_on=date(2024, 3, 1)),
        certificate("pagado", date(2019, 1, 31), 70, 70, paid_on=date(2021, 12, 31), client="Sur"),
    ],
    "more than can be counted back": [
        certificate("validado", date(2024, 2, 1), 100, 10),
        certificate("enviado", date(2023, 12, 1), 900, client="Sur"),
    ],
    "amounts as large as can be": [
        certificate("validado", ISSUED + timedelta(day), 10**15, 10**15 - day, sent_on=ISSUED)
        # A year of days times more of them would leave 64 bits, which the roll-up refuses.
        for day in range(10)
    ],
    "names that need care": [
        certificate("validado", ISSUED, 100, 90, client="O'Higgins & Hijos, S.A.", project='Túnel "B"'),
        certificate("enviado", ISSUED, 70, client="ñuble", project="a=b&c"),
        certificate("enviado", ISSUED, 70, client="Ñandú", project="Zanja"),
    ],
    "more names than are drawn": [
        certificate(
            state,
            ISSUED - timedelta(number),
            100 + number % 3,
            90 - number % 5,
            sent_on=ISSUED - timedelta(number),
            paid_on=ISSUED + timedelta(number % 7) if state == "pagado" else None,
            client=f"Cliente {number}",
            project=f"Obra {number}",
            project_manager=f"Jefa {number}",
        )
        for number in range(33)
        for state in ("validado", "pagado")
    ],
    "sent back": [
        certificate(
            state,
            ISSUED,
            100 + number,
            90,
            rejection_reason=f"motivo {number % 12}",
            failure_kind=f"falla {number % 13}",
            rework_count=number % 2,
            rejection_count=number % 3,
            sent_on=ISSUED,
        )
        for number in range(26)
        for state in ("rechazado", "validado")
    ],
    "equally urgent": [
        certificate("enviado", date(2023, 1, 1), 100 + number % 4, sent_on=date(2023, 1, number % 3 + 1))
        for number in range(30)
    ],
    "a payment history": [
        certificate(
            "pagado",
            date(2022, 3, 1) + timedelta(9 * number),
            1_000 + number,
            900 + number,
            sent_on=date(2022, 3, 1) + timedelta(9 * number),
            paid_on=date(2022, 3, 1) + timedelta(9 * number + 20 + 7 * (number % 11)),
            client=("Norte", "Sur", "Este")[number % 3],
        )
        for number in range(45)
    ]
    + [
        certificate(
            "validado",
            AS_OF - timedelta(11 * number),
            5_000,
            4_000 - number,
            client=("Norte", "Sur")[number % 2],
        )
        for number in range(12)
    ],
}
COSTS: dict[str, Rows] = {
    "one cost": [cost(40, date(2024, 2, 3), paid_on=AS_OF)],
    "of projects without certificates": [
        cost(40, date(2024, 2, 3)),
        cost(7, date(2023, 2, 3), project="Muelle", client="Oeste", paid_on=date(2023, 3, 1)),
        cost(9, date(2024, 3, 15), project="Muelle", client="Oeste", kind="capex"),
    ],
    "in another currency": [
        cost(40, date(2024, 2, 3), currency="EUR"),
        cost(70, date(2024, 2, 3), currency="USD", paid_on=date(2024, 3, 16)),
    ],
    "credit notes": [
        cost(40, date(2024, 2, 3), paid_on=date(2024, 2, 20)),
        cost(-40, date(2024, 2, 5), paid_on=date(2024, 2, 21), category="arriendos"),
        cost(-90, date(2023, 12, 5), kind="capex", project="Muelle"),
        cost(0, date(2023, 11, 5), paid_on=date(2023, 11, 5), supplier="Nada"),
    ],
    "costs to come": [
        cost(40, AS_OF + timedelta(1), paid_on=AS_OF),
        cost(50, AS_OF, paid_on=AS_OF + timedelta(1)),
        cost(60, AS_OF, month=date(2024, 5, 1), paid_on=AS_OF),
    ],
    "more suppliers than are shown": [
        cost(
            100 - number % 4,
            ISSUED - timedelta(number),
            supplier=f"Proveedor {number % 14}",
            category=f"rubro {number % 12}",
            kind=("opex", "capex")[number % 2],
            paid_on=ISSUED + timedelta(number) if number % 3 else None,
            project=f"Obra {number}",
        )
        for number in range(40)
    ],
}
TABLES: dict[str, tuple[Rows, Rows]] = {
    **{name: (rows, []) for name, rows in CERTIFICATES.items()},
    **{f"only costs: {name}": ([], rows) for name, rows in COSTS.items()},
    **{
        f"{name}: certificates and costs": (CERTIFICATES["two currencies"] + CERTIFICATES["one row"], rows)
        for name, rows in COSTS.items()
    },
    "margins": (CERTIFICATES["more names than are drawn"], COSTS["more suppliers than are shown"]),
}
ALL = (
    [row for rows in CERTIFICATES.values() for row in rows],
    [row for rows in COSTS.values() for row in rows],
)


FEW = 20
"""A table of at most so many rows has few pairs of values."""


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_of_some_variants(name: str) -> None:
    # The single values of small tables are all compared below, and one by one in a sweep.
    one_value_in = 3 if max(map(len, TABLES[name])) <= FEW else 1
    assert_agreement_of_some(BothWays.of_certificates(*TABLES[name]), AS_OF, one_value_in=one_value_in)


def test_every_figure_of_every_variant() -> None:
    of_few = (
        {name: rows for name, rows in tables.items() if len(rows) <= FEW} for tables in (CERTIFICATES, COSTS)
    )
    assert_agreement(BothWays.of_certificates(*map(each_of_its_own_clients, of_few)), AS_OF)


@pytest.mark.sweep
@pytest.mark.parametrize("name", TABLES)
def test_every_figure_of_every_variant_alone(name: str) -> None:
    assert_agreement(BothWays.of_certificates(*TABLES[name]), AS_OF)


def assert_one_by_one(name: str, choose: Callable[[list[Filter]], list[Filter]]) -> None:
    both = BothWays.of_certificates(*TABLES[name])
    cube, oracle = both.cube(AS_OF), both.oracle(AS_OF)
    asked = choose(cube.candidate_filters())
    assert_none(disagreements(oracle, (cube.select([one]) for one in asked)), len(asked))


def test_some_hot_filters_asked_for_one_by_one() -> None:
    assert_one_by_one("credit notes: certificates and costs", partial(some_of, one_value_in=3))


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["two currencies", "corrections", "credit notes: certificates and costs"])
def test_every_hot_filter_asked_for_alone(name: str) -> None:
    assert_one_by_one(name, list)


@pytest.mark.parametrize(
    "as_of",
    [
        LEAP_DAY,
        date(2024, 12, 31),
        *(pytest.param(date(year, 2, 28), marks=pytest.mark.sweep) for year in (2023, 2025)),
    ],
    ids=str,
)
def test_dates_at_the_end_of_a_month(as_of: date) -> None:
    assert_some_filters_agree(BothWays.of_certificates(*ALL), as_of)


@pytest.mark.parametrize("window_months", [1, pytest.param(3, marks=pytest.mark.sweep), 24])
def test_other_windows(window_months: int) -> None:
    assert_some_filters_agree(BothWays.of_certificates(*ALL), AS_OF, window_months)


def test_other_thresholds() -> None:
    thresholds = Thresholds(
        critical_days=20,
        payment_term_days=10,
        fast_days=5,
        loss_days=200,
        dso_target_days=10,
        dso_benchmark_days=90,
        stable_share=0.5,
        targets={"CLP": 50, "USD": 2},
    )
    limits = Limits(
        critical_days=20,
        payment_term_days=10,
        fast_days=5,
        loss_days=200,
        target_days=10,
        benchmark_days=90,
        stable_share=0.5,
        monthly_targets={"CLP": 50, "USD": 200},
    )
    assert_some_filters_agree(
        BothWays.of_certificates(*ALL, thresholds=thresholds, limits=limits), AS_OF, WINDOW
    )


WINDOW = 6
SELECTIONS: list[dict[str, list[str]]] = [
    {},
    {"month": ["1999-12"]},
    {"month": ["2031-01"]},
    {"month": ["2024-03"]},
    {"month": ["2024-02", "2024-03"]},
    {"month": ["2023-12", "2024-01", "2024-02"]},
    {"month": ["2023-09", "2024-01", "2031-01"]},
    {"month": ["2023-10", "2023-12"], "client": ["Norte", "Sur"]},
    {"client": ["Oeste"]},
    {"client": ["Oeste"], "state": ["validado"]},
    {"client": ["Norte", "Sur"], "state": ["validado", "enviado"]},
    {"state": ["revision", "enviado"]},
    {"client": ["NORTE"], "project_type": ["Mineria"]},
    {"client": ["Sur"], "project": ["Puente"], "state": ["enviado"], "month": ["2023-11"]},
    {"client": [], "month": []},
    {"amount_band": ["bajo", "medio"]},
    {"amount_band": ["muy alto"], "month": ["2024-01"]},
    *(
        {
            "issued_age": [
                label for label, (_, last) in ISSUED_AGES.items() if last is not None and last < days
            ]
        }
        for days in (7, 30, 90, 365)
    ),
    {"issued_age": ["0-6", "7-13", "14-29"], "client": ["Norte", "Sur"]},
    {"issued_age": ["0-6", "7-13", "14-29"], "month": ["2024-03"]},
    {"issued_age": ["7-13", "14-29"]},
    {"issued_age": ["730+"]},
]


def assert_some_filters_agree(both: BothWays, as_of: date, window_months: int = 12) -> None:
    cube, oracle = both.cube(as_of, window_months), both.oracle(as_of, window_months)
    asked = [Filter.of(selection) for selection in SELECTIONS] + cube.candidate_filters()[::29]
    assert_none(disagreements(oracle, [cube.select(asked)]), len(asked))


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_filters_beyond_the_hot_ones(
    selection: dict[str, list[str]], all_cube: Cube, all_oracle: Oracle
) -> None:
    asked = Filter.of(selection)
    assert_none(disagreements(all_oracle, [all_cube.select([asked])]), 1)


@pytest.fixture(scope="module")
def all_cube() -> Cube:
    return BothWays.of_certificates(*ALL).cube(AS_OF)


@pytest.fixture(scope="module")
def all_oracle() -> Oracle:
    return BothWays.of_certificates(*ALL).oracle(AS_OF)


@pytest.mark.parametrize("name", ["no rows", "certificates to come"])
def test_nothing_is_told_of_no_certificates(name: str) -> None:
    cube = BothWays.of_certificates(*TABLES[name]).cube(AS_OF)
    asked, data = next(iter(payloads("kpis", cube.slices())))
    assert asked == EVERYTHING
    assert data["currencies"] == data["ageing"] == data["kpis"]["proposed"] == data["kpis"]["dso"] == []
    (count,), (days,) = data["kpis"]["certificates"], data["kpis"]["waiting_days"]
    assert (count["value"], count["spark"]) == (0, [0] * 12)
    assert (days["value"], days["numerator"], days["denominator"]) == (None, 0, 0)


def test_a_share_of_nothing_has_no_sign() -> None:
    """Where what is unpaid is negative as a whole, an empty bucket's share is 0 and not -0."""
    cube = BothWays.of_certificates([certificate("enviado", AS_OF, -3)]).cube(AS_OF)
    ((_, data),) = payloads("kpis", [cube.select([EVERYTHING])])
    shares = [bucket["share"] for bucket in data["ageing"][0]["by_issue"]]
    assert list(map(str, shares)) == ["1.0", "0.0", "0.0", "0.0", "0.0"]

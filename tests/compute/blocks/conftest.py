"""A small firm made by hand, and the slices that it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.basis import ForecastBasis, TestResult
from kpi_pipeline.compute.forecasting.calibration import BandFactors
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.forecast import ForecastReason, ForecastRule
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.rows import rolled_up

AS_OF = date(2024, 3, 15)

Row = dict[str, Any]
SliceOf = Callable[..., Slice]

STATES = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")

CERTIFICATES: tuple[Row, ...] = (
    {
        "client": "Austral",
        "project": "Puente",
        "project_manager": "Ana",
        "issued_on": date(2024, 1, 5),
        "sent_on": date(2024, 1, 10),
        "amount_proposed": 100,
    },
    {
        "client": "Austral",
        "project": "Puente",
        "project_manager": "Ana",
        "state": "validado",
        "issued_on": date(2023, 9, 5),
        "sent_on": date(2023, 9, 10),
        "conformity_on": date(2023, 9, 20),
        "amount_proposed": 90,
        "amount_approved": 80,
    },
    {
        "client": "Boreal",
        "project": "Túnel",
        "project_manager": "Bruno",
        "state": "pagado",
        "issued_on": date(2023, 11, 1),
        "sent_on": date(2023, 11, 3),
        "conformity_on": date(2023, 11, 13),
        "paid_on": date(2024, 2, 2),
        "amount_proposed": 50,
        "amount_approved": 50,
    },
    {
        "client": "Boreal",
        "project": "Túnel",
        "project_manager": "Bruno",
        "state": "rechazado",
        "issued_on": date(2024, 2, 1),
        "sent_on": date(2024, 2, 5),
        "amount_proposed": 30,
        "rejection_reason": "fuera_alcance",
        "failure_kind": "error_tecnico",
        "rejection_count": 1,
    },
    {
        "client": "Central",
        "project": "Muelle",
        "project_manager": "Bruno",
        "state": "revision",
        "currency": "USD",
        "issued_on": date(2024, 3, 1),
        "amount_proposed": 700,
    },
)
"""Five certificates: one sent, one validated, one paid, one returned, and one in dollars in revision."""

COSTS: tuple[Row, ...] = (
    {"project": "Puente", "client": "Austral", "project_manager": "Ana", "amount": 60, "supplier": "Acero"},
    {
        "project": "Puente",
        "client": "Austral",
        "project_manager": "Ana",
        "amount": 15,
        "kind": "capex",
        "invoiced_on": date(2023, 12, 4),
        "supplier": "Grúas",
        "category": "arriendo",
    },
    {
        "project": "Túnel",
        "client": "Boreal",
        "project_manager": "Bruno",
        "amount": 70,
        "paid_on": date(2024, 2, 20),
        "supplier": "Acero",
    },
)
"""The bridge costs 60 and 15 of capital, the tunnel 70: more than it earns."""


def _many() -> tuple[list[Row], list[Row]]:
    """Certificates and costs of 13 clients, managers and projects in two currencies, some negative."""
    start = date(2023, 1, 10)
    certificates = [
        {
            "client": f"C{number % 13:02}",
            "project": f"P{number % 26:02}",
            "project_manager": f"M{number % 11:02}",
            "state": STATES[number % 6],
            "currency": "USD" if number % 7 == 3 else "CLP",
            "issued_on": start + timedelta(number * 2),
            "sent_on": start + timedelta(number * 2 + 3),
            "rejection_reason": f"R{number % 17}" if number % 6 == 5 else None,
            "failure_kind": f"F{number % 5}" if number % 6 == 5 else None,
            "paid_on": start + timedelta(number * 2 + 33) if number % 6 == 4 else None,
            "amount_proposed": 1000 + number * 37 % 500,
            "amount_approved": (1000 + number * 31 % 400) * (-1 if number % 29 == 9 else 1),
        }
        for number in range(200)
    ]
    costs = [
        {
            "client": f"C{number % 13:02}",
            "project": f"P{number % 26:02}",
            "project_manager": f"M{number % 11:02}",
            "kind": ("opex", "capex")[number % 2],
            "supplier": f"S{number % 14:02}",
            "category": f"K{number % 3}",
            "amount": 300 + number,
            "invoiced_on": start + timedelta(number * 4),
        }
        for number in range(100)
    ]
    return certificates, costs


def _table(rows: Sequence[Row], schema: pa.Schema, key: str, plain: Row) -> pa.Table:
    full = []
    for number, row in enumerate(rows):
        given = {**plain, key: str(number), **row}
        given.setdefault("month", given[plain["dated"]].replace(day=1))
        full.append({name: given.get(name) for name in schema.names})
    return pa.Table.from_pylist(full, schema=schema)


@pytest.fixture(scope="session")
def many(slice_of: SliceOf) -> Slice:
    """Many variants of many certificates: whole, by month, empty ones, and some without costs."""
    certificates, costs = _many()
    managers = product(STATES, ("M00", "M01"))
    return slice_of(
        {},
        {"month": "2023-07"},
        *({"client": f"C{number:02}"} for number in range(13)),
        *({"state": state} for state in STATES),
        {"client": "nobody"},
        *({"state": state, "project_manager": manager} for state, manager in managers),
        certificates=certificates,
        costs=costs,
    )


def basis(
    rule: ForecastRule = ForecastRule.MODEL, shares: Sequence[int] = (), whole: float = 1.0, part: float = 1.0
) -> ForecastBasis:
    """A tested forecast with the same factor in every horizon, three times as wide for 90%."""
    factors = BandFactors(*([[one] * 13, [3 * one] * 13] for one in (whole, part)))
    test, soon = (TestResult(count, 0.06, 0.09, 0.5, 0.9, None, None) for count in (96, 12))
    return ForecastBasis(rule, ForecastReason.MODEL_NOT_WORSE, tuple(shares), factors, test, soon)


@pytest.fixture(scope="session")
def slice_of() -> SliceOf:
    """The slice of some filters on `AS_OF`; of the small firm where no certificates and costs are given."""

    def make(
        *filters: Mapping[str, Any],
        certificates: Sequence[Row] = CERTIFICATES,
        costs: Sequence[Row] = COSTS,
        bases: Mapping[str, ForecastBasis] | None = None,
    ) -> Slice:
        names = ("client", "project", "project_manager", "administrator", "project_type")
        plain = {**dict.fromkeys(names, "x"), "currency": "CLP"}
        claims = _table(
            certificates,
            CERTIFICATE_SCHEMA,
            "certificate_id",
            {
                **plain,
                "dated": "issued_on",
                "state": "enviado",
                "issued_on": AS_OF,
                "amount_proposed": 10,
                "amount_approved": 0,
                "rework_count": 0,
                "rejection_count": 0,
            },
        )
        spent = _table(
            costs,
            COST_SCHEMA,
            "cost_id",
            {
                **plain,
                "dated": "invoiced_on",
                "invoiced_on": date(2024, 1, 15),
                "kind": "opex",
                "supplier": "x",
                "category": "materiales",
            },
        )
        thresholds = Thresholds()
        rollup = rolled_up(claims, spent, AS_OF, thresholds, 12)
        if bases is not None:
            rollup = replace(rollup, forecast_bases=bases)
        cube = Cube(rollup, AS_OF, 12, thresholds)
        return cube.select([Filter.of(one) for one in filters or ({},)])

    return make

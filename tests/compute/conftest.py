"""Certificates and costs made by hand, and the roll-up and the cube that they give."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.rows import rolled_up

AS_OF = date(2024, 3, 15)
NAMES = dict.fromkeys(("client", "project", "project_manager", "administrator", "project_type"), "x")

Row = dict[str, Any]


def certificates_table(rows: Sequence[Row]) -> pa.Table:
    """A table of certificates: what a row leaves out is plain."""
    plain = {
        **NAMES,
        "state": "enviado",
        "currency": "CLP",
        "amount_proposed": 10,
        "amount_approved": 0,
        "approved_assumed": False,
        "rework_count": 0,
        "rejection_count": 0,
        "issued_on": AS_OF,
    }
    return _table(plain, "certificate_id", "issued_on", rows, CERTIFICATE_SCHEMA)


def costs_table(rows: Sequence[Row]) -> pa.Table:
    """A table of costs: what a row leaves out is plain."""
    plain = {
        **NAMES,
        "currency": "CLP",
        "amount": 1,
        "kind": "opex",
        "supplier": "S",
        "category": "K",
        "invoiced_on": AS_OF,
    }
    return _table(plain, "cost_id", "invoiced_on", rows, COST_SCHEMA)


def _table(plain: Row, number: str, dated: str, rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    full = []
    for at, row in enumerate(rows):
        given = {**plain, number: f"{at:04d}", **row}
        given.setdefault("month", given[dated].replace(day=1))
        full.append({name: given.get(name) for name in schema.names})
    return pa.Table.from_pylist(full, schema=schema)


@pytest.fixture(scope="session")
def certificates_of() -> Callable[..., pa.Table]:
    """A table of certificates made by hand."""
    return certificates_table


@pytest.fixture(scope="session")
def costs_of() -> Callable[..., pa.Table]:
    """A table of costs made by hand."""
    return costs_table


@pytest.fixture(scope="session")
def rollup_of() -> Callable[..., Rollup]:
    """The roll-up of some certificates and costs on `AS_OF`."""

    def make(
        rows: Sequence[Row],
        as_of: date = AS_OF,
        costs: Sequence[Row] = (),
        window: int = 12,
        **thresholds: Any,
    ) -> Rollup:
        spent = costs_table(costs)
        return rolled_up(certificates_table(rows), spent, as_of, Thresholds(**thresholds), window)

    return make


@pytest.fixture(scope="session")
def cube_of(rollup_of) -> Callable[..., Cube]:
    """The cube of some certificates and costs on `AS_OF`."""

    def make(
        rows: Sequence[Row],
        as_of: date = AS_OF,
        window: int = 12,
        costs: Sequence[Row] = (),
        **thresholds: Any,
    ) -> Cube:
        rollup = rollup_of(rows, as_of, costs, window, **thresholds)
        return Cube(rollup, as_of, window, Thresholds(**thresholds))

    return make


@pytest.fixture(scope="session")
def read() -> Callable[..., list[Row]]:
    """The readings of one KPI of a cube under a filter, given by its terms."""
    by_name = {kpi.name: kpi for kpi in KPIS}

    def make(cube: Cube, name: str, **terms: str | Iterable[str]) -> list[Row]:
        requested = Filter.of(terms) if terms else EVERYTHING
        ((found,),) = (one.values() for one in kpi_values(cube.select([requested]), [by_name[name]]))
        return found

    return make

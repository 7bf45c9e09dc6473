"""Certificates made by hand, and the cube that they give."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.compute.rollup import roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds

AS_OF = date(2024, 3, 15)


def certificates(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """A table of certificates: what a row leaves out is plain."""
    plain = {
        **dict.fromkeys(("client", "project", "project_manager", "administrator", "project_type"), "x"),
        "state": "enviado",
        "currency": "CLP",
        "amount_proposed": 10,
        "amount_approved": 0,
        "rework_count": 0,
        "rejection_count": 0,
        "issued_on": AS_OF,
    }
    full = []
    for number, row in enumerate(rows):
        given = {**plain, "certificate_id": str(number), **row}
        given.setdefault("month", given["issued_on"].replace(day=1))
        full.append({name: given.get(name) for name in CERTIFICATE_SCHEMA.names})
    return pa.Table.from_pylist(full, schema=CERTIFICATE_SCHEMA)


@pytest.fixture(scope="session")
def cube_of() -> Callable[..., Cube]:
    """The cube of some certificates on `AS_OF`."""

    def make(rows: Sequence[dict[str, Any]], as_of: date = AS_OF, window: int = 12) -> Cube:
        return Cube(roll_up(certificates(rows), as_of, Thresholds()), as_of, window)

    return make

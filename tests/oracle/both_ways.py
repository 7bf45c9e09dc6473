"""The same certificates as the pipeline has them and as the oracle reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.compute.normalise import normalise
from kpi_pipeline.compute.rollup import roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping

from .figures import Oracle
from .source_rows import Row, table_rows

WINDOW_MONTHS = 12

DEMO_DAY = date(2024, 6, 28)
"""The last day of the demo databases."""


@dataclass(frozen=True)
class BothWays:
    """Certificates, twice.

    Attributes:
        certificates: As the pipeline has them.
        rows: As the oracle reads them.
    """

    certificates: pa.Table
    rows: list[Row]

    @classmethod
    def of_source(cls, url: str, mapping_name: str, rows: list[Row]) -> "BothWays":
        """Of a source, which the oracle has read for itself."""
        mapping = load_mapping(mapping_name)
        found = extract(url, mapping)
        return cls(normalise(found.raw, mapping, found.log).certificates, rows)

    @classmethod
    def of_certificates(cls, certificates: Iterable[Row]) -> "BothWays":
        """Of certificates made by `certificate`."""
        numbered = [{**row, "certificate_id": str(number)} for number, row in enumerate(certificates)]
        table = pa.Table.from_pylist(numbered, schema=CERTIFICATE_SCHEMA)
        return cls(table, table_rows(table))

    def oracle(self, as_of: date, window_months: int = WINDOW_MONTHS) -> Oracle:
        """The oracle of a business date."""
        return Oracle(self.rows, as_of, window_months)

    def cube(self, as_of: date, window_months: int = WINDOW_MONTHS) -> Cube:
        """The cube from which a business date is published."""
        return Cube(roll_up(self.certificates, as_of, Thresholds()), as_of, window_months)


def certificate(state: str, issued_on: date, proposed: int, approved: int = 0, **others: Any) -> Row:
    """A certificate as the pipeline has it, in pesos, billed in the month of issue unless told otherwise."""
    return {
        **dict.fromkeys(CERTIFICATE_SCHEMA.names),
        "project": "Puente",
        "client": "Norte",
        "project_manager": "Ana",
        "administrator": "Luis",
        "project_type": "minería",
        "state": state,
        "month": issued_on.replace(day=1),
        "issued_on": issued_on,
        "currency": "CLP",
        "amount_proposed": proposed,
        "amount_approved": approved,
        "rework_count": 0,
        "rejection_count": 0,
        **others,
    }

"""The same certificates and costs as the pipeline has them and as the oracle reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from kpi_pipeline.audit.recomputation.certificate_states import Limits
from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.audit.recomputation.rows import Row, table_rows
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping

WINDOW_MONTHS = 12

DEMO_DAY = date(2024, 6, 28)
"""The last day of the demo databases."""

DEMO_ROWS = 400
"""Certificates of each."""


@dataclass(frozen=True)
class BothWays:
    """Certificates and costs, twice.

    Attributes:
        certificates: As the pipeline has them.
        costs: As the pipeline has them.
        rows: The certificates as the oracle reads them.
        cost_rows: The costs as the oracle reads them.
        thresholds: What the pipeline goes by.
        limits: The same, as the oracle has it.
    """

    certificates: pa.Table
    costs: pa.Table
    rows: list[Row]
    cost_rows: list[Row]
    thresholds: Thresholds = field(default_factory=Thresholds)
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of_source(
        cls, url: str, mapping_name: str, rows: list[Row], cost_rows: list[Row] | None = None
    ) -> "BothWays":
        """Of a source, which the oracle has read for itself."""
        mapping = load_mapping(mapping_name)
        found = extract(url, mapping)
        certificates = normalise(found.raw, mapping, found.log).certificates
        headers, lines = (found.costs.headers, found.costs.lines) if found.costs else (None, None)
        costs = normalise_costs(headers, lines, mapping, certificates).costs
        return cls(certificates, costs, rows, cost_rows or [])

    @classmethod
    def of_certificates(
        cls, certificates: Iterable[Row], costs: Iterable[Row] = (), **rules: Any
    ) -> "BothWays":
        """Of certificates made by `certificate` and costs made by `cost`."""
        numbered = [{**row, "certificate_id": f"{number:04d}"} for number, row in enumerate(certificates)]
        table = pa.Table.from_pylist(numbered, schema=CERTIFICATE_SCHEMA)
        numbered = [{**row, "cost_id": str(number)} for number, row in enumerate(costs)]
        spent = pa.Table.from_pylist(numbered, schema=COST_SCHEMA)
        return cls(table, spent, table_rows(table), table_rows(spent), **rules)

    def oracle(self, as_of: date, window_months: int = WINDOW_MONTHS) -> Oracle:
        """The oracle of a business date."""
        return Oracle(self.rows, as_of, window_months, self.cost_rows, self.limits)

    def rollup(self, as_of: date, window_months: int = WINDOW_MONTHS) -> Rollup:
        """The roll-up of a business date."""
        return roll_up(self.certificates, self.costs, as_of, self.thresholds, window_months)

    def cube(self, as_of: date, window_months: int = WINDOW_MONTHS) -> Cube:
        """The cube from which a business date is published."""
        return Cube(self.rollup(as_of, window_months), as_of, window_months, self.thresholds)


def each_of_its_own_clients(tables: Mapping[str, Iterable[Row]]) -> list[Row]:
    """The rows of several tables as one, in which a filter of clients finds those of each."""
    return [{**row, "client": f"{row['client']}: {name}"} for name, rows in tables.items() for row in rows]


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
        "approved_assumed": False,
        "rework_count": 0,
        "rejection_count": 0,
        **others,
    }


def cost(amount: int, invoiced_on: date, **others: Any) -> Row:
    """A cost as the pipeline has it, in pesos, of the month of its invoice."""
    return {
        **dict.fromkeys(COST_SCHEMA.names),
        "project": "Puente",
        "client": "Norte",
        "project_manager": "Ana",
        "administrator": "Luis",
        "project_type": "minería",
        "month": invoiced_on.replace(day=1),
        "invoiced_on": invoiced_on,
        "currency": "CLP",
        "amount": amount,
        "kind": "opex",
        "supplier": "Áridos",
        "category": "materiales",
        **others,
    }

"""The costs that the pipeline reads are those that the oracle reads for itself."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kpi_pipeline.audit.recomputation.rows import Row
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import NormalisedCosts, normalise_costs
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping

from .source_rows import NO_DETAIL, NOBODY, demo_costs

pytestmark = pytest.mark.slow

ODD = """
UPDATE cost_header SET importe_neto = importe_neto + 1 WHERE cost_id = 1;
DELETE FROM cost_lines WHERE cost_id = 2;
UPDATE cost_lines SET subtotal = 'por definir' WHERE line_id = (SELECT max(line_id) FROM cost_lines);
UPDATE cost_header SET project_id = NULL WHERE cost_id = 3;
UPDATE cost_header SET project_id = 9999 WHERE cost_id = 4;
UPDATE cost_header SET tipo_costo = 'Inversión' WHERE cost_id = 5;
UPDATE cost_header SET tipo_costo = 'raro' WHERE cost_id = 6;
UPDATE cost_header SET fecha_factura = NULL WHERE cost_id = 7;
UPDATE cost_header SET importe_neto = -importe_neto WHERE cost_id = 8;
UPDATE cost_lines SET subtotal = -subtotal WHERE cost_id = 8;
UPDATE cost_header SET moneda = 'UYI' WHERE cost_id = 9;
UPDATE cost_lines SET categoria = NULL WHERE cost_id = 10;
UPDATE cost_lines SET cost_id = 9999 WHERE cost_id = 11;
UPDATE cost_header SET importe_neto = 'por definir' WHERE cost_id = 12;
UPDATE cost_header SET proveedor = '' WHERE cost_id = 13;
"""
"""Costs as they occur; UYI has no decimals, as CLP."""


def read(path: Path) -> NormalisedCosts:
    mapping = load_mapping("edp")
    found = extract(f"sqlite:///{path}", mapping)
    assert found.costs is not None
    certificates = normalise(found.raw, mapping, found.log).certificates
    return normalise_costs(found.costs.headers, found.costs.lines, mapping, certificates)


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (int(row["cost_id"]), row["category"]))


def rows_of(costs: NormalisedCosts) -> list[Row]:
    return [{**row, "month": f"{row['month']:%Y-%m}"} for row in costs.costs.to_pylist()]


def test_every_cost_of_the_demo(small_demo: Path) -> None:
    costs = read(small_demo)
    assert rows_of(costs) == in_order(demo_costs(small_demo))
    assert costs.quarantine.num_rows == costs.undetailed == 0
    with closing(sqlite3.connect(small_demo)) as connection:
        total = connection.execute("SELECT sum(importe_neto) FROM cost_header").fetchone()[0]
    assert sum(row["amount"] for row in rows_of(costs)) == total


def test_odd_costs_are_read_alike(tmp_path: Path, small_demo: Path) -> None:
    path = tmp_path / "odd.db"
    shutil.copy(small_demo, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(ODD)
    costs = read(path)
    rows = rows_of(costs)
    assert rows == in_order(demo_costs(path))
    assert {row["cost_id"] for row in rows if row["category"] == NO_DETAIL} == {"1", "2", "10", "11", "72"}
    assert costs.undetailed == 4, "one has lines, but they name no category"
    assert {row["cost_id"] for row in rows if row["project"] == NOBODY} == {"3", "4"}
    assert costs.reason_counts == {
        "bad_amount:amount": 1,
        "missing:invoiced_on": 1,
        "unknown_kind:kind": 1,
    }


def test_a_project_entered_twice_doubles_no_cost(tmp_path: Path, small_demo: Path) -> None:
    path = tmp_path / "twice.db"
    shutil.copy(small_demo, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE again AS SELECT * FROM projects;
            DROP TABLE projects;
            ALTER TABLE again RENAME TO projects;
            INSERT INTO projects SELECT * FROM projects;
            """
        )
    assert read(path).costs.equals(read(small_demo).costs)

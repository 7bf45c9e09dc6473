"""Provenance travels with a table."""

from datetime import date

import pyarrow as pa
import pytest

from kpi_pipeline.sources.provenance import Provenance

READ = Provenance(3, 1_700_000_000.5, "postgresql://user:***@host/db", "edp", "2024-05-02T09:00:00")


def test_a_table_keeps_its_provenance_and_other_metadata() -> None:
    table = pa.table({"n": [1]}).replace_schema_metadata({b"other": b"kept"})
    attached = READ.attach(table)
    assert Provenance.of(attached) == READ
    assert attached.schema.metadata[b"other"] == b"kept"
    assert attached.column("n").to_pylist() == [1]


def test_a_roll_up_has_a_business_date() -> None:
    assert Provenance.of(READ.of_rollup(date(2024, 6, 28), None).attach(pa.table({}))).as_of == "2024-06-28"


def test_a_table_without_provenance_is_refused() -> None:
    with pytest.raises(ValueError, match="materialize certificates"):
        Provenance.of(pa.table({"n": [1]}))

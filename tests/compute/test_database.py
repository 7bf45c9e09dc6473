"""What the computation relies on in DuckDB's client; a new version that changes it fails here."""

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from kpi_pipeline.compute.database import arrow_table, computation

CHANGED = f"duckdb {duckdb.__version__} differs from what kpi_pipeline/compute/database.py relies on"
ROWS = pa.table({"number": list(range(300_000)), "text": [None, "á", ""] * 100_000})


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT * FROM numbers ORDER BY number", None),
        ("SELECT * FROM numbers WHERE number < $most::INTEGER ORDER BY number", {"most": 7}),
        (
            "SELECT text, sum(number)::BIGINT AS total, [text] AS texts FROM numbers GROUP BY 1 ORDER BY 1",
            None,
        ),
        ("SELECT * FROM numbers WHERE number < 0", {}),
    ],
)
def test_a_table_is_that_of_a_relation(statement: str, parameters: dict[str, Any] | None) -> None:
    with computation() as connection:
        connection.register("numbers", ROWS)
        relation = connection.sql(statement, params=parameters)
        assert arrow_table(connection, statement, parameters).equals(relation.to_arrow_table()), CHANGED


def test_a_statement_that_fails_raises_what_a_relation_raises() -> None:
    with computation() as connection:
        for statement in ("SELECT nothing", "SELECT 9223372036854775807::HUGEINT::INTEGER", "SELEC"):
            with pytest.raises(duckdb.Error) as by_relation:
                connection.sql(statement).to_arrow_table()
            with pytest.raises(type(by_relation.value)):
                arrow_table(connection, statement)

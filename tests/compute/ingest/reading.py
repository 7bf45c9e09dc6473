"""Reading texts by the expressions of `parsing` and `moments`, without a source around them."""

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from kpi_pipeline.compute.ingest.cells import Cell

CELL = Cell("text", "text", pa.string())


def read(texts: Sequence[str], *expressions: Callable[[Cell], str]) -> list[Any]:
    """What an expression gives for each text; tuples where there are several expressions."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("texts", pa.table({"text": pa.array(list(texts), pa.string())}))
        columns = ", ".join(expression(CELL) for expression in expressions)
        rows = connection.execute(f"SELECT {columns} FROM texts").fetchall()
    return [row if len(expressions) > 1 else row[0] for row in rows]

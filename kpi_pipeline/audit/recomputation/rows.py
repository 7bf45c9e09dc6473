"""Certificates and costs as plain dicts, and how spellings are compared."""

import unicodedata
from functools import cache
from typing import Any

import pyarrow as pa

Row = dict[str, Any]

DIMENSIONS = (
    "month",
    "client",
    "project",
    "project_manager",
    "administrator",
    "state",
    "project_type",
    "amount_band",
    "issued_age",
)


@cache
def bare(text: str) -> str:
    """A spelling without accents, case and superfluous spaces."""
    letters = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join("".join(letters).casefold().split())


def table_rows(table: pa.Table) -> list[Row]:
    """Rows of a table of certificates or costs, with months as 'YYYY-MM'."""
    return [{**row, "month": f"{row['month']:%Y-%m}"} for row in table.to_pylist()]

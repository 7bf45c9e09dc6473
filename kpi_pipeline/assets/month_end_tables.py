"""The roll-ups of several month ends as one set of tables."""

import json
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.rollup.rollup import Rollup

_MONTH: Final = "month_end"
_METADATA: Final = b"kpi_month_ends"


def stack(months: Sequence[str], rollups: Sequence[Rollup]) -> list[pa.Table]:
    """Put the roll-ups of some month ends on top of one another.

    Args:
        months: Months as 'YYYY-MM', at least one.
        rollups: The roll-up as of the end of each.

    Returns:
        The tables of a roll-up, each with the column `month_end`.
    """
    each = [rollup.tables() for rollup in rollups]
    # What the schema of a month's table says belongs to that month.
    said = {
        month: [_text(table.schema.metadata) for table in tables]
        for month, tables in zip(months, each, strict=True)
    }
    stacked = []
    for pieces in zip(*each, strict=True):
        named = [
            table.append_column(_MONTH, pa.array([month] * table.num_rows, pa.string()))
            for month, table in zip(months, pieces, strict=True)
        ]
        whole = pa.concat_tables([table.replace_schema_metadata(None) for table in named])
        stacked.append(whole.replace_schema_metadata({_METADATA: json.dumps(said).encode()}))
    return stacked


def of_month(stacked: Sequence[pa.Table], month: str) -> Rollup | None:
    """The roll-up as of one month end; None where it is not among them."""
    said = json.loads(stacked[0].schema.metadata[_METADATA])
    if month not in said:
        return None
    tables = []
    for table, metadata in zip(stacked, said[month], strict=True):
        rows = table.filter(pc.equal(table[_MONTH], month)).drop_columns([_MONTH])
        tables.append(rows.replace_schema_metadata(metadata))
    return Rollup.of_tables(tables)


def _text(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (metadata or {}).items()}

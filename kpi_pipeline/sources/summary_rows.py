"""Rows of a spreadsheet that are no rows: empty ones, and the sums below them."""

import re
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import SourceMapping

_TOTAL: Final = re.compile(r"((gran |grand |sub ?)?total(es|s)?( general)?|suma|sum)\W*")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Numbers of rows that are no rows.

    Attributes:
        blank: Rows without any value in the mapping's columns.
        totals: Sums: rows with amounts alone, or that a cell calls a total and that have no date of issue.
    """

    blank: int = 0
    totals: int = 0

    def as_text(self) -> str:
        """The numbers as a clause; empty where every row counts."""
        counts = ((self.blank, "empty row", "empty rows"), (self.totals, "row of totals", "rows of totals"))
        named = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
        return f"{' and '.join(named)} left out" if named else ""


def leave_out(table: pa.Table, mapping: SourceMapping) -> tuple[pa.Table, frozenset[int], frozenset[int]]:
    """Leave out the rows of a table of texts that are no rows.

    Args:
        table: The rows, in the mapping's source columns.
        mapping: Names the date of issue and the amounts.

    Returns:
        The other rows, and the places, from 0 on, of those that are blank and of sums.
    """
    issued = table[str(mapping.columns["issued_on"])]
    has_none = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(issued), ""), True)
    undated = pc.indices_nonzero(has_none)
    amounts = {column for name, column in mapping.columns.items() if name.startswith("amount")}
    blank, totals = set(), set()
    for at, row in zip(undated.to_pylist(), table.take(undated).to_pylist(), strict=True):
        given = {name: text for name, value in row.items() if (text := fold(value or ""))}
        if not given:
            blank.add(at)
        elif given.keys() <= amounts or any(_TOTAL.fullmatch(text) for text in given.values()):
            totals.add(at)
    if not blank and not totals:
        return table, frozenset(), frozenset()
    kept = pa.array([at not in blank and at not in totals for at in range(table.num_rows)])
    return table.filter(kept), frozenset(blank), frozenset(totals)

"""The rows of a source that a scope admits: its figures are computed as if there were no others."""

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.model.filters import Filter, fold


def rows_within(rows: pa.Table, scope: Filter) -> pa.Table:
    """The rows that a forced filter admits, in their order; names are compared folded.

    Args:
        rows: Certificates or costs, in `CERTIFICATE_SCHEMA` or `COST_SCHEMA`.
        scope: Names columns that they have.
    """
    for name, values in scope.identity:
        wanted = set(values)
        admitted = [one for one in pc.unique(rows[name]).to_pylist() if fold(one) in wanted]
        rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(admitted, pa.string())))
    return rows

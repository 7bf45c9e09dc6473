"""Totals straight from the rows of shards, with which the roll-up is reconciled."""

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.model.costs import CostKind
from kpi_pipeline.model.states import Event, State

TOTALS_SCHEMA: Final = pa.schema(
    [
        pa.field("shard", pa.int64()),
        pa.field("name", pa.string()),
        pa.field("currency", pa.string()),
        pa.field("total", pa.int64()),
    ]
)
"""A total of a shard and currency. Names are those of components, and the following."""

COLLECTED: Final = "collected"
"""What certificates of known days of payment were paid."""

UNDATED_PAYMENTS: Final = "undated_payments"
"""How many certificates are paid, in whole or in part, on a day that is not known."""

ALL_ROWS: Final = "rows"
"""How many rows there are, whatever their dates."""

COST_AMOUNT: Final = "cost_amount"
"""What costs amount to, of all kinds."""

_ROWS: Final = "currency"


def row_totals(certificates: pa.Table, costs: pa.Table, as_of: date) -> pa.Table:
    """Those of certificates and of costs; rows in `TOTALS_SCHEMA`."""
    return pa.concat_tables([certificate_totals(certificates, as_of), cost_totals(costs, as_of)])


def certificate_totals(certificates: pa.Table, as_of: date) -> pa.Table:
    """Those of certificates that are issued, or paid, by a date and not cancelled.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        as_of: The date.

    Returns:
        Rows in `TOTALS_SCHEMA`.
    """
    shard = _months(certificates["issued_on"])
    valid = certificates.append_column("shard", shard).filter(pa.array(_is_valid(certificates, as_of)))
    existing = _until(valid, "issued_on", as_of)
    counted = existing.filter(pc.greater_equal(existing["amount_proposed"], 0))
    collected = _until(valid, "paid_on", as_of)
    collected = collected.append_column(
        "amount",
        pc.coalesce(
            collected["amount_paid"],
            pc.subtract(collected["amount_approved"], pc.fill_null(collected["amount_retained"], 0)),
        ),
    )
    paid = pc.or_(pc.equal(valid["state"], State.PAID.value), pc.is_valid(valid["amount_paid"]))
    undated = valid.filter(pc.and_(paid, pc.is_null(valid["paid_on"])))
    return pa.concat_tables(
        [
            _totals("proposed_amount", existing, "amount_proposed"),
            _totals("proposed_count", counted, _ROWS),
            _totals(COLLECTED, collected, "amount"),
            _totals(UNDATED_PAYMENTS, undated, _ROWS),
            _totals(ALL_ROWS, certificates.append_column("shard", shard), _ROWS),
        ]
    )


def cost_totals(costs: pa.Table, as_of: date) -> pa.Table:
    """Those of costs that are invoiced by a date.

    Args:
        costs: Rows in `COST_SCHEMA`.
        as_of: The date.

    Returns:
        Rows in `TOTALS_SCHEMA`.
    """
    invoiced = _until(costs.append_column("shard", _months(costs["invoiced_on"])), "invoiced_on", as_of)
    kinds = {"cost_opex_amount": CostKind.OPEX, "cost_capex_amount": CostKind.CAPEX}
    return pa.concat_tables(
        [
            _totals("cost_count", invoiced, _ROWS),
            _totals(COST_AMOUNT, invoiced, "amount"),
            *(
                _totals(name, invoiced.filter(pc.equal(invoiced["kind"], kind.value)), "amount")
                for name, kind in kinds.items()
            ),
            _totals("paid_out_amount", _until(invoiced, "paid_on", as_of), "amount"),
        ]
    )


def _totals(name: str, rows: pa.Table, column: str) -> pa.Table:
    """One total of each shard and currency; `_ROWS` counts rows."""
    function = "count" if column == _ROWS else "sum"
    summed = rows.group_by(["shard", "currency"]).aggregate([(column, function)])
    names = pa.array([name], pa.string()).take(pa.array(np.zeros(summed.num_rows, np.int32)))
    columns = [summed["shard"], names, summed["currency"], summed[f"{column}_{function}"]]
    return pa.Table.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, TOTALS_SCHEMA, strict=True)],
        schema=TOTALS_SCHEMA,
    )


def _is_valid(certificates: pa.Table, day: date) -> np.ndarray:
    """Which certificates are not cancelled by a day."""
    history = certificates["history"].combine_chunks()
    entries, of_row = pc.list_flatten(history), pc.list_parent_indices(history).to_numpy()
    is_cancelling = pc.equal(entries.field("event"), Event.CANCELLED.value).to_numpy(zero_copy_only=False)
    passed = np.flatnonzero(pc.less_equal(entries.field("day"), day).to_numpy(zero_copy_only=False))
    # Of several entries of a row the last one stays.
    last = np.full(certificates.num_rows, -1)
    last[of_row[passed]] = passed
    ends_so = np.append(is_cancelling, False)[last]
    is_dated = np.zeros(certificates.num_rows, np.bool_)
    is_dated[of_row[is_cancelling]] = True
    is_so_now = pc.equal(certificates["state"], State.CANCELLED.value).to_numpy(zero_copy_only=False)
    return np.asarray(~(ends_so | is_so_now & ~is_dated), bool)


def _until(table: pa.Table, column: str, day: date) -> pa.Table:
    """The rows dated up to a day."""
    return table.filter(pc.less_equal(table[column], pa.scalar(day)))


def _months(day: pa.ChunkedArray) -> pa.ChunkedArray:
    """The number of each date's month."""
    return pc.add(pc.multiply(pc.year(day), 12), pc.subtract(pc.month(day), 1))

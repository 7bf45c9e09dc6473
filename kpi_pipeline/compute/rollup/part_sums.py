"""What the parts of a roll-up's tables sum to: what is reconciled, without reading parts that have stayed."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT
from kpi_pipeline.compute.rollup.totals import COST_AMOUNT
from kpi_pipeline.model.components import COMPONENT_NAMES, MONTHLY_COMPONENTS
from kpi_pipeline.model.states import State
from kpi_pipeline.model.work_lists import Arrears, WorkListName

Sums = dict[tuple[str, str], int]
"""Sums by what they are called and the currency."""

COHORTS: Final = "cohorts"
ON_AS_OF: Final = "as_of"
MONTHS: Final = "months"
LISTED: Final = "work_lists"
TIMED: Final = "payment_times"
BOUNDS: Final = "bounds"
"""What sums are of. Bounds are what absolute amounts of a component sum to, or more, in all currencies."""

BREAKDOWNS: Final = ("supplier", "cost_category")
"""Breakdowns that are summed, by their names."""

PART_SUMS_SCHEMA: Final = pa.schema(
    [
        pa.field("of", pa.string()),
        pa.field("name", pa.string()),
        pa.field("currency", pa.string()),
        pa.field("total", pa.int64()),
    ]
)

_ROWS: Final = "currency"
_LARGEST: Final = 2**62
_WIDE: Final = pa.decimal128(38)


def part_sums(
    *,
    cells: Sequence[pa.Table] = (),
    monthly: pa.Table | None = None,
    payment_times: pa.Table | None = None,
    breakdowns: pa.Table | None = None,
    work_lists: pa.Table | None = None,
) -> pa.Table:
    """What parts of tables sum to; rows in `PART_SUMS_SCHEMA`.

    Args:
        cells: Parts with some or all columns of cells.
        monthly: Flows by month.
        payment_times: Days of payment.
        breakdowns: Reasons, failures and suppliers.
        work_lists: Certificates to act upon.
    """
    rows: list[tuple[str, str, str, int]] = []

    def add(of: str, sums: Sums) -> None:
        rows.extend((of, name, currency, total) for (name, currency), total in sums.items())

    for part in cells:
        by_place = summed_cells(part, _held(part, COMPONENT_NAMES))
        add(COHORTS, by_place[COHORT])
        add(ON_AS_OF, by_place[AS_OF])
        add(BOUNDS, _bounds(part))
    if monthly is not None:
        add(MONTHS, _sums(monthly, **{name: name for name in _held(monthly, MONTHLY_COMPONENTS)}))
    if payment_times is not None:
        timed = payment_times.select(["place", "currency", "paid"])
        add(TIMED, _sums(timed.filter(pc.equal(timed["place"], COHORT)), timed_count="paid"))
    if breakdowns is not None:
        for name in BREAKDOWNS:
            add(name, _summed_breakdown(breakdowns, name))
    if work_lists is not None:
        add(LISTED, _summed_lists(work_lists))
    columns = zip(*rows, strict=True) if rows else ([] for _ in PART_SUMS_SCHEMA)
    return pa.Table.from_arrays(
        [pa.array(list(values), field.type) for values, field in zip(columns, PART_SUMS_SCHEMA, strict=True)],
        schema=PART_SUMS_SCHEMA,
    )


def added_up(parts: pa.Table) -> dict[str, Sums]:
    """The sums of all parts together, by what they are of."""
    found: dict[str, Sums] = {
        of: {} for of in (COHORTS, ON_AS_OF, MONTHS, LISTED, TIMED, BOUNDS, *BREAKDOWNS)
    }
    # The sums of bounds may not fit 64 bits.
    wide = parts.set_column(3, "total", parts["total"].cast(_WIDE))
    rows = wide.group_by(["of", "name", "currency"]).aggregate([("total", "sum")])
    for row in rows.to_pylist():
        found[row["of"]][row["name"], row["currency"]] = int(row["total_sum"])
    return found


def summed_cells(cells: pa.Table, names: Sequence[str]) -> dict[int, Sums]:
    """The sums of cohorts and of the business date, by place."""
    named = cells.select(["place", "currency", *names])
    return {
        place: _sums(_at_place(named, place), **{name: name for name in names}) for place in (COHORT, AS_OF)
    }


def _bounds(cells: pa.Table) -> Sums:
    bounds: Sums = {}
    for name in _held(cells, COMPONENT_NAMES):
        ends = pc.min_max(cells[name]).as_py()
        largest = max(abs(ends["min"] or 0), abs(ends["max"] or 0))
        most = cells.num_rows * largest
        # Below it no sum wraps around.
        bounds[name, ""] = pc.sum(pc.abs(cells[name])).as_py() or 0 if most < _LARGEST else _LARGEST
    return bounds


def _held(table: pa.Table, names: Sequence[str]) -> list[str]:
    """Those of some columns that a table has."""
    # Each look at `column_names` makes a list of them.
    held = set(table.column_names)
    return [name for name in names if name in held]


def _at_place(cells: pa.Table, place: int) -> pa.Table:
    """The cells of a place, nothing copied: they stand together, those of costs by month."""
    is_there = np.concatenate([[False], cells["place"].to_numpy() == place, [False]])
    begins, ends = np.flatnonzero(is_there[1:] != is_there[:-1]).reshape(-1, 2).T.tolist()
    runs = [cells.slice(begin, end - begin) for begin, end in zip(begins, ends, strict=True)]
    return pa.concat_tables([cells.slice(0, 0), *runs])


def _summed_lists(work_lists: pa.Table) -> Sums:
    """What the work lists of the business date hold, as the components are called that say the same."""
    named = work_lists.select(["place", "work_list", "currency", "arrears", "state", "amount"])
    listed = _rows(
        named.filter(pc.equal(named["place"], AS_OF)),
        "work_list",
        WorkListName.COLLECT_TODAY,
        WorkListName.CORRECT_AND_RESEND,
    )
    critical, overdue = (
        _rows(listed, "arrears", of, Arrears.BOTH) for of in (Arrears.CRITICAL, Arrears.OVERDUE)
    )
    return {
        **_sums(critical, critical_count=_ROWS, critical_amount="amount"),
        **_sums(overdue, overdue_count=_ROWS, overdue_amount="amount"),
        **_sums(_rows(listed, "state", State.REJECTED), returned_count=_ROWS),
        **_sums(_rows(listed, "state", State.REVISION), unsent_count=_ROWS),
    }


def _summed_breakdown(breakdowns: pa.Table, name: str) -> Sums:
    """The sums of costs in one breakdown of the cohorts."""
    named = breakdowns.select(["place", "breakdown", "currency", "count", "amount"])
    rows = named.filter(pc.and_(pc.equal(named["breakdown"], name), pc.equal(named["place"], COHORT)))
    return _sums(rows, cost_count="count", **{COST_AMOUNT: "amount"})


def _rows(table: pa.Table, column: str, *values: str) -> pa.Table:
    """The rows that have one of some values."""
    return table.filter(pc.is_in(table[column], pa.array(map(str, values), pa.string())))


def _sums(table: pa.Table, **columns: str) -> Sums:
    """Sums of columns, by what each is called here and the currency; `_ROWS` counts rows."""
    wanted = [(column, "count" if column == _ROWS else "sum") for column in columns.values()]
    currency = table["currency"]
    if pa.types.is_dictionary(currency.type):
        # Chunks have texts of their own.
        table = table.set_column(
            table.schema.get_field_index("currency"), "currency", currency.cast(pa.string())
        )
    rows = table.group_by("currency").aggregate(sorted(set(wanted))).to_pylist()
    return {
        (name, row["currency"]): row[f"{column}_{function}"]
        for row in rows
        for name, (column, function) in zip(columns, wanted, strict=True)
    }

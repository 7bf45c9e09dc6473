"""The tables of pages: rows by dimension, by key or of a work list from their declarations, others from a
builder each.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.blocks.forecast import forecast
from kpi_pipeline.compute.blocks.ranking import Ranking
from kpi_pipeline.compute.blocks.statement import statement
from kpi_pipeline.compute.blocks.working_capital import working_capital
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.evaluation_days import AS_OF
from kpi_pipeline.compute.json_values import Data, by_variant, names_at, quotients, rows_of, values_or_none
from kpi_pipeline.compute.windows import window_days
from kpi_pipeline.model.components import COMPONENTS, ComponentKind
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.kpis.formulas import Ratio, Sum, Total, terms_of
from kpi_pipeline.model.tables import ByDimension, ByKey, Table, WorkList, tables_in

_Sums = dict[str, Ints]
"""Sums of rows by component, each [rows]."""

_OF_COSTS: Final = frozenset(
    component.name
    for component in COMPONENTS
    if component.kind in (ComponentKind.COST, ComponentKind.COST_STOCK)
)


def tables(names: Sequence[str], slice_: Slice) -> list[Data]:
    """The tables of each variant, by the names under which pages hold them.

    Args:
        names: Names that pages give.
        slice_: The variants.

    Raises:
        KeyError: If there is no such table.
    """
    blocks = [_block(name, slice_) for name in names]
    return [{name: rows for block in blocks for name, rows in block[at].items()} for at in range(len(slice_))]


def table_rows(table: Table, slice_: Slice) -> list[Any]:
    """The rows of one table of each variant; raises as `tables` does."""
    match table.rows:
        case ByDimension():
            return _by_dimension(table, table.rows, slice_)
        case ByKey():
            return _by_key(table, table.rows, slice_)
        case WorkList():
            return _of_work_list(table, table.rows, slice_)
        case None:
            return _BUILDERS[table.name](slice_)


_BUILDERS: Final[dict[str, Callable[[Slice], list[Any]]]] = {
    "working_capital": working_capital,
    "forecast": forecast,
}


def _block(name: str, slice_: Slice) -> list[Data]:
    """What payloads hold under one name, of each variant."""
    if name == "statement":
        return statement(slice_)
    held = {table.name: table_rows(table, slice_) for table in tables_in(name)}
    if list(held) == [name]:
        return [{name: rows} for rows in held[name]]
    if not held:
        raise KeyError(name)
    return [{name: dict(zip(held, parts, strict=True))} for parts in zip(*held.values(), strict=True)]


def _by_dimension(table: Table, rows: ByDimension, slice_: Slice) -> list[list[Data]]:
    components = rows.components()
    group_sums = slice_.group_sums(rows.dimension, components)
    measure = _sum(rows.ranking().of, _by_component(components, group_sums.sums))
    ranking = Ranking.of(group_sums, np.abs(measure) if rows.by_size else measure).first(rows.top)
    sums = _by_component(components, ranking.sums)
    columns = {
        table.columns[0].name: names_at(slice_.frame.encoded_values[rows.dimension], ranking.value),
        "currency": names_at(slice_.currencies, ranking.currency),
        **{name: _values(formula, sums, slice_, ranking) for name, formula in rows.values.items()},
    }
    return by_variant(len(slice_), ranking.variant, rows_of(columns))


def _values(formula: Total | Ratio, sums: _Sums, slice_: Slice, ranking: Ranking) -> list[Any]:
    """A column: None for what rests on costs where these are unknown, or where there is no quotient."""
    variant = ranking.variant
    known = slice_.has_costs[variant, ranking.currency]
    if not any(term.component in _OF_COSTS for term in terms_of(formula)):
        known = np.ones(len(variant), np.bool_)
    if isinstance(formula, Total):
        return values_or_none(_sum(formula.of, sums), known)
    above, below = _sum(formula.above, sums), _sum(formula.below, sums) * known
    if not formula.times_days:
        return quotients(above, below)
    days = window_days(slice_)[variant, AS_OF]
    return quotients(above, np.where(days > 0, below, 0), days)


def _by_component(components: Sequence[str], sums: Ints) -> _Sums:
    return {component: sums[:, at] for at, component in enumerate(components)}


def _sum(terms: Sum, sums: _Sums) -> Ints:
    first, *rest = (term.factor * sums[term.component] for term in terms)
    return sum(rest, first)


def _by_key(table: Table, rows: ByKey, slice_: Slice) -> list[list[Data]]:
    sums, keys = slice_.breakdown_sums(rows.breakdown), slice_.keys(rows.breakdown)
    sought = sorted(range(len(keys)), key=lambda place: (fold(keys[place]), keys[place]))
    by_name = np.argsort(np.array(sought, np.int64))[sums.key]
    measures = [sums.count if name == "count" else sums.amount for name in rows.ranked_by]
    order = np.lexsort((by_name, *(-measure for measure in reversed(measures)), sums.currency, sums.variant))
    variant, currency = sums.variant[order], sums.currency[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(variant) != 0) | (np.diff(currency) != 0)
    rank = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    order = order[rank < rows.top]
    columns = {
        table.columns[0].name: names_at(keys, sums.key[order]),
        "currency": names_at(slice_.currencies, sums.currency[order]),
        "amount": sums.amount[order].tolist(),
        "count": sums.count[order].tolist(),
    }
    return by_variant(len(slice_), sums.variant[order], rows_of(columns))


def _of_work_list(table: Table, rows: WorkList, slice_: Slice) -> list[list[Data]]:
    variant, row = slice_.work_list(table.name, rows.top)
    distinct, at = np.unique(row, return_inverse=True)
    held = slice_.frame.work_lists.select([column.name for column in table.columns]).take(pa.array(distinct))
    made = rows_of({name: _plain(held[name]) for name in held.column_names})
    return by_variant(len(slice_), variant, [made[place] for place in at.tolist()])


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column, dates as texts."""
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    plain: list[Any] = (column if is_number else column.cast(pa.string())).to_pylist()
    return plain

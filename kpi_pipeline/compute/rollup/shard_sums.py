"""What the certificates and the costs of shards sum to: all that a roll-up takes from their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from kpi_pipeline.compute.attributes import Attributes
from kpi_pipeline.compute.database import arrow_table, summation
from kpi_pipeline.compute.evaluation_days import AS_OF, COHORT, EvaluationDays
from kpi_pipeline.compute.forecasting.backtest import scored_range
from kpi_pipeline.compute.forecasting.expected_payments import FORECAST_COMPONENTS
from kpi_pipeline.compute.forecasting.landmarks import REACH, LandmarkDays, standing_at_landmarks
from kpi_pipeline.compute.histories import Histories, facts_by_day, spans, with_histories
from kpi_pipeline.compute.months import month_of, month_text
from kpi_pipeline.compute.rollup import statements
from kpi_pipeline.compute.rollup.as_of_view import amount_cuts, view_settings
from kpi_pipeline.compute.rollup.cells import CELL_COLUMNS, FIRST_ISSUED, FIRST_STANDING
from kpi_pipeline.compute.rollup.shards import ShardGroup, ShardSums, split
from kpi_pipeline.compute.rollup.tables import WORK_LISTS_SCHEMA
from kpi_pipeline.compute.rollup.totals import certificate_totals, cost_totals
from kpi_pipeline.model.components import COMPONENTS, ComponentKind
from kpi_pipeline.model.dimensions import (
    AMOUNT_BANDS,
    COLUMN_DIMENSIONS,
    COST_COLUMN_DIMENSIONS,
    ISSUED_AGES,
)
from kpi_pipeline.model.forecast import TESTED_MONTHS
from kpi_pipeline.model.states import State
from kpi_pipeline.model.thresholds import Thresholds

Ints = npt.NDArray[np.int64]

_NAMES: Final = (*COLUMN_DIMENSIONS, "currency")
_COST_NAMES: Final = (*COST_COLUMN_DIMENSIONS, "currency")
_DECLARED: Final = {
    "state": tuple(sorted(state.value for state in State)),
    "amount_band": tuple(sorted(AMOUNT_BANDS)),
    "issued_age": tuple(sorted(label for label, _, _ in ISSUED_AGES)),
}
"""Values of the dimensions that follow from dates, states or amounts, in order."""

_IN_CELLS: Final = ("place", "month", "attributes", *_DECLARED)
_OF_COSTS: Final = (ComponentKind.COST, ComponentKind.COST_STOCK)
CERTIFICATE_COMPONENTS: Final = tuple(
    component.name
    for component in COMPONENTS
    if component.kind not in _OF_COSTS and component.name not in FORECAST_COMPONENTS
)
CERTIFICATE_COLUMNS: Final = (*CERTIFICATE_COMPONENTS, FIRST_ISSUED, FIRST_STANDING)
"""What the cells of certificates hold, but for the forecast."""

COHORTS: Final = "cohorts"
NOW: Final = "now"
PAST: Final = "past"
"""Names of the tables of cells: of cohorts, of the business date and of earlier days."""

OPEN_ITEMS: Final = "open_items"
"""Name of the table of receivable certificates."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """What figures go by.

    Attributes:
        as_of: The business date.
        thresholds: Days and amounts of the definitions.
        window_months: Months of the window over which flows are summed.
    """

    as_of: date
    thresholds: Thresholds
    window_months: int

    @property
    def days(self) -> EvaluationDays:
        """The days on which everything is evaluated."""
        return EvaluationDays(self.as_of, self.window_months)


def certificate_sums(certificates: pa.Table, definitions: Definitions) -> ShardSums:
    """The sums of each of some shards of certificates.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`: all of these shards.
        definitions: What figures go by.

    Returns:
        These tables, each with the column shard, the shards of cells one after the other: the cells of
        cohorts, of the business date and of earlier days (with `CERTIFICATE_COLUMNS` alone), monthly,
        payment_times, breakdowns, work_lists (without what payments of others say) and losses as in a
        roll-up; history, landmarks, month_ends and month_end_payments for the forecast; stage_times (client,
        stage, days and count); open_items (with now and cohorts, the places of their cells in these tables);
        and totals.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    names = Attributes.of(certificates, _NAMES)
    encoding = _Encoding(names.combinations)
    histories = Histories.of(certificates)
    days = definitions.days
    by_place = {COHORT: definitions.as_of, **dict(enumerate(days.days))}
    encoded = with_histories(certificates, histories).append_column(
        "attributes", pa.array(names.of_rows.astype(np.int32))
    )
    with summation() as connection:
        connection.register("certificates", encoded)
        connection.register("facts", facts_by_day(histories, by_place))
        connection.register("spans", spans(histories))
        connection.register("days", days.table())
        currencies = names.combinations["currency"].unique().to_pylist()
        connection.register("cuts", amount_cuts(currencies, definitions.thresholds))
        connection.execute(statements.EVALUATED, view_settings(definitions.thresholds))
        found = _found(
            connection,
            flows=statements.FLOWS,
            stocks=statements.STOCKS,
            history=statements.HISTORY,
            open_items=statements.OPEN_ITEMS,
            monthly=statements.MONTHLY,
            payment_times=statements.PAYMENT_TIMES,
            stage_times=statements.STAGE_TIMES,
            breakdowns=statements.BREAKDOWNS,
            work_lists=statements.WORK_LISTS,
        )
        loss_days = {"loss_days": definitions.thresholds.loss_days}
        found["losses"] = arrow_table(connection, statements.LOSSES, loss_days)
        connection.execute("DROP TABLE evaluated")
        this_month = month_of(definitions.as_of)
        landmarks = standing_at_landmarks(
            connection, LandmarkDays.like(definitions.as_of), this_month - REACH, this_month - 1
        )
        first, last = scored_range(definitions.as_of, TESTED_MONTHS)
        month_ends = standing_at_landmarks(connection, LandmarkDays(), first - REACH, last)
    found |= {
        "landmarks": landmarks.cells,
        "month_ends": month_ends.cells,
        "month_end_payments": month_ends.payments,
        "totals": certificate_totals(certificates, definitions.as_of),
    }
    found["cells"], found[OPEN_ITEMS] = _cells(
        found.pop("flows"), found.pop("stocks"), found[OPEN_ITEMS], encoding
    )
    for name in ("monthly", "breakdowns"):
        found[name] = encoding.decoded(found[name])
    found["payment_times"] = encoding.decoded(found["payment_times"], as_texts=False)
    found["work_lists"] = _listed(encoding.decoded(found["work_lists"]), certificates)
    cells = found.pop("cells")
    place = cells["place"].to_numpy()
    for name, is_there in ((COHORTS, place == COHORT), (NOW, place == AS_OF), (PAST, place > AS_OF)):
        found[name] = cells.filter(pa.array(is_there))
    return found


def cost_sums(costs: pa.Table, definitions: Definitions) -> ShardSums:
    """The sums of each of some shards of costs.

    Args:
        costs: Rows in `COST_SCHEMA`: all of these shards.
        definitions: What figures go by.

    Returns:
        In the same way the tables cells (with what is of costs alone), monthly, breakdowns and totals.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    names = Attributes.of(costs, _COST_NAMES)
    encoding = _Encoding(names.combinations)
    with summation() as connection:
        connection.register(
            "costs", costs.append_column("attributes", pa.array(names.of_rows.astype(np.int32)))
        )
        connection.register("days", definitions.days.table())
        connection.execute(statements.EVALUATED_COSTS)
        found = _found(
            connection,
            cells=statements.COSTS,
            monthly=statements.COSTS_MONTHLY,
            breakdowns=statements.COSTS_BREAKDOWNS,
        )
    keys = [(name, "ascending") for name in ("shard", "place", "month", "attributes")]
    found["cells"] = found["cells"].sort_by(keys)
    found = {name: encoding.decoded(table) for name, table in found.items()}
    found["totals"] = cost_totals(costs, definitions.as_of)
    return found


def by_group(sums: ShardSums, groups: Sequence[ShardGroup]) -> list[ShardSums]:
    """Split the sums of some shards.

    Args:
        sums: As `certificate_sums` or `cost_sums` gives them.
        groups: All of these shards, by month.

    Returns:
        Those of each group.
    """
    parts = {name: split(table, groups) for name, table in sums.items()}
    before = dict.fromkeys((NOW, COHORTS), 0)
    found: list[ShardSums] = []
    for at in range(len(groups)):
        of_group = {name: part[at] for name, part in parts.items()}
        if OPEN_ITEMS in of_group:
            items = of_group[OPEN_ITEMS]
            for name in before:
                own = pa.array(items[name].to_numpy() - before[name])
                items = items.set_column(items.schema.get_field_index(name), name, own)
                before[name] += of_group[name].num_rows
            of_group[OPEN_ITEMS] = items
        found.append(of_group)
    return found


def _found(connection: DuckDBPyConnection, **queries: str) -> dict[str, pa.Table]:
    return {name: arrow_table(connection, query) for name, query in queries.items()}


@dataclass(frozen=True, slots=True)
class _Encoding:
    """The names behind the numbers of a computation.

    Attributes:
        combinations: Names and currency, by number.
    """

    combinations: pa.Table

    def decoded(self, table: pa.Table, *, as_texts: bool = True) -> pa.Table:
        """A table with the columns of a cell as they are published, after that of the shard."""
        numbers = pa.array(table["attributes"].to_numpy().astype(np.int32))
        columns = {"shard": table["shard"], "place": pa.array(table["place"].to_numpy(), pa.int64())}
        months, places = np.unique(table["month"].to_numpy().astype(np.int64), return_inverse=True)
        dictionary = pa.array([month_text(month) for month in months.tolist()], pa.string())
        columns["month"] = pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), dictionary)
        for name in self.combinations.column_names:
            names = self.combinations[name].combine_chunks().dictionary_encode()
            if isinstance(names, pa.ChunkedArray):
                names = names.combine_chunks()
            indices = names.indices.take(numbers)
            columns[name] = pa.DictionaryArray.from_arrays(indices, names.dictionary)
        for name in CELL_COLUMNS:
            if name in columns:
                continue
            if name in table.column_names:
                column = table[name].combine_chunks()
            else:
                # Costs have none of these.
                column = pa.array([""], pa.string()).take(pa.array(np.zeros(table.num_rows, np.int32)))
            columns[name] = _encoded(column)
        texts = {
            name: column.cast(pa.string()) if as_texts and pa.types.is_dictionary(column.type) else column
            for name, column in columns.items()
        }
        others = [name for name in table.column_names if name not in {*columns, "attributes"}]
        order = ("shard", *CELL_COLUMNS)
        return pa.table({name: texts[name] for name in order} | {name: table[name] for name in others})


def _encoded(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return whole.dictionary_encode()


def _cells(
    flows: pa.Table, stocks: pa.Table, open_items: pa.Table, encoding: _Encoding
) -> tuple[pa.Table, pa.Table]:
    """The cells of certificates, by shard and in their order, and the open items with the places of these."""
    keys = _CellKeys.of(flows)
    codes = keys.codes(flows)
    order = np.argsort(codes)
    cells, codes = flows.take(pa.array(order)), codes[order]
    at = np.searchsorted(codes, keys.codes(stocks))
    columns = {name: cells[name] for name in cells.column_names}
    for name in stocks.column_names:
        if name not in columns:
            sums = np.zeros(len(codes), np.int64)
            sums[at] = stocks[name].to_numpy()
            columns[name] = pa.array(sums)
    in_order = {name: columns[name] for name in ("shard", *_IN_CELLS, *CERTIFICATE_COLUMNS)}
    by_issue = open_items.set_column(
        open_items.schema.get_field_index("place"), "place", pa.array(np.full(open_items.num_rows, AS_OF))
    )
    month = by_issue.schema.get_field_index("month")
    by_issue = by_issue.set_column(month, "month", by_issue["shard"])
    items = open_items.select(["shard", "client", "is_accepted", "age_days", "amount"])
    for name, table, place in ((COHORTS, open_items, COHORT), (NOW, by_issue, AS_OF)):
        of_place = codes[cells["place"].to_numpy() == place]
        items = items.append_column(name, pa.array(np.searchsorted(of_place, keys.codes(table))))
    return encoding.decoded(pa.table(in_order)), items


@dataclass(frozen=True, slots=True)
class _CellKeys:
    """What identifies the cells of a computation as one number, in their order.

    Attributes:
        first_of: By part of it, the least value.
        sizes: By part of it, how many values there are.
    """

    first_of: Mapping[str, int]
    sizes: Mapping[str, int]

    @classmethod
    def of(cls, cells: pa.Table) -> "_CellKeys":
        """Of all cells."""
        parts = {name: _numbers(cells, name) for name in ("shard", *_IN_CELLS)}
        first = {name: int(numbers.min(initial=2**40)) for name, numbers in parts.items()}
        first["place"] = COHORT
        sizes = {name: int(numbers.max(initial=0)) + 1 - first[name] for name, numbers in parts.items()}
        return cls(first, {name: max(size, 2) for name, size in sizes.items()})

    def codes(self, table: pa.Table) -> Ints:
        """The number of each row's shard and cell."""
        codes = np.zeros(table.num_rows, np.int64)
        for name, size in self.sizes.items():
            codes = codes * size + _numbers(table, name) - self.first_of[name]
        return codes


def _listed(rows: pa.Table, certificates: pa.Table) -> pa.Table:
    """Who is in the work lists, with what the certificates say themselves."""
    at = rows["row"].combine_chunks()
    reasons = pc.if_else(rows["has_reason"], certificates["rejection_reason"].take(at), None)
    columns = {name: rows[name] for name in rows.column_names if name not in ("row", "has_reason")}
    columns |= {
        "certificate_id": certificates["certificate_id"].take(at),
        "rejection_reason": reasons,
        **{
            name: pa.nulls(rows.num_rows, WORK_LISTS_SCHEMA.field(name).type)
            for name in ("expected_days", "further_days", "longer_payments")
        },
        "why": pa.nulls(rows.num_rows, pa.string()),
    }
    return pa.table(columns)


def _numbers(table: pa.Table, name: str) -> Ints:
    """A column of what identifies a cell, as numbers in its order."""
    if name in _DECLARED:
        return np.asarray(
            pc.index_in(table[name], pa.array(_DECLARED[name], pa.string())).to_numpy(), np.int64
        )
    return np.asarray(table[name].to_numpy(), np.int64)

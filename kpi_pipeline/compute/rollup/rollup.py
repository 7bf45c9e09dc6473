"""The roll-up: certificates and costs summed shard by shard, and merged."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, partial
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.forecasting.backtest import scored_range
from kpi_pipeline.compute.forecasting.basis import ForecastBasis, forecast_bases
from kpi_pipeline.compute.forecasting.expected_payments import Exact, expected_payments, forecast_columns
from kpi_pipeline.compute.forecasting.forecast import outlook
from kpi_pipeline.compute.forecasting.landmarks import LandmarkCounts, LandmarkDays, Standing
from kpi_pipeline.compute.forecasting.past_forecasts import forecast_as_of
from kpi_pipeline.compute.group_sums import Groups
from kpi_pipeline.compute.rollup.cells import FIRST_DAYS, NEVER, number_cells
from kpi_pipeline.compute.rollup.merged_sums import MergedSums, with_digests
from kpi_pipeline.compute.rollup.part_sums import part_sums
from kpi_pipeline.compute.rollup.shard_sums import (
    CERTIFICATE_COLUMNS,
    COHORTS,
    NOW,
    OPEN_ITEMS,
    PAST,
    Definitions,
    by_group,
    certificate_sums,
    cost_sums,
)
from kpi_pipeline.compute.rollup.shards import (
    KeptSums,
    Shard,
    ShardSums,
    batches,
    compact,
    grouped,
    shards_of,
    with_zeros,
)
from kpi_pipeline.compute.rollup.stage_medians import stage_medians
from kpi_pipeline.compute.rollup.tables import (
    BREAKDOWNS_SCHEMA,
    CELLS_SCHEMA,
    LOSSES_SCHEMA,
    MONTHLY_SCHEMA,
    PAYMENT_TIMES_SCHEMA,
    WORK_LISTS_SCHEMA,
    Part,
    Rollup,
    RollupParts,
    with_bases,
)
from kpi_pipeline.compute.rollup.totals import ALL_ROWS
from kpi_pipeline.compute.rollup.work_lists import work_lists
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.forecast import TESTED_MONTHS
from kpi_pipeline.model.thresholds import Thresholds

Ints = npt.NDArray[np.int64]

_ALIKE: Final = "alike"
_BASES: Final = "bases"
_PART_SUMS: Final = "part_sums"

_Summing = Callable[[pa.Table, Definitions], ShardSums]


@dataclass(frozen=True)
class RolledUp:
    """A roll-up, and what it is reconciled with.

    Attributes:
        parts: The roll-up; parts that follow from one shard have the name of its digest.
        totals: Those of all shards, straight from their rows, in `totals.TOTALS_SCHEMA` but for the shard.
        sums: Those of all parts, in `part_sums.PART_SUMS_SCHEMA`.
    """

    parts: RollupParts
    totals: pa.Table
    sums: pa.Table

    @cached_property
    def rollup(self) -> Rollup:
        """The roll-up, in whole tables."""
        return self.parts.whole()


def roll_up(
    certificates: pa.Table, costs: pa.Table, as_of: date, thresholds: Thresholds, window_months: int
) -> Rollup:
    """Sum every component over each cell of all dimensions, on every evaluation day of a date.

    Certificates issued, and costs invoiced, after a day do not exist on it; an advance is collected on its
    day all the same. `as_of_view` defines how a certificate stands on a day.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        costs: Rows in `COST_SCHEMA`.
        as_of: The business date.
        thresholds: Days and amounts of the definitions.
        window_months: Months of the window over which flows are summed.

    Returns:
        The tables. Which rows they have, and in which order, depends on the rows alone, not on their order.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    shards = (shards_of(certificates, "issued_on"), shards_of(costs, "invoiced_on"))
    return roll_up_shards(*shards, Definitions(as_of, thresholds, window_months)).rollup


def roll_up_shards(
    certificates: Sequence[Shard],
    costs: Sequence[Shard],
    definitions: Definitions,
    kept: KeptSums | None = None,
) -> RolledUp:
    """Roll shards up: see `roll_up`. Shards of which the sums are kept are not loaded.

    Args:
        certificates: All certificates, by month of issue.
        costs: All costs, by month of invoice.
        definitions: What figures go by.
        kept: Where sums are kept.

    Raises:
        SumTooLarge: If a sum does not fit 64 bits.
    """
    of_certificates = _sums_of(certificates, certificate_sums, CERTIFICATE_SCHEMA, definitions, kept)
    of_costs = _sums_of(costs, cost_sums, COST_SCHEMA, definitions, kept)
    merged = MergedSums([sums for _, sums in of_certificates], [sums for _, sums in of_costs], kept)
    outlooks = _Outlooks.of_merged(merged, definitions.as_of)
    bases = _bases(merged, definitions.as_of)
    cells = _cells(merged.certificates, outlooks.expected(_currencies(merged.certificates), bases))
    losses = with_bases(_losses(merged.of_certificates("losses")), bases)
    listed, of_listed = _listed(merged)
    both = [*of_certificates, *of_costs]
    parts = RollupParts(
        (
            [
                *_parts(of_costs, "cells", completed),
                Part.of(cells),
                *_parts(of_certificates, PAST, completed),
            ],
            _parts(both, "monthly", _of(MONTHLY_SCHEMA)),
            [Part.of(losses)],
            _parts(of_certificates, "payment_times", _of(PAYMENT_TIMES_SCHEMA)),
            _parts(both, "breakdowns", _of(BREAKDOWNS_SCHEMA)),
            [listed],
            [Part.of(outlooks.alike)],
            [Part.of(stage_medians(merged.of_certificates("stage_times")))],
        )
    )
    sums = [merged.of_both(_PART_SUMS), part_sums(cells=[cells]), of_listed]
    return RolledUp(parts, merged.of_both("totals"), pa.concat_tables(sums))


def _parts(
    shards: Sequence[tuple[str, ShardSums]], name: str, finished: Callable[[pa.Table], pa.Table]
) -> list[Part]:
    """A table of each of some shards."""
    return [Part(digest, partial(_finished, sums, name, finished)) for digest, sums in shards]


def _finished(sums: ShardSums, name: str, finished: Callable[[pa.Table], pa.Table]) -> pa.Table:
    return finished(sums[name])


def _of(schema: pa.Schema) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.select(schema.names).cast(schema)


def _sums_of(
    shards: Sequence[Shard],
    summing: _Summing,
    schema: pa.Schema,
    definitions: Definitions,
    kept: KeptSums | None,
) -> list[tuple[str, ShardSums]]:
    """The sums of all groups of shards, in their order: those kept, and those of the rows of the others.

    With those of a group comes its digest; '' where that is not known.
    """
    if kept is None or not shards:
        # Nobody asks for those of one group.
        whole = _summed_whole(shards, summing, schema, definitions)
        return [
            ("", with_digests(_with_sums(sums)) if kept is not None else _with_sums(sums)) for sums in whole
        ]
    groups = grouped(shards)
    found = {
        group.first: sums for group in groups if group.digest and (sums := kept.get(group.digest)) is not None
    }
    for batch in batches([group for group in groups if group.first not in found]):
        rows = [shard.rows().select(schema.names) for group in batch for shard in group.shards]
        of_groups = by_group(summing(pa.concat_tables(rows), definitions), batch)
        # The last first, so that each can be let go once it is stored.
        for group in reversed(batch):
            found[group.first] = _put(kept, group.digest, with_digests(_with_sums(of_groups.pop())))
    return [(group.digest or "", found[group.first]) for group in groups]


def _summed_whole(
    shards: Sequence[Shard], summing: _Summing, schema: pa.Schema, definitions: Definitions
) -> Iterator[ShardSums]:
    """The sums of all shards, those of a batch together; without rows there are tables without rows."""
    for batch in batches(shards) if shards else [[]]:
        rows = [shard.rows().select(schema.names) for shard in batch] or [schema.empty_table()]
        summed = summing(pa.concat_tables(rows), definitions)
        yield {name: compact(table.drop_columns(["shard"])) for name, table in summed.items()}


def _with_sums(sums: ShardSums) -> ShardSums:
    """The sums of shards, and what their parts of the roll-up's tables sum to."""
    parts = part_sums(
        cells=[sums[name] for name in ("cells", PAST) if name in sums],
        monthly=sums["monthly"],
        payment_times=sums.get("payment_times"),
        breakdowns=sums["breakdowns"],
    )
    return {**sums, _PART_SUMS: parts}


def _put(kept: KeptSums, digest: str | None, sums: ShardSums) -> ShardSums:
    """Keep the sums of a shard's rows; where that is possible, they are read again when they are needed."""
    if digest is None:
        return sums
    kept.put(digest, sums)
    return kept.get(digest) or sums


@dataclass(frozen=True, slots=True)
class _Outlooks:
    """What is expected of the open certificates.

    Attributes:
        items: The open certificates.
        alike: The outlook of those that are alike in client, acceptance and age, each once.
        of_item: The place there of that of each certificate.
    """

    items: pa.Table
    alike: pa.Table
    of_item: Ints

    @classmethod
    def of_merged(cls, merged: MergedSums, as_of: date) -> "_Outlooks":
        """What follows from payments and open debts, and from how certificates stood on earlier days."""
        items = pa.concat_tables([sums[OPEN_ITEMS] for sums in merged.certificates])
        client = items["client"].combine_chunks().dictionary_encode()
        # By name: the order does not depend on that of the items.
        rank = pc.rank(client.dictionary).to_numpy().astype(np.int64)
        codes = rank[client.indices.to_numpy()] * 2 + items["is_accepted"].to_numpy()
        keys = codes * 2**20 + items["age_days"].to_numpy()
        _, first, of_item = np.unique(keys, return_index=True, return_inverse=True)

        def alike() -> ShardSums:
            debts = items.select(["client", "is_accepted", "age_days"]).take(pa.array(first))
            counts = LandmarkCounts(merged.standing("landmarks").cells, LandmarkDays.like(as_of))
            return {_ALIKE: outlook(merged.of_certificates("history"), debts, counts, as_of)}

        found = merged.following(_ALIKE, ("debts", "history", "landmark_counts"), alike)
        return cls(items, found[_ALIKE], of_item)

    def expected(
        self, currencies: pa.ChunkedArray, bases: Mapping[str, ForecastBasis]
    ) -> tuple[Exact, Exact]:
        """What is expected of each certificate, as of `expected_payments`, given its currency."""
        naive_unpaid = {code: basis.naive_unpaid for code, basis in bases.items() if basis.shares}
        items = self.items.append_column("currency", currencies)
        return expected_payments(items, self.alike.take(pa.array(self.of_item)), naive_unpaid)


def _currencies(certificates: Sequence[ShardSums]) -> pa.ChunkedArray:
    """The currency of each open certificate, which its cell has."""
    return pa.chunked_array(
        [sums[NOW]["currency"].combine_chunks().take(sums[OPEN_ITEMS][NOW]) for sums in certificates],
        pa.string(),
    )


def _cells(certificates: Sequence[ShardSums], expected: tuple[Exact, Exact]) -> pa.Table:
    """The cells of cohorts of all shards, and of certificates on the business date by shard."""
    open_items = [sums[OPEN_ITEMS] for sums in certificates]
    of_shards = [sums[COHORTS] for sums in certificates]
    cohorts, numbers = number_cells(of_shards)
    groups = Groups.of(np.concatenate(numbers), cohorts.num_rows)
    summed = {name: cohorts[name] for name in cohorts.column_names}
    for name in CERTIFICATE_COLUMNS:
        column = np.concatenate([table[name].to_numpy() for table in of_shards])
        summed[name] = pa.array(groups.least(column, NEVER) if name in FIRST_DAYS else groups.sum(column))
    merged = pa.table(summed)
    now = [sums[NOW] for sums in certificates]
    before = np.cumsum([0, *(table.num_rows for table in now)])
    at_now, at_cohort = [], []
    for table, first, of_cohort in zip(open_items, before, numbers, strict=False):
        at_now.append(table[NOW].to_numpy() + first)
        at_cohort.append(of_cohort[table[COHORTS].to_numpy()])
    receivable = np.concatenate([table["receivable_amount"].to_numpy() for table in now])
    forecast = forecast_columns(expected, np.concatenate(at_now), receivable)
    of_cohorts = forecast_columns(expected, np.concatenate(at_cohort), merged["receivable_amount"].to_numpy())
    parts = [_with(merged, of_cohorts)]
    for table, first in zip(now, before, strict=False):
        parts.append(
            _with(table, {name: of[first : first + table.num_rows] for name, of in forecast.items()})
        )
    return pa.concat_tables([completed(part) for part in parts])


def _with(table: pa.Table, columns: dict[str, Ints]) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, pa.array(column))
    return table


def completed(table: pa.Table) -> pa.Table:
    """A table with all columns of cells: 0 where it has none, and `NEVER` of days."""
    days = [name for name in FIRST_DAYS if name not in table.column_names]
    never = pa.array(np.full(table.num_rows, NEVER))
    held = _with(table, dict.fromkeys(days, never))
    return with_zeros(held, CELLS_SCHEMA.names, table.num_rows).cast(CELLS_SCHEMA)


def _losses(rows: pa.Table) -> pa.Table:
    """The sums of the roll rates of all shards."""
    keys, places = np.unique(rows["place"].to_numpy(), return_inverse=True)
    currency = rows["currency"].combine_chunks().dictionary_encode()
    count = max(len(currency.dictionary), 1)
    pairs, of_row = np.unique(places * count + currency.indices.to_numpy(), return_inverse=True)
    groups = Groups.of(of_row, len(pairs))
    columns = [
        pa.array(keys[pairs // count], pa.int64()),
        currency.dictionary.take(pa.array(pairs % count)),
        *(pa.array(groups.sum(rows[name].to_numpy())) for name in LOSSES_SCHEMA.names[2:]),
    ]
    return pa.Table.from_arrays(columns, schema=LOSSES_SCHEMA)


def _listed(merged: MergedSums) -> tuple[Part, pa.Table]:
    """The work lists, and what they sum to."""
    compared = ("work_lists", "history")

    @cache
    def rows() -> pa.Table:
        listed = merged.of_certificates("work_lists").select(WORK_LISTS_SCHEMA.names).cast(WORK_LISTS_SCHEMA)
        return work_lists(listed, merged.of_certificates("history"))

    sums = merged.following("list_sums", compared, lambda: {_PART_SUMS: part_sums(work_lists=rows())})
    name = "" if merged.kept is None else merged.digest("work_lists", compared)
    return Part(name, rows), sums[_PART_SUMS]


def _bases(merged: MergedSums, as_of: date) -> dict[str, ForecastBasis]:
    """On what the forecast of each currency rests."""
    totals = merged.of_certificates("totals")
    names = zip(totals["name"].to_pylist(), totals["currency"].to_pylist(), strict=True)
    currencies = sorted({currency for name, currency in names if name == ALL_ROWS})

    def computed() -> ShardSums:
        month_ends, landmarks = merged.standing("month_ends"), merged.standing("landmarks").cells
        bases = _computed_bases(month_ends, currencies, landmarks, as_of)
        texts = [json.dumps(bases[currency].as_data()) for currency in currencies]
        return {_BASES: pa.table({"currency": pa.array(currencies), "basis": pa.array(texts, pa.string())})}

    compared = ("landmarks", "month_ends", "month_end_payments")
    of_currencies = blake2b(repr(currencies).encode(), digest_size=8).hexdigest()
    rows = merged.following(f"{_BASES}-{of_currencies}", compared, computed)[_BASES].to_pylist()
    return {row["currency"]: ForecastBasis.of_data(json.loads(row["basis"])) for row in rows}


def _computed_bases(
    month_ends: Standing, currencies: Sequence[str], landmarks: pa.Table, as_of: date
) -> dict[str, ForecastBasis]:
    past = forecast_as_of(month_ends, *scored_range(as_of, TESTED_MONTHS))
    return forecast_bases(past, currencies, landmarks, as_of)

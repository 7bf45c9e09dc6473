"""What shards sum to, one after the other; what follows from them is kept where they are the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

import pyarrow as pa

from kpi_pipeline.compute.forecasting.landmarks import CELL_KEYS, Standing
from kpi_pipeline.compute.rollup.shard_sums import OPEN_ITEMS
from kpi_pipeline.compute.rollup.shards import KeptSums, ShardSums, rows_digest
from kpi_pipeline.model.components import HORIZONS

_DIGESTS: Final = "digests"

_COMPARED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "history": ("history", ()),
    "landmarks": ("landmarks", ()),
    "landmark_counts": ("landmarks", (*CELL_KEYS, "count", *(f"paid_{horizon}" for horizon in HORIZONS))),
    "month_ends": ("month_ends", ()),
    "month_end_payments": ("month_end_payments", ()),
    "debts": (OPEN_ITEMS, ("client", "is_accepted", "age_days")),
    "work_lists": ("work_lists", ()),
}
"""By name the tables of sums, and those of their columns, from which other things follow that are kept; all
columns where it names none."""


def with_digests(sums: ShardSums) -> ShardSums:
    """The sums of shards, and digests of those from which other things follow that are kept."""
    found = {
        name: rows_digest(sums[table].select(columns or sums[table].column_names))
        for name, (table, columns) in _COMPARED.items()
        if table in sums
    }
    columns = {"name": list(found), "digest": list(found.values())}
    return {**sums, _DIGESTS: pa.table({name: pa.array(own, pa.string()) for name, own in columns.items()})}


@dataclass(frozen=True)
class MergedSums:
    """The tables of shards, one after the other.

    Attributes:
        certificates: Sums of certificates.
        costs: Sums of costs.
        kept: Where sums are kept, and what follows from them.
    """

    certificates: Sequence[ShardSums]
    costs: Sequence[ShardSums]
    kept: KeptSums | None

    def following(self, name: str, compared: Sequence[str], made: Callable[[], ShardSums]) -> ShardSums:
        """What follows from sums of certificates, as it is kept where they are the same.

        Args:
            name: Names it.
            compared: What it follows from, by names of `_COMPARED`.
            made: Makes it.
        """
        if self.kept is None:
            return made()
        digest = self.digest(name, compared)
        known = self.kept.get(digest)
        if known is None:
            known = made()
            self.kept.put(digest, known)
        return known

    def digest(self, name: str, compared: Sequence[str]) -> str:
        """Names what follows from sums of certificates: equal names for equal sums."""
        digests = self._digests
        followed = blake2b(repr([digests[of] for of in compared]).encode(), digest_size=16)
        return f"{name}-{followed.hexdigest()}"

    @cached_property
    def _digests(self) -> dict[str, list[str]]:
        rows = [sums[_DIGESTS].to_pylist() for sums in self.certificates]
        return {
            name: [row["digest"] for of_group in rows for row in of_group if row["name"] == name]
            for name in _COMPARED
        }

    def of_certificates(self, name: str) -> pa.Table:
        """A table of certificates."""
        return pa.concat_tables([sums[name] for sums in self.certificates])

    def of_both(self, name: str) -> pa.Table:
        """A table of certificates and of costs."""
        tables = [sums[name] for sums in (*self.certificates, *self.costs)]
        return pa.concat_tables([table.select(tables[0].column_names) for table in tables])

    def standing(self, name: str) -> Standing:
        """How certificates stood at landmarks."""
        none = self.certificates[0]["month_end_payments"].schema.empty_table()
        payments = "month_end_payments" if name == "month_ends" else None
        return Standing.of_shards(
            [Standing(sums[name], sums[payments] if payments else none) for sums in self.certificates]
        )

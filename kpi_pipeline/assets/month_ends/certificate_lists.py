"""The lists of certificates that month ends hold: blocks as of the live generation, of that day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import pyarrow as pa
from dagster import Failure

from kpi_pipeline.assets.bridges import listed_batches
from kpi_pipeline.assets.digests import digest_of
from kpi_pipeline.cache.certificate_blocks import pack_block
from kpi_pipeline.cache.certificate_index import INDEX, CertificateIndex, ShardEntry
from kpi_pipeline.cache.client_outlooks import pack_outlooks
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.publishing.publisher import Attachments
from kpi_pipeline.compute.listing.blocks import shard_rows
from kpi_pipeline.compute.listing.outlooks import usual_alone
from kpi_pipeline.compute.rollup.shards import Shard, shards_of
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.month_parts import DATED_BY
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.sources.provenance import Provenance

MOST_LISTED: Final = 100_000
"""Certificates of a source whose month ends have lists. One takes about 40 bytes in each list: 36 month ends
of this size take half of what `KPI_HISTORY_BYTES` allows by default. Larger lists would drive figures out."""


@dataclass(frozen=True)
class MonthEndList:
    """The list as of one month end.

    Attributes:
        entries: Its blocks, by month of issue.
        frames: By name, what is stored of it besides the index.
        outlooks: Name of what is usual of clients.
    """

    entries: tuple[ShardEntry, ...]
    frames: Mapping[str, bytes]
    outlooks: str

    @property
    def digest(self) -> str:
        """Of all that it holds: what befell certificates after the day makes no other list."""
        return digest_of(self.entries, self.outlooks)

    @property
    def attachments(self) -> Attachments:
        """What a generation holds of it."""
        index = CertificateIndex(self.entries, self.outlooks).as_dict()
        return Attachments(
            [(INDEX, encode(index, {"product": LISTED_WITH, "list": INDEX})), *self.frames.items()]
        )


@dataclass(frozen=True)
class MonthEndLists:
    """The lists of the month ends of a run.

    Attributes:
        certificates: All certificates, read once for all of its month ends.
        thresholds: Days and amounts of the definitions.
        window_months: Months of the window over which flows are summed.
    """

    certificates: StoredTable
    thresholds: Thresholds
    window_months: int

    def of(
        self, product: str, as_of: date, stage_medians: pa.Table, provenance: Provenance
    ) -> MonthEndList | None:
        """The list that a product's month end holds.

        Args:
            product: The product.
            as_of: The month end.
            stage_medians: The table of the roll-up as of that day.
            provenance: That of the roll-up.

        Returns:
            None of a product that holds none, and where the source has more than `MOST_LISTED` certificates.

        Raises:
            Failure: If the certificates are not those that were rolled up.
        """
        if product != LISTED_WITH or self.certificates.num_rows > MOST_LISTED:
            return None
        if self.certificates.origin.fence != provenance.fence:
            raise Failure(
                "the stored certificates of month ends are not those of their roll-up: run `kpi backfill`",
                allow_retries=False,
            )
        entries: list[ShardEntry] = []
        outlooks, frame = pack_outlooks(usual_alone(stage_medians))
        frames = {outlooks: frame}
        for _, listed in listed_batches(self._shards, as_of, self.thresholds, self.window_months):
            for rows in shard_rows(listed):
                name, block = pack_block(rows)
                # Nothing of it is reused: its name says all.
                entries.append(ShardEntry(rows.month, rows.count, name, name))
                frames[name] = block
        return MonthEndList(tuple(entries), frames, outlooks)

    @cached_property
    def _shards(self) -> list[Shard]:
        return shards_of(self.certificates.table(), DATED_BY)

"""The list of certificates that a generation holds: the blocks of changed shards, the others reused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain
from typing import Self

from dagster import Failure

from kpi_pipeline.assets.bridges import Bridges, bridge_index, listed_batches
from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.assets.generation_entry import source_digest
from kpi_pipeline.assets.open_items import open_item_attachments, open_items_index
from kpi_pipeline.cache.bridges import BRIDGES
from kpi_pipeline.cache.certificate_blocks import pack_block
from kpi_pipeline.cache.certificate_index import INDEX, CertificateIndex, ShardEntry
from kpi_pipeline.cache.client_outlooks import pack_outlooks
from kpi_pipeline.cache.codec import CorruptPayload, encode
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.open_items import OPEN_ITEMS
from kpi_pipeline.cache.publishing.publisher import NO_ATTACHMENTS, Attachments, Publisher
from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.listing.blocks import shard_rows
from kpi_pipeline.compute.listing.outlooks import ClientOutlooks, client_outlooks
from kpi_pipeline.compute.rollup.shards import Shard
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.month_parts import shards_of_parts
from kpi_pipeline.resources.stored_tables import StoredTable


@dataclass(frozen=True)
class CertificateList:
    """The list of one reading of the source.

    Attributes:
        shards: Its certificates, by month of issue.
        as_of: The business date.
        thresholds: Days and amounts of the definitions.
        origin: Names the source.
        window_months: Months of the window over which flows are summed.
        outlooks: What is usual of clients and expected of their certificates.
    """

    shards: tuple[Shard, ...]
    as_of: date
    thresholds: Thresholds
    origin: str
    window_months: int
    outlooks: ClientOutlooks

    @classmethod
    def of(
        cls,
        product: str,
        run_id: str,
        of_clients: tuple[StoredTable, StoredTable, StoredTable],
        bases: Mapping[str, ForecastBasis],
        thresholds: Thresholds,
        window_months: int,
    ) -> Self | None:
        """The list that a product's generation holds; None for a product that holds none.

        Args:
            product: The product.
            run_id: The run that publishes it.
            of_clients: The tables outlooks, stage_medians and work_lists of the roll-up.
            bases: By currency, on what the forecast rests.
            thresholds: Days and amounts of the definitions.
            window_months: Months of the window of billing.

        Raises:
            Failure: If the certificates are gone that were rolled up.
        """
        if product != LISTED_WITH:
            return None
        stored = (StoredTable.of_run("certificates", run_id), StoredTable.newest("certificates"))
        rollup = of_clients[0].origin
        certificates = next((one for one in stored if one and one.origin.fence == rollup.fence), None)
        if certificates is None:
            raise Failure(
                "the certificates of the newest roll-up are no longer stored: materialize certificates and "
                "rollup again",
                allow_retries=False,
            )
        as_of = date.fromisoformat(rollup.as_of or "")
        origin = source_digest(rollup)
        outlooks, stage_medians, work_lists = (stored.table() for stored in of_clients)
        expected = client_outlooks(outlooks, stage_medians, work_lists, bases, as_of)
        return cls(tuple(shards_of_parts(certificates)), as_of, thresholds, origin, window_months, expected)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """A digest of all that each shard's block comes from."""
        definitions = digest_of(code_digest(*COMPUTING), self.as_of, self.thresholds, self.window_months)
        return tuple(f"{definitions}-{shard.digest}" for shard in self.shards)

    @property
    def digest(self) -> str:
        """A digest of all that the list and its bridges come from."""
        name, _ = self._packed_outlooks
        return digest_of(self.sources, name, self.bridges.digest)

    @cached_property
    def bridges(self) -> Bridges:
        """The bridges from earlier days to its own."""
        return Bridges(
            self.shards, self.sources, self.as_of, self.thresholds, self.origin, self.window_months
        )

    @cached_property
    def _packed_outlooks(self) -> tuple[str, bytes]:
        return pack_outlooks(self.outlooks)

    def attachments(
        self, publisher: Publisher, live: ManifestEntry | None, damaged: frozenset[str] = frozenset()
    ) -> Attachments:
        """What a generation holds of it: an index, a block a shard, bridges, and open items of month ends.

        Args:
            publisher: Reads the cache.
            live: The generation from which unchanged blocks are reused; None where all are packed.
            damaged: Names of what is gone or corrupt of it.
        """
        index = index_of(publisher, live)
        shards = () if index is None else index.shards
        known = {one.source: one for one in shards if one.block not in damaged}
        sources = dict(zip(self.sources, self.shards, strict=True))
        kept = {one: known[one] for one in sources if one in known and one in self.bridges.today}
        packed = dict(self._packed({source: one for source, one in sources.items() if source not in kept}))
        entries = [kept[source] if source in kept else packed[source][0] for source in sources]
        reused = dict.fromkeys(one.block for one in kept.values() if one.block)
        frames = {entry.block: frame for entry, frame in packed.values() if entry.block not in ("", *reused)}
        outlooks, frame = self._packed_outlooks
        described = CertificateIndex(tuple(entries), outlooks).as_dict()
        written = [(INDEX, encode(described, {"product": LISTED_WITH, "list": INDEX})), (outlooks, frame)]
        bridges = self.bridges.attachments(publisher, live, damaged)
        owed = open_item_attachments(self.bridges.kept, self.bridges.month_ends, publisher, live, damaged)
        all_reused = (*reused, *bridges.reused, *owed.reused)
        return Attachments(
            chain(written, frames.items(), bridges.frames, owed.frames),
            all_reused,
            live.generation if live and all_reused else "",
        )

    def _packed(self, changed: Mapping[str, Shard]) -> Iterator[tuple[str, tuple[ShardEntry, bytes]]]:
        """The blocks of some shards, by their sources."""
        source_of = {shard.month: source for source, shard in changed.items()}
        for batch, listed in listed_batches(
            list(changed.values()), self.as_of, self.thresholds, self.window_months
        ):
            self.bridges.put({shard.month: source_of[shard.month] for shard in batch}, listed)
            for rows in shard_rows(listed):
                name, frame = pack_block(rows)
                source = source_of.pop(rows.month)
                yield source, (ShardEntry(rows.month, rows.count, source, name), frame)
        # What is issued after the business date is not listed yet.
        for month, source in source_of.items():
            yield source, (ShardEntry(month, 0, source, ""), b"")


def index_of(publisher: Publisher, entry: ManifestEntry | None) -> CertificateIndex | None:
    """The index of a generation's list; None where it has none that can be read."""
    payload = None if entry is None else publisher.payload(entry.generation, INDEX)
    try:
        return None if payload is None else CertificateIndex.of(payload.data())
    except CorruptPayload:
        return None


def kept_list(publisher: Publisher, entry: ManifestEntry, damaged: frozenset[str]) -> Attachments:
    """The list of a generation as another one of the same reading holds it: what is damaged is left out."""
    if not entry.blocks:
        return NO_ATTACHMENTS
    index = index_of(publisher, entry)
    bridges = [name for one in bridge_index(publisher, entry).bridges for name in one.documents]
    owed = open_items_index(publisher, entry).days
    listed = () if index is None else index.names
    names = dict.fromkeys(
        [
            *(INDEX, *listed),
            *([BRIDGES] if bridges else []),
            *bridges,
            *([OPEN_ITEMS] if owed else []),
            *(name for day in owed for name in day.documents),
        ]
    )
    return Attachments((), tuple(name for name in names if name not in damaged), entry.generation)

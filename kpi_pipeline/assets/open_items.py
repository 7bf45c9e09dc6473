"""The open items of month ends that a generation holds: each is made once, and reused after that."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.cache.codec import CorruptPayload, encode
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.open_items import (
    NO_OPEN_ITEMS,
    OPEN_ITEMS,
    OpenItemsDay,
    OpenItemsIndex,
    document_name,
)
from kpi_pipeline.cache.publishing.publisher import Attachments, Publisher
from kpi_pipeline.compute.bridge.open_items import open_items, owed_rows
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings


def open_item_attachments(
    standings: KeptStandings,
    days: Sequence[KeptDay],
    publisher: Publisher,
    live: ManifestEntry | None,
    damaged: frozenset[str],
) -> Attachments:
    """What a generation holds of open items.

    Args:
        standings: Where the standings of days are kept.
        days: The month ends, the earliest first.
        publisher: Reads the cache.
        live: The generation from which unchanged documents are reused; None where all are made.
        damaged: Names of what is gone or corrupt of it.
    """
    known = {
        one.source: one for one in open_items_index(publisher, live).days if damaged.isdisjoint(one.documents)
    }
    entries: list[OpenItemsDay] = []
    owed: dict[str, pa.Table] = {}
    made: list[tuple[str, bytes]] = []
    reused: list[str] = []
    for kept in days:
        source = digest_of(code_digest(*COMPUTING), kept.digest, kept.day)
        if (held := known.get(source)) is not None:
            firsts = held.firsts
            reused += held.documents
        else:
            owed = _owed(standings, kept, owed)
            documents = dict(_documents(owed, source))
            firsts = tuple(documents)
            made += documents.values()
        entries.append(OpenItemsDay(kept.day, kept.known_on, source, firsts))
    head = encode(OpenItemsIndex(tuple(entries)).as_dict(), {"product": LISTED_WITH, "list": OPEN_ITEMS})
    return Attachments([(OPEN_ITEMS, head), *made], tuple(reused), live.generation if live and reused else "")


def _owed(standings: KeptStandings, kept: KeptDay, before: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """What is owed of each part of a day; one part at a time is read, for of all certificates few are owed.

    Args:
        standings: Where the standings of days are kept.
        kept: The day.
        before: The same of another day, which has most parts in common.
    """
    return {
        name: before[name] if name in before else owed_rows(standings.rows([name]))
        for name in sorted(kept.names)
    }


def _documents(owed: Mapping[str, pa.Table], source: str) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """The documents of what is owed on a day, each with its name, by its first client."""
    if not owed:
        return
    for number, (first, data) in enumerate(open_items(pa.concat_tables(owed.values()))):
        name = document_name(source, number)
        yield first, (name, encode(data, {"product": LISTED_WITH, "list": name}))


def open_items_index(publisher: Publisher, entry: ManifestEntry | None) -> OpenItemsIndex:
    """The index of a generation's open items; an empty one where it has none that can be read."""
    payload = None if entry is None else publisher.payload(entry.generation, OPEN_ITEMS)
    try:
        return NO_OPEN_ITEMS if payload is None else OpenItemsIndex.of(payload.data())
    except CorruptPayload:
        return NO_OPEN_ITEMS

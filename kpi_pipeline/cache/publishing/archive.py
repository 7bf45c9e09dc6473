"""The archive: live generations and month ends on disk, to be restored when Redis has lost them.

<folder>/<product>/<generation>.frames   its payloads as stored in Redis, never changed; see `archived_frames`
<folder>/<product>/<generation>.entry    its manifest entry, rewritten when it is verified again
<folder>/month_ends/<product>/...        the same of month ends

Each contains a digest of its content and is replaced at once: a file is whole, or known to be damaged. What
a generation has in common with the one before the last stays in the files of that one: of the two that are
kept, none rests on a file of the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final, cast

import redis

from kpi_pipeline.atomic_files import remove_abandoned, replacing
from kpi_pipeline.cache.batches import BATCH, batches
from kpi_pipeline.cache.codec import CorruptPayload, verify
from kpi_pipeline.cache.keys import members_key, payload_key
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.archived_frames import (
    DIGEST_SIZE,
    SUFFIX,
    Archivable,
    ArchivedFrames,
    CorruptArchive,
    Place,
    archived_payloads,
    are_there,
    frames_path,
    is_of_this_version,
)
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.scripts import CONTENTS

KEPT_ENTRIES: Final = 2
"""How many generations of a product are kept on disk."""

_MOST_FILES: Final = 32
"""In so many files a generation is at most: each of them is checked when it is restored."""

_MOST_ROOM: Final = 2
"""How many times the size of a generation its files may take: they hold what it has no longer, too."""


@dataclass(frozen=True, slots=True)
class Archived:
    """One generation on disk.

    Attributes:
        entry: Its manifest entry.
        expires_at: When its keys expire, in seconds since the epoch.
    """

    entry: ManifestEntry
    expires_at: int


class Archive:
    """Writes and reads archived generations. Errors of Redis and of the file system propagate.

    Args:
        client: A client that may read the cache.
        folder: Where the archive is.
    """

    def __init__(self, client: redis.Redis, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._contents = client.register_script(CONTENTS)

    def store(self, entry: ManifestEntry) -> int:
        """Archive a generation, and remove those of its product that are not to be kept beside it.

        Of a generation that is archived already only the entry is written.

        Returns:
            How many bytes were written.

        Raises:
            IncompleteGeneration: If Redis no longer holds all of it as it was written.
        """
        folder = self._folder / entry.product
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        frames = frames_path(folder, entry.generation)
        if not is_of_this_version(frames):
            payloads = self._payloads(entry, self._archived(entry))
            written = ArchivedFrames.write(folder, entry.generation, payloads)
        body = b"%d\n%s" % (self._client.expiretime(members_key(entry.generation)), entry.to_json())
        text = blake2b(body, digest_size=DIGEST_SIZE).hexdigest().encode() + b"\n" + body
        with replacing(frames.with_suffix(".entry"), durable=True) as part:
            part.write_bytes(text)
        self._prune(entry.product)
        return written + len(text)

    def entries(self, product: str) -> tuple[list[Archived], list[str]]:
        """The archived generations of a product, that with the highest fence first.

        Returns:
            Those that can be read, and the problems of the others in words.
        """
        readable, problems = [], []
        for path in sorted((self._folder / product).glob("*.entry")):
            try:
                readable.append(_read_entry(path))
            except CorruptArchive as error:
                problems.append(str(error))
        return sorted(readable, key=lambda archived: archived.entry.fence, reverse=True), problems

    def frames(self, entry: ManifestEntry) -> Iterator[list[tuple[str, bytes]]]:
        """The payloads of an archived generation by their keys, in batches, once the file is checked.

        Raises:
            CorruptArchive: If the file is missing, cut or changed.
        """
        payloads = archived_payloads(self._folder / entry.product, entry.generation)
        yield from batches((payload_key(entry.generation, name), frame) for name, frame in payloads)

    def _archived(self, entry: ManifestEntry) -> Mapping[str, Place]:
        """Where payloads that a generation may have are archived, by content: with one that is to go."""
        folder = self._folder / entry.product
        others = (archived.entry.generation for archived in self.entries(entry.product)[0])
        *kept, last = [other for other in others if other != entry.generation][:KEPT_ENTRIES] or [""]
        if len(kept) + 1 < KEPT_ENTRIES:
            return {}
        try:
            archived = ArchivedFrames.read(folder, last)
            # Where the index of one that stays is damaged, its files are not known.
            taken = frozenset[str]().union(*(ArchivedFrames.read(folder, other).files for other in kept))
        except CorruptArchive:
            return {}
        files = archived.files
        if not are_there(folder, archived.sizes) or len(files) >= _MOST_FILES or files & taken:
            return {}
        if sum(frames_path(folder, name).stat().st_size for name in files) > _MOST_ROOM * entry.bytes:
            return {}
        return archived.by_content

    def _payloads(self, entry: ManifestEntry, archived: Mapping[str, Place]) -> Iterator[Archivable]:
        """The payloads of a generation, verified where they are not archived."""
        members = self._client.sscan_iter(members_key(entry.generation), count=BATCH)
        seen: set[bytes] = set()
        unknown: list[tuple[bytes, str]] = []
        count, prefix = 0, len(payload_key(entry.generation, ""))
        for batch in batches(members):
            # A scan may give a member twice.
            keys = [key for key in dict.fromkeys(batch) if key not in seen]
            seen.update(keys)
            for key, found in zip(keys, self._contents(keys=keys) if keys else (), strict=True):
                content = found.hex()
                place = archived.get(content) if content else None
                if place is None:
                    unknown.append((key, content))
                else:
                    count += 1
                    yield Archivable(key[prefix:].decode(), content, place, b"")
        for batch_of in batches(unknown):
            frames = cast("list[bytes | None]", self._client.mget([key for key, _ in batch_of]))
            for (key, content), frame in zip(batch_of, frames, strict=True):
                if frame is None:
                    continue
                try:
                    verify(frame)
                except CorruptPayload as error:
                    raise IncompleteGeneration(f"{key.decode()}: {error}") from error
                count += 1
                yield Archivable(key[prefix:].decode(), content, None, frame)
        if count != entry.keys:
            raise IncompleteGeneration(
                f"{entry.generation} has {count} of its {entry.keys} keys: check the server's "
                "maxmemory and eviction policy"
            )

    def holds(self, entry: ManifestEntry) -> bool:
        """Whether a generation is archived; without its entry, which is written last, it is not."""
        frames = frames_path(self._folder / entry.product, entry.generation)
        return is_of_this_version(frames) and frames.with_suffix(".entry").exists()

    def _kept(self, archived: Sequence[Archived]) -> Sequence[Archived]:
        """Those of a product's generations to keep, of all with the highest fence first."""
        return archived[:KEPT_ENTRIES]

    def _prune(self, product: str) -> None:
        folder = self._folder / product
        kept = {archived.entry.generation for archived in self._kept(self.entries(product)[0])}
        named = set(kept)
        for generation in kept:
            with suppress(CorruptArchive):
                named |= ArchivedFrames.read(folder, generation).files
        for path in folder.iterdir():
            if path.stem not in {".entry": kept, SUFFIX: named}.get(path.suffix, {path.stem}):
                path.unlink(missing_ok=True)
        remove_abandoned(folder)


class MonthEndArchive(Archive):
    """The archive of month ends: of each month the latest reading.

    Args:
        client: A client that may read the cache.
        folder: Where the archive of live generations is.
    """

    def __init__(self, client: redis.Redis, folder: Path) -> None:
        super().__init__(client, folder / "month_ends")

    def bound(self, products: Iterable[str], first: date, max_bytes: int) -> int:
        """Remove month ends before a date, then the earliest until the others fit into a size.

        Args:
            products: Of which products.
            first: The first month end to keep.
            max_bytes: Stored size of the answers of all that are kept.

        Returns:
            How many were removed.
        """
        archived = [one for product in products for one in self.entries(product)[0]]
        archived.sort(key=lambda one: one.entry.as_of, reverse=True)
        removed = size = 0
        for entry in (one.entry for one in archived):
            size += entry.bytes
            if entry.as_of < first or size > max_bytes:
                self._remove(entry)
                removed += 1
        return removed

    def remove_others(self, product: str, source: str) -> None:
        """Remove the month ends of a product that come from another source than one.

        Args:
            product: The product.
            source: Of `ManifestEntry.source`.
        """
        for entry in (archived.entry for archived in self.entries(product)[0]):
            if entry.source != source:
                self._remove(entry)

    def _remove(self, entry: ManifestEntry) -> None:
        frames = frames_path(self._folder / entry.product, entry.generation)
        for path in (frames.with_suffix(".entry"), frames):
            path.unlink(missing_ok=True)

    def _archived(self, _entry: ManifestEntry) -> Mapping[str, Place]:
        """Nothing: each month end is by itself."""
        return {}

    def _kept(self, archived: Sequence[Archived]) -> Sequence[Archived]:
        by_month: dict[date, Archived] = {}
        for one in archived:
            by_month.setdefault(one.entry.as_of, one)
        return list(by_month.values())


def _read_entry(path: Path) -> Archived:
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise CorruptArchive(f"{path} is gone") from None
    if blake2b(body, digest_size=DIGEST_SIZE).hexdigest().encode() != digest:
        raise CorruptArchive(f"{path} is cut or changed")
    expires_at, _, text = body.partition(b"\n")
    try:
        return Archived(ManifestEntry.from_json(text), int(expires_at))
    except (CorruptManifest, ValueError) as error:
        raise CorruptArchive(f"{path} is of another version") from error

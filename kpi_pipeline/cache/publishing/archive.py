"""The archive: live generations and month ends on disk, to be restored when Redis has lost them.

<folder>/<product>/<generation>.frames     its payloads as stored in Redis; see `archived_frames`
<folder>/<product>/<generation>~1.frames   written where it is archived again that had lost a file
<folder>/<product>/<generation>.entry      its manifest entry and which file has the index of its payloads
<folder>/month_ends/<product>/...          the same of month ends

Each contains a digest of its content and is replaced at once: a file is whole, or known to be damaged. What
a generation has in common with the one before the last stays in the files of that one: of the two that are
kept, none rests on a file of the other.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final, cast

import redis

from kpi_pipeline.atomic_files import locked, remove_abandoned, replacing
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
    check_frames,
    frames_path,
)
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.scripts import CONTENTS

_ENTRY: Final = ".entry"

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
        frames: The file that has the index of its payloads.
    """

    entry: ManifestEntry
    expires_at: int
    frames: str


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
        # Another run of the product may archive what it has published.
        with locked(folder):
            others = self._others(entry)
            own, written = self._whole(entry, others), 0
            if own is None:
                own = _free_name(folder, entry.generation)
                base = self._base(entry, others)
                payloads = self._payloads(entry, {} if base is None else base.by_content)
                written = ArchivedFrames.write(folder, own, payloads, 0 if base is None else base.turn + 1)
            expires_at = self._client.expiretime(members_key(entry.generation))
            body = b"%d\n%b\n%b" % (expires_at, own.encode(), entry.to_json())
            text = blake2b(body, digest_size=DIGEST_SIZE).hexdigest().encode() + b"\n" + body
            with replacing(_entry_path(folder, entry.generation), durable=True) as part:
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
        folder = self._folder / entry.product
        archived = _read_entry(_entry_path(folder, entry.generation))
        payloads = archived_payloads(folder, archived.frames)
        yield from batches((payload_key(entry.generation, name), frame) for name, frame in payloads)

    def _others(self, entry: ManifestEntry) -> Sequence[Archived]:
        """The archived generations of a product besides one, that with the highest fence first."""
        archived = self.entries(entry.product)[0]
        return [one for one in archived if one.entry.generation != entry.generation]

    def _whole(self, entry: ManifestEntry, others: Sequence[Archived]) -> str | None:
        """The file with the index of a generation, if it is archived and shares none with one that stays."""
        folder = self._folder / entry.product
        try:
            own = ArchivedFrames.read(folder, _read_entry(_entry_path(folder, entry.generation)).frames)
            taken = self._taken(folder, others[: KEPT_ENTRIES - 1])
        except CorruptArchive:
            return None
        return own.name if own.is_whole(folder) and own.files.isdisjoint(taken) else None

    def _base(self, entry: ManifestEntry, others: Sequence[Archived]) -> ArchivedFrames | None:
        """What a generation may rest on: what is archived of one that is to go."""
        folder = self._folder / entry.product
        if len(others) < KEPT_ENTRIES:
            return None
        *kept, last = others[:KEPT_ENTRIES]
        try:
            archived = ArchivedFrames.read(folder, last.frames)
            # Where the index of one that stays is damaged, its files are not known.
            taken = self._taken(folder, kept)
            files = sorted(archived.files)
            if len(files) >= _MOST_FILES or not taken.isdisjoint(files) or not archived.is_whole(folder):
                return None
            # One after the other.
            check_frames(folder, files[archived.turn % len(files)])
        except CorruptArchive:
            return None
        room = sum(frames_path(folder, name).stat().st_size for name in files)
        return archived if room <= _MOST_ROOM * entry.bytes else None

    def _taken(self, folder: Path, kept: Iterable[Archived]) -> frozenset[str]:
        """The files of some generations; raises as `ArchivedFrames.read` does."""
        return frozenset[str]().union(*(ArchivedFrames.read(folder, one.frames).files for one in kept))

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
        """Whether a generation is archived: its entry is written last."""
        folder = self._folder / entry.product
        try:
            archived = _read_entry(_entry_path(folder, entry.generation))
            return ArchivedFrames.read(folder, archived.frames).is_whole(folder)
        except CorruptArchive:
            return False

    def _kept(self, archived: Sequence[Archived]) -> Sequence[Archived]:
        """Those of a product's generations to keep, of all with the highest fence first."""
        return archived[:KEPT_ENTRIES]

    def _prune(self, product: str) -> None:
        folder = self._folder / product
        kept = self._kept(self.entries(product)[0])
        named = frozenset[str]().union(*(self._files(folder, archived) for archived in kept))
        left = {_ENTRY: {archived.entry.generation for archived in kept}, SUFFIX: named}
        for path in folder.iterdir():
            if path.stem not in left.get(path.suffix, {path.stem}):
                path.unlink(missing_ok=True)
        remove_abandoned(folder)

    def _files(self, folder: Path, archived: Archived) -> frozenset[str]:
        """The files that hold a generation, as far as they are known."""
        with suppress(CorruptArchive):
            return ArchivedFrames.read(folder, archived.frames).files
        return frozenset((archived.frames,))


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
        for one in archived:
            size += one.entry.bytes
            if one.entry.as_of < first or size > max_bytes:
                self._remove(one)
                removed += 1
        return removed

    def remove_others(self, product: str, source: str) -> None:
        """Remove the month ends of a product that come from another source than one.

        Args:
            product: The product.
            source: Of `ManifestEntry.source`.
        """
        for archived in self.entries(product)[0]:
            if archived.entry.source != source:
                self._remove(archived)

    def _remove(self, archived: Archived) -> None:
        folder = self._folder / archived.entry.product
        for path in (
            _entry_path(folder, archived.entry.generation),
            frames_path(folder, archived.frames),
        ):
            path.unlink(missing_ok=True)

    def _whole(self, entry: ManifestEntry, _others: Sequence[Archived]) -> str | None:
        return super()._whole(entry, ())

    def _files(self, _folder: Path, archived: Archived) -> frozenset[str]:
        return frozenset((archived.frames,))

    def _base(self, _entry: ManifestEntry, _others: Sequence[Archived]) -> None:
        """Nothing: each month end is by itself."""

    def _kept(self, archived: Sequence[Archived]) -> Sequence[Archived]:
        by_month: dict[date, Archived] = {}
        for one in archived:
            by_month.setdefault(one.entry.as_of, one)
        return list(by_month.values())


def _entry_path(folder: Path, generation: str) -> Path:
    return folder / f"{generation}{_ENTRY}"


def _free_name(folder: Path, generation: str) -> str:
    """A file that there is not: others may rest on what was written with a generation before."""
    names = (f"{generation}~{number}" if number else generation for number in itertools.count())
    return next(name for name in names if not frames_path(folder, name).exists())


def _read_entry(path: Path) -> Archived:
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise CorruptArchive(f"{path} is gone") from None
    if blake2b(body, digest_size=DIGEST_SIZE).hexdigest().encode() != digest:
        raise CorruptArchive(f"{path} is cut or changed")
    try:
        expires_at, frames, text = body.split(b"\n", 2)
        return Archived(ManifestEntry.from_json(text), int(expires_at), frames.decode())
    except (CorruptManifest, ValueError) as error:
        raise CorruptArchive(f"{path} is of another version") from error

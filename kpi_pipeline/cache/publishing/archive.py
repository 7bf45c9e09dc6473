"""The archive: live generations and month ends on disk, to be restored when Redis has lost them.

<folder>/<product>/<generation>.frames   every payload as stored in Redis, never changed
<folder>/<product>/<generation>.entry    its manifest entry, rewritten when it is verified again
<folder>/month_ends/<product>/...        the same of month ends

Each contains a digest of its content and is replaced at once: a file is whole, or known to be damaged.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import IO, Final, cast

import redis

from kpi_pipeline.atomic_files import remove_abandoned, replacing
from kpi_pipeline.cache.batches import BATCH, batches
from kpi_pipeline.cache.codec import CorruptPayload, verify
from kpi_pipeline.cache.keys import members_key, payload_key
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration

KEPT_ENTRIES: Final = 2
"""How many generations of a product are kept on disk."""

_CHUNK: Final = 1 << 20
_DIGEST_SIZE: Final = 32
_MAGIC: Final = b"KPIA\x01"
_RECORD: Final = struct.Struct("<HI")  # sizes of a key and of its frame


class CorruptArchive(ValueError):
    """An archived file is missing, cut or changed."""


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
        frames = _frames_path(folder, entry.generation)
        if not frames.exists():
            with replacing(frames, durable=True) as part, part.open("wb") as file:
                written = self._write_frames(file, entry)
        body = b"%d\n%s" % (self._client.expiretime(members_key(entry.generation)), entry.to_json())
        text = blake2b(body, digest_size=_DIGEST_SIZE).hexdigest().encode() + b"\n" + body
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
        path = _frames_path(self._folder / entry.product, entry.generation)
        try:
            with path.open("rb") as file:
                end = _checked(file, path)
                records = _records(file, path, end, payload_key(entry.generation, ""))
                yield from batches(records)
        except FileNotFoundError:
            raise CorruptArchive(f"{path} is gone") from None

    def _write_frames(self, part: IO[bytes], entry: ManifestEntry) -> int:
        digest, size, count = blake2b(digest_size=_DIGEST_SIZE), 0, 0
        part.write(_MAGIC)
        digest.update(_MAGIC)
        members = self._client.sscan_iter(members_key(entry.generation), count=BATCH)
        seen: set[bytes] = set()
        for batch in batches(members):
            # A scan may give a member twice.
            keys = [key for key in dict.fromkeys(batch) if key not in seen]
            seen.update(keys)
            if not keys:
                continue
            for key, frame in zip(keys, cast("list[bytes | None]", self._client.mget(keys)), strict=True):
                if frame is None:
                    continue
                try:
                    verify(frame)
                except CorruptPayload as error:
                    raise IncompleteGeneration(f"{key.decode()}: {error}") from error
                record = _RECORD.pack(len(key), len(frame)) + key + frame
                part.write(record)
                digest.update(record)
                size, count = size + len(record), count + 1
        if count != entry.keys:
            raise IncompleteGeneration(
                f"{entry.generation} has {count} of its {entry.keys} keys: check the server's "
                "maxmemory and eviction policy"
            )
        part.write(digest.digest())
        return len(_MAGIC) + size + _DIGEST_SIZE

    def holds(self, entry: ManifestEntry) -> bool:
        """Whether a generation is archived; without its entry, which is written last, it is not."""
        frames = _frames_path(self._folder / entry.product, entry.generation)
        return frames.exists() and frames.with_suffix(".entry").exists()

    def _kept(self, archived: Sequence[Archived]) -> Sequence[Archived]:
        """Those of a product's generations to keep, of all with the highest fence first."""
        return archived[:KEPT_ENTRIES]

    def _prune(self, product: str) -> None:
        folder = self._folder / product
        kept = {archived.entry.generation for archived in self._kept(self.entries(product)[0])}
        for path in folder.iterdir():
            if path.suffix in {".entry", ".frames"} and path.stem not in kept:
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
        frames = _frames_path(self._folder / entry.product, entry.generation)
        for path in (frames.with_suffix(".entry"), frames):
            path.unlink(missing_ok=True)

    def _kept(self, archived: Sequence[Archived]) -> Sequence[Archived]:
        by_month: dict[date, Archived] = {}
        for one in archived:
            by_month.setdefault(one.entry.as_of, one)
        return list(by_month.values())


def _frames_path(folder: Path, generation: str) -> Path:
    return folder / f"{generation}.frames"


def _read_entry(path: Path) -> Archived:
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise CorruptArchive(f"{path} is gone") from None
    if blake2b(body, digest_size=_DIGEST_SIZE).hexdigest().encode() != digest:
        raise CorruptArchive(f"{path} is cut or changed")
    expires_at, _, text = body.partition(b"\n")
    try:
        return Archived(ManifestEntry.from_json(text), int(expires_at))
    except (CorruptManifest, ValueError) as error:
        raise CorruptArchive(f"{path} is of another version") from error


def _checked(file: IO[bytes], path: Path) -> int:
    """Where the records end; the file then stands at the first of them."""
    end = path.stat().st_size - _DIGEST_SIZE
    digest, left = blake2b(digest_size=_DIGEST_SIZE), end
    while left > 0 and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    if end < len(_MAGIC) or file.read() != digest.digest():
        raise CorruptArchive(f"{path} is cut or changed")
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise CorruptArchive(f"{path} is of another version")
    return end


def _records(file: IO[bytes], path: Path, end: int, prefix: str) -> Iterator[tuple[str, bytes]]:
    while file.tell() < end:
        key_size, frame_size = _RECORD.unpack(file.read(_RECORD.size))
        key = file.read(key_size).decode()
        if not key.startswith(prefix):
            raise CorruptArchive(f"{path} holds keys of another generation")
        yield key, file.read(frame_size)

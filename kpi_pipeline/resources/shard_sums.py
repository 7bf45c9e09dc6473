"""What shards sum to, kept as files and in a warm worker: only what has changed is summed again.

<storage>/shard_sums/<definitions>/<digest of the rows>.arrow
"""

import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import pyarrow as pa

from kpi_pipeline.atomic_files import modified_at, remove_abandoned, replacing
from kpi_pipeline.compute.rollup.shards import ShardSums, compact, held_bytes
from kpi_pipeline.resources.bounded_memory import BoundedMemory
from kpi_pipeline.settings import current_settings

KEPT_DEFINITIONS: Final = 2
"""For how many business dates, sets of definitions or versions of the program sums are kept: the latest."""

MEMORY_BYTES: Final = 768 * 2**20
"""How much of them a process holds at most: those of about a million certificates."""

_FOLDER: Final = "shard_sums"
_SUFFIX: Final = ".arrow"
_UNUSED_S: Final = 3600
_NAME: Final = b"kpi_table"


def sums_memory(most: int) -> BoundedMemory[ShardSums]:
    """The sums that were used last.

    Args:
        most: Bytes that are held at most.
    """
    return BoundedMemory(most, lambda sums: sum(map(held_bytes, sums.values())))


_MEMORY: Final = sums_memory(MEMORY_BYTES)


class StoredShardSums:
    """The sums of shards for one business date, one set of definitions and one version of the program.

    Args:
        folder: Where those of all are.
        definitions: A digest of what else than rows the sums follow from.
        reads: Whether sums that are kept are taken; they are written all the same.
        memory: What is held of them.
    """

    def __init__(
        self,
        folder: Path,
        definitions: str,
        *,
        reads: bool = True,
        memory: BoundedMemory[ShardSums] = _MEMORY,
    ) -> None:
        self._folder, self._reads, self._memory = folder / definitions, reads, memory
        self._used: set[Path] = set()

    @classmethod
    def of_settings(cls, definitions: str, *, reads: bool = True) -> Self:
        """Those at the place in the settings."""
        return cls(current_settings().storage / _FOLDER, definitions, reads=reads)

    def get(self, digest: str) -> ShardSums | None:
        """The sums of a shard's rows; None where they are not kept, or cannot be read."""
        if not self._reads:
            return None
        path = self._path(digest)
        sums = self._memory.get(path)
        if sums is None and (sums := _read(path)) is not None:
            self._memory.put(path, sums)
        if sums is not None:
            self._used.add(path)
        return sums

    def put(self, digest: str, sums: ShardSums) -> None:
        """Keep the sums of a shard's rows.

        Raises:
            OSError: If the file cannot be written.
        """
        path = self._path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another run may remove the folder meanwhile, where other definitions are newer.
        with suppress(FileNotFoundError):
            _write(path, sums)
        self._used.add(path)
        self._memory.put(path, sums)

    def prune(self) -> None:
        """Remove what this run did not use: for these definitions once it is an hour old, for others all."""
        for path in _files(self._folder) - self._used:
            if modified_at(path) < time.time() - _UNUSED_S:
                path.unlink(missing_ok=True)
        remove_abandoned(self._folder)
        others = [path for path in self._folder.parent.glob("*") if path != self._folder]
        for old in sorted(others, key=modified_at, reverse=True)[KEPT_DEFINITIONS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}{_SUFFIX}"


def _files(folder: Path) -> set[Path]:
    return set(folder.glob(f"*{_SUFFIX}"))


def _write(path: Path, sums: ShardSums) -> None:
    """Write the tables one after the other: whole or not at all."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with replacing(path) as part, pa.OSFile(str(part), "wb") as file:
        for name, table in sums.items():
            named = table.replace_schema_metadata({_NAME: name.encode()})
            with pa.ipc.new_stream(file, named.schema, options=options) as stream:
                stream.write_table(named)


def _read(path: Path) -> ShardSums | None:
    try:
        with pa.memory_map(str(path)) as file:
            return dict(_tables(file))
    except (OSError, pa.ArrowException, KeyError):
        return None


def _tables(file: pa.MemoryMappedFile) -> Iterable[tuple[str, pa.Table]]:
    while file.tell() < file.size():
        table = pa.ipc.open_stream(file).read_all()
        yield table.schema.metadata[_NAME].decode(), compact(table.replace_schema_metadata(None))

"""What shards sum to, kept as files: only what has changed is summed again.

<storage>/shard_sums/<definitions>/<digest of the rows>.arrow

A file holds its tables one after the other, without their columns of zeros, of which cells have many; then
what it holds of each of them, as JSON, and the length of that.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

import orjson
import pyarrow as pa

from kpi_pipeline.atomic_files import modified_at, remove_abandoned, replacing
from kpi_pipeline.compute.rollup.shards import ShardSums, with_zeros, without_zeros
from kpi_pipeline.settings import current_settings

KEPT_DEFINITIONS: Final = 2
"""For how many business dates, sets of definitions or versions of the program sums are kept: the latest."""

_FOLDER: Final = "shard_sums"
_SUFFIX: Final = ".arrow"
_UNUSED_S: Final = 3600
_LENGTH_BYTES: Final = 8
"""Of the length at the end of a file."""


class DamagedSums(Exception):
    """Sums that are kept and cannot be read: they are no longer kept."""


class StoredShardSums:
    """The sums of shards for one business date, one set of definitions and one version of the program.

    Args:
        folder: Where those of all are.
        definitions: A digest of what else than rows the sums follow from.
        reads: Whether sums that earlier runs kept are taken; they are written all the same.
    """

    def __init__(self, folder: Path, definitions: str, *, reads: bool = True) -> None:
        self._folder, self._reads = folder / definitions, reads
        self._used: set[Path] = set()

    @classmethod
    def of_settings(cls, definitions: str, *, reads: bool = True) -> Self:
        """Those at the place in the settings."""
        return cls(current_settings().storage / _FOLDER, definitions, reads=reads)

    def get(self, digest: str) -> ShardSums | None:
        """The sums of a shard's rows, each table read when it is needed; None where they are not kept.

        Reading a table raises `DamagedSums` where that fails.
        """
        path = self._path(digest)
        if not self._reads and path not in self._used:
            return None
        sums = _StoredTables.of(path)
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


class _Place(NamedTuple):
    """What a file holds of a table.

    Attributes:
        begin: Where it begins.
        end: Where it ends.
        rows: How many rows it has.
        columns: The names of all its columns, in order.
    """

    begin: int
    end: int
    rows: int
    columns: list[str]


def _write(path: Path, sums: ShardSums) -> None:
    """Write the tables: whole or not at all."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    places: dict[str, _Place] = {}
    with replacing(path) as part, pa.OSFile(str(part), "wb") as file:
        for name, table in sums.items():
            begin, held = file.tell(), without_zeros(table)
            with pa.ipc.new_stream(file, held.schema, options=options) as stream:
                stream.write_table(held)
            places[name] = _Place(begin, file.tell(), table.num_rows, table.column_names)
        index = orjson.dumps({name: list(place) for name, place in places.items()})
        file.write(index + len(index).to_bytes(_LENGTH_BYTES, "little"))


class _StoredTables(Mapping[str, pa.Table]):
    """The tables of a file, each read anew whenever it is taken.

    Args:
        path: The file.
        places: By the name of a table, what it holds.
    """

    def __init__(self, path: Path, places: Mapping[str, _Place]) -> None:
        self._path, self._places = path, places

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Those of a file; None where it is gone or malformed."""
        try:
            with pa.memory_map(str(path)) as file:
                content = file.read_buffer()
                length = int.from_bytes(content[-_LENGTH_BYTES:], "little")
                index = content[-_LENGTH_BYTES - length : -_LENGTH_BYTES]
                places = orjson.loads(index.to_pybytes())
                return cls(path, {name: _Place(*place) for name, place in places.items()})
        except (OSError, ValueError, IndexError, TypeError, AttributeError, pa.ArrowException):
            return None

    def __getitem__(self, name: str) -> pa.Table:
        place = self._places[name]
        try:
            with pa.memory_map(str(self._path)) as file:
                file.seek(place.begin)
                held = pa.ipc.open_stream(file.read_buffer(place.end - place.begin)).read_all()
        except (OSError, pa.ArrowException) as error:
            self._path.unlink(missing_ok=True)
            raise DamagedSums(f"{self._path}: {error}") from error
        return with_zeros(held, place.columns, place.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

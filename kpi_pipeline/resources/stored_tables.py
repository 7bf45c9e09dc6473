"""Tables that assets hand to one another: Arrow files, and which of them belongs to which run.

A run that finds its input unchanged names the file of the run before: nothing is read or written again.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Final, Self

import orjson
import pyarrow as pa
from dagster import MetadataValue

from kpi_pipeline.atomic_files import modified_at, replacing
from kpi_pipeline.compute.rollup.tables import Part
from kpi_pipeline.resources.snapshots import RunFileIOManager, asset_folder, newest_file
from kpi_pipeline.sources.provenance import Provenance

_SUFFIX: Final = "json"

TABLE_SUFFIX: Final = ".arrow"
"""Of files in Arrow's own layout."""

_TEXTS: Final = b"kpi_texts"
"""In a file's metadata, the columns of which each text is stored as a place in a dictionary."""


_COUNTED_FILES: Final = 4096
"""Of how many files the number of rows is remembered: those of a few runs, as a rule."""

UNNAMED_S: Final = 600.0
"""A table that nothing names stays so long at least: a run may be about to name it."""

_MEMORY_BYTES: Final = 128 * 2**20
"""How much of what a run has written it holds for its next steps at most: what has changed, as a rule."""


class WrittenTables:
    """The tables that this process wrote last, each for the step that reads it next. Threads may share it.

    Args:
        most: Bytes that are held at most; what was written first goes first.
    """

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._held: dict[Path, tuple[int, pa.Table]] = {}
        self._lock = Lock()

    def put(self, path: Path, table: pa.Table) -> None:
        """Hold a table."""
        # Columns of zeros share their memory.
        size = table.get_total_buffer_size()
        with self._lock:
            self._remove(path)
            self._held[path] = size, table
            self._bytes += size
            while self._bytes > self._most:
                self._remove(next(iter(self._held)))

    def take(self, path: Path) -> pa.Table | None:
        """The table of a file, which is no longer held then; None where it is not held."""
        with self._lock:
            return self._remove(path)

    def clear(self) -> None:
        """Hold none."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _remove(self, path: Path) -> pa.Table | None:
        if path not in self._held:
            return None
        size, table = self._held.pop(path)
        self._bytes -= size
        return table


WRITTEN: Final = WrittenTables(_MEMORY_BYTES)
"""Those of the run under way."""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table as a run has stored it, read when it is needed.

    Attributes:
        paths: Its file, or those of its parts.
        provenance: Where the run has it from; None where it has none.
    """

    paths: tuple[Path, ...]
    provenance: Provenance | None

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """The table that a run's file names.

        Raises:
            OSError: If the file is gone.
            ValueError: If it is malformed.
        """
        held = orjson.loads(path.read_bytes())
        provenance = held["provenance"]
        paths = tuple(path.parent / name for name in held["tables"])
        return cls(paths, Provenance(**provenance) if provenance else None)

    @classmethod
    def of_run(cls, asset: str, run_id: str) -> Self | None:
        """The table of an asset as a run stored it; None where it is no longer kept."""
        return cls.kept(asset_folder(asset) / f"{run_id}.{_SUFFIX}")

    @classmethod
    def newest(cls, asset: str) -> Self | None:
        """The table that the newest run stored of an asset; None where there is none."""
        path = newest_file(asset)
        return None if path is None else cls.kept(path)

    @classmethod
    def kept(cls, path: Path) -> Self | None:
        """The table that a run's file names; None where one of the two is gone or malformed."""
        try:
            stored = cls.of_file(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return stored if all(path.exists() for path in stored.paths) else None

    @property
    def num_rows(self) -> int:
        """How many rows it has."""
        return sum(rows_of(path) for path in self.paths)

    @property
    def origin(self) -> Provenance:
        """Its provenance.

        Raises:
            ValueError: If it has none.
        """
        if self.provenance is None:
            name = self.paths[0] if self.paths else "a table without parts"
            raise ValueError(f"{name} has no provenance: materialize certificates and rollup again")
        return self.provenance

    def table(self) -> pa.Table:
        """Read it, with its provenance."""
        table = pa.concat_tables([read_table(path) for path in self.paths])
        return table if self.provenance is None else self.provenance.attach(table)

    def encoded(self) -> pa.Table:
        """Read it, each text as a place in a dictionary: in a fifth of the time where texts repeat."""
        return pa.concat_tables([read_encoded(path) for path in self.paths])

    def parts(self) -> list[Part]:
        """Its parts, as `encoded` reads them. No file is ever changed: those of one name are the same."""
        return [Part(f"{path.parent.name}/{path.name}", partial(read_encoded, path)) for path in self.paths]

    def confirmed(self, provenance: Provenance) -> Self:
        """The same table as another run has it.

        Args:
            provenance: Where that run has it from.
        """
        return replace(self, provenance=provenance)


class TableIOManager(RunFileIOManager):
    """Tables, schema metadata included, each as `<run>.arrow`; what names it for a run is `<run>.json`."""

    suffix: ClassVar[str] = _SUFFIX

    def write(self, path: Path, value: pa.Table | StoredTable) -> dict[str, Any]:
        """Store a table, or name one that is stored."""
        stored = value if isinstance(value, StoredTable) else _stored(value, path.with_suffix(TABLE_SUFFIX))
        path.write_bytes(
            orjson.dumps({"tables": [table.name for table in stored.paths], "provenance": stored.provenance})
        )
        return {
            "dagster/row_count": stored.num_rows,
            "bytes": sum(table.stat().st_size for table in stored.paths),
            "tables": MetadataValue.json([str(table) for table in stored.paths]),
        }

    def read(self, path: Path) -> pa.Table:
        """Read a table."""
        return StoredTable.of_file(path).table()

    def prune(self, folder: Path) -> None:
        """Remove what names the tables of all but the newest runs, and then the tables that nothing names."""
        super().prune(folder)
        kept = list(folder.glob(f"*.{self.suffix}"))
        # A run that is slower than those whose tables are kept may have written its own before them.
        oldest = min([time.time() - UNNAMED_S, *map(modified_at, kept)])
        named = {
            table for path in kept if (stored := StoredTable.kept(path)) is not None for table in stored.paths
        }
        for table in set(folder.glob(f"*{TABLE_SUFFIX}")) - named:
            if modified_at(table) < oldest:
                table.unlink(missing_ok=True)


class StoredTableIOManager(TableIOManager):
    """The same tables, each read only when an asset needs it."""

    def read(self, path: Path) -> StoredTable:
        """Name a table."""
        return StoredTable.of_file(path)


def _stored(table: pa.Table, path: Path) -> StoredTable:
    write_table(table, path)
    return StoredTable((path,), Provenance.of(table) if Provenance.is_of(table) else None)


def store_table(
    parts: Sequence[Part], asset: str, of: str, run_id: str, provenance: Provenance, *, rewrites: bool = False
) -> StoredTable:
    """Write the parts of a table that are not stored yet.

    Args:
        parts: The parts; those without a name are of this run alone.
        asset: The asset whose table it is.
        of: What parts follow from besides what their names say.
        run_id: The run.
        provenance: Where the run has it from.
        rewrites: Whether also those are written that are stored.
    """
    folder, paths = asset_folder(asset), []
    folder.mkdir(parents=True, exist_ok=True)
    for at, part in enumerate(parts):
        path = folder / f"{f'{of}-{part.name}' if part.name else f'{run_id}-{at}'}{TABLE_SUFFIX}"
        if rewrites or not (part.name and still_there(path)):
            write_table(part.rows(), path)
        paths.append(path)
    return StoredTable(tuple(paths), provenance)


def still_there(path: Path) -> bool:
    """Whether a part is stored. It counts as new again: no other run removes it before it is named."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


@lru_cache(_COUNTED_FILES)
def rows_of(path: Path) -> int:
    """How many rows a file has, which never changes."""
    # One column tells it; the others are not unpacked.
    options = pa.ipc.IpcReadOptions(included_fields=[0])
    with pa.memory_map(str(path)) as file:
        rows: int = pa.ipc.open_file(file, options=options).read_all().num_rows
    return rows


def write_part(table: pa.Table, path: Path) -> None:
    """Write a table to a file, to be mapped into memory: whole or not at all."""
    _write(table, path, None)


def read_part(path: Path) -> pa.Table:
    """Map a table into memory: what is not looked at is not read."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table to a file as `write_packed` does, and hold it for what reads it next in this process."""
    WRITTEN.put(path, write_packed(table, path))


def write_packed(table: pa.Table, path: Path) -> pa.Table:
    """Write a table to a file, compressed and each text once: whole or not at all.

    Returns:
        The table as it was written.
    """
    texts = [field for field in table.schema if pa.types.is_string(field.type)]
    for field in texts:
        encoded = table[field.name].combine_chunks().dictionary_encode()
        place = table.schema.get_field_index(field.name)
        table = table.set_column(place, field.with_type(encoded.type), encoded)
    metadata = {**(table.schema.metadata or {}), _TEXTS: orjson.dumps([field.name for field in texts])}
    written = table.unify_dictionaries().replace_schema_metadata(metadata)
    # Zstandard needs two thirds of the room, and twice the time to read.
    _write(written, path, "lz4")
    return written


def read_encoded(path: Path) -> pa.Table:
    """Read a table, each text as a place in a dictionary."""
    return _without_mark(_taken(path))


def read_table(path: Path) -> pa.Table:
    """Read a table as it was written."""
    table = _taken(path)
    texts = orjson.loads((table.schema.metadata or {}).get(_TEXTS, b"[]"))
    table = _without_mark(table)
    fields = [field.with_type(pa.string()) if field.name in texts else field for field in table.schema]
    return table.cast(pa.schema(fields, table.schema.metadata)) if texts else table


def _taken(path: Path) -> pa.Table:
    written = WRITTEN.take(path)
    return read_part(path) if written is None else written


def _without_mark(table: pa.Table) -> pa.Table:
    metadata = {name: value for name, value in (table.schema.metadata or {}).items() if name != _TEXTS}
    return table.replace_schema_metadata(metadata or None)


def _write(table: pa.Table, path: Path, compression: str | None) -> None:
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with (
        replacing(path) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=options) as file,
    ):
        file.write_table(table)

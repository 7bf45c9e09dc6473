"""The archive of roll-ups: of each reading that a product shows or can go back to, the tables as files.

<archive>/rollups/<reading>/<table>/...   the parts of a table
<archive>/rollups/<reading>/parts.json    their names in order, by table

A generation reuses answers by the roll-up of the one that is live, and a product that is rolled back adds
answers from that of its reading. What runs hand on is kept for a few runs only.
"""

import os
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, Self

import orjson
import pyarrow as pa

from kpi_pipeline.atomic_files import ABANDONED_S, PART_SUFFIX, modified_at
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES, Rollup
from kpi_pipeline.resources.stored_tables import TABLE_SUFFIX, StoredTable, read_encoded, write_packed
from kpi_pipeline.settings import current_settings

_PARTS: Final = "parts.json"


class RollupArchive:
    """Keeps one roll-up a reading. Errors of the file system propagate.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_settings(cls) -> Self:
        """The archive at the place in the settings."""
        return cls(current_settings().archive / "rollups")

    def store(self, reading: str, run_id: str) -> bool:
        """Keep the roll-up of a reading, unless it is kept already.

        Args:
            reading: `ManifestEntry.reading`.
            run_id: A run that rolled it up.

        Returns:
            Whether it was written; also False where the run's tables are gone.
        """
        target = self._folder / reading
        if target.exists():
            return False
        tables = [stored for name in ROLLUP_TABLES if (stored := StoredTable.of_run(name, run_id))]
        if len(tables) < len(ROLLUP_TABLES):
            return False

        def link(at: int, folder: Path) -> list[str]:
            for path in tables[at].paths:
                _link(path, folder / path.name)
            return [path.name for path in tables[at].paths]

        self._write(target, run_id, link)
        return True

    def keep(self, reading: str, run_id: str, rollup: Rollup) -> None:
        """Keep a roll-up that no run hands on, unless it is kept already.

        Args:
            reading: `ManifestEntry.reading`.
            run_id: The run that rolled it up.
            rollup: The roll-up.
        """
        target = self._folder / reading
        if target.exists():
            return
        tables = rollup.tables()

        def write(at: int, folder: Path) -> list[str]:
            name = f"{run_id}{TABLE_SUFFIX}"
            write_packed(tables[at], folder / name)
            return [name]

        self._write(target, run_id, write)

    def _write(self, target: Path, run_id: str, write: Callable[[int, Path], list[str]]) -> None:
        # Two runs may store one reading at once: the first to have all of it wins.
        part = target.with_name(f"{target.name}.{run_id}{PART_SUFFIX}")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            parts: dict[str, list[str]] = {}
            for at, name in enumerate(ROLLUP_TABLES):
                (part / name).mkdir()
                parts[name] = write(at, part / name)
            (part / _PARTS).write_bytes(orjson.dumps(parts))
            part.rename(target)
        except OSError:
            if not target.exists():
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def rollup(self, reading: str) -> Rollup | None:
        """The roll-up of a reading; None where it is not kept, or cannot be read."""
        try:
            folder = self._folder / reading
            parts = orjson.loads((folder / _PARTS).read_bytes())
            tables = [
                pa.concat_tables([read_encoded(folder / name / part) for part in parts[name]])
                for name in ROLLUP_TABLES
            ]
            return Rollup.of_tables(tables)
        except (OSError, ValueError, KeyError, pa.ArrowException):
            return None

    def prune(self, kept: Callable[[], Collection[str]]) -> int:
        """Remove the roll-ups of all other readings.

        Args:
            kept: The readings that products show or can go back to. It is called once it is known what is
                stored: a reading is stored after it went live, so that none is removed that went live since.

        Returns:
            How many were removed.
        """
        stored = list(self._folder.glob("*"))
        readings, abandoned_at = kept(), time.time() - ABANDONED_S
        gone = [
            path
            for path in stored
            if path.name not in readings and (path.suffix != PART_SUFFIX or modified_at(path) < abandoned_at)
        ]
        for path in gone:
            shutil.rmtree(path, ignore_errors=True)
        return len(gone)


def _link(path: Path, target: Path) -> None:
    """Keep a file, which is never changed, beyond its own name: without a copy where that is possible."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)

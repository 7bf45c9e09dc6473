"""The archive of roll-ups: of each reading that a product shows or can go back to, the tables as files.

<archive>/rollups/<reading>/<table>/...   the parts of a table
<archive>/rollups/<reading>/parts.json    their names in order, by table
<archive>/rollups/<reading>/made_by       a digest of the program and the settings by which figures follow

A generation reuses answers by the roll-up of the one that is live, and a product that is rolled back adds
answers from that of its reading. What runs hand on is kept for a few runs only. The certificates and costs
that were rolled up are kept with it: an audit recomputes the figures from them.
"""

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final, NamedTuple, Self

import orjson
import pyarrow as pa

from kpi_pipeline.atomic_files import ABANDONED_S, PART_SUFFIX, modified_at
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES, Rollup
from kpi_pipeline.resources.stored_tables import (
    TABLE_SUFFIX,
    StoredTable,
    read_encoded,
    read_table,
    write_packed,
)
from kpi_pipeline.settings import current_settings

_PARTS: Final = "parts.json"
_MADE_BY: Final = "made_by"

_ROWS: Final = ("certificates", "costs")
"""The tables that were rolled up."""


class ReadRows(NamedTuple):
    """The rows that a reading was computed from.

    Attributes:
        certificates: Valid certificates, in `CERTIFICATE_SCHEMA`.
        costs: Valid costs by category, in `COST_SCHEMA`.
        made_by: A digest of what turned them into figures: the program and its settings.
    """

    certificates: pa.Table
    costs: pa.Table
    made_by: str


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

    def store(self, reading: str, run_id: str, made_by: str) -> bool:
        """Keep the roll-up of a reading, unless it is kept already.

        Args:
            reading: `ManifestEntry.reading`.
            run_id: A run that rolled it up.
            made_by: Of `ReadRows.made_by`.

        Returns:
            Whether it was written; also False where the run's tables are gone.
        """
        target = self._folder / reading
        if target.exists():
            return False
        tables = {
            name: stored
            for name in (*ROLLUP_TABLES, *_ROWS)
            if (stored := StoredTable.of_run(name, run_id)) is not None
        }
        if not tables.keys() >= set(ROLLUP_TABLES):
            return False

        def link(name: str, folder: Path) -> list[str]:
            for path in tables[name].paths:
                _link(path, folder / path.name)
            return [path.name for path in tables[name].paths]

        self._write(target, run_id, tables, link, made_by)
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
        tables = dict(zip(ROLLUP_TABLES, rollup.tables(), strict=True))

        def write(name: str, folder: Path) -> list[str]:
            file = f"{run_id}{TABLE_SUFFIX}"
            write_packed(tables[name], folder / file)
            return [file]

        self._write(target, run_id, tables, write)

    def _write(
        self,
        target: Path,
        run_id: str,
        names: Iterable[str],
        write: Callable[[str, Path], list[str]],
        made_by: str = "",
    ) -> None:
        # Two runs may store one reading at once: the first to have all of it wins.
        part = target.with_name(f"{target.name}.{run_id}{PART_SUFFIX}")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            parts: dict[str, list[str]] = {}
            for name in names:
                (part / name).mkdir()
                parts[name] = write(name, part / name)
            (part / _PARTS).write_bytes(orjson.dumps(parts))
            (part / _MADE_BY).write_text(made_by)
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

    def rows(self, reading: str) -> ReadRows | None:
        """The rows of a reading; None where they are not kept, or cannot be read."""
        try:
            folder = self._folder / reading
            parts = orjson.loads((folder / _PARTS).read_bytes())
            certificates, costs = (
                pa.concat_tables([read_table(folder / name / part) for part in parts[name]]) for name in _ROWS
            )
            return ReadRows(certificates, costs, (folder / _MADE_BY).read_text())
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

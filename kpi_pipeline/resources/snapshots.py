"""What assets hand to one another, as files: one immutable file a run and asset."""

import json
import os
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from dagster import ConfigurableIOManager, Failure, InputContext, MetadataValue, OutputContext

from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.requests.fulfil import REFRESH_ALL_JOB
from kpi_pipeline.settings import current_settings

KEPT_FILES = 5
"""Files kept per asset: that of the newest run and those that runs still under way may read."""


class RunFileIOManager(ConfigurableIOManager):
    """Keeps each asset's value as `<storage>/<asset>/<run>.<suffix>`, and which run wrote last.

    Within a run an asset reads what that run wrote, so that runs side by side never mix; without
    such a file it reads the newest.
    """

    suffix: ClassVar[str]

    @abstractmethod
    def write(self, path: Path, value: Any) -> dict[str, Any]:
        """Write a value to a file; returns metadata for the UI."""

    @abstractmethod
    def read(self, path: Path) -> Any:
        """Read a value back."""

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Store an asset's value: whole or not at all."""
        folder = current_settings().storage / context.asset_key.path[-1]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{context.run_id}.{self.suffix}"
        part = path.with_suffix(".part")
        metadata = self.write(part, obj)
        part.replace(path)
        pointer = folder / "latest.part"
        pointer.write_text(path.name)
        pointer.replace(folder / "latest")
        context.add_output_metadata({"path": MetadataValue.path(path), **metadata})
        _prune(folder, f"*.{self.suffix}")

    def load_input(self, context: InputContext) -> Any:
        """Read an asset's value as the present run, or else the newest run, wrote it.

        Raises:
            Failure: If no run has written it yet.
        """
        name = context.asset_key.path[-1]
        folder = current_settings().storage / name
        path = folder / f"{context.step_context.run_id}.{self.suffix}"
        if not path.exists():
            pointer = folder / "latest"
            if not pointer.exists():
                raise Failure(
                    f"asset {name!r} has no snapshot yet: materialize it first, or run the job "
                    f"{REFRESH_ALL_JOB}",
                    allow_retries=False,
                )
            path = folder / pointer.read_text()
        return self.read(path)


class TableIOManager(RunFileIOManager):
    """Tables as Parquet, schema metadata included."""

    suffix: ClassVar[str] = "parquet"

    def write(self, path: Path, value: pa.Table) -> dict[str, Any]:
        """Write a table."""
        pq.write_table(value, path, compression="zstd")
        return {"dagster/row_count": value.num_rows, "bytes": path.stat().st_size}

    def read(self, path: Path) -> pa.Table:
        """Read a table."""
        return pq.read_table(path)


def table_path(asset: str, run_id: str) -> Path:
    """Where a run stores a table.

    Args:
        asset: The asset's name.
        run_id: The run.
    """
    return current_settings().storage / asset / f"{run_id}.{TableIOManager.suffix}"


class EntryIOManager(RunFileIOManager):
    """Manifest entries of generations that are written and verified but not live yet, as JSON."""

    suffix: ClassVar[str] = "json"

    def write(self, path: Path, value: ManifestEntry) -> dict[str, Any]:
        """Write an entry."""
        path.write_bytes(value.to_json())
        return {"entry": MetadataValue.json(json.loads(value.to_json()))}

    def read(self, path: Path) -> ManifestEntry:
        """Read an entry."""
        return ManifestEntry.from_json(path.read_bytes())


def _prune(folder: Path, pattern: str) -> None:
    newest_first = sorted(folder.glob(pattern), key=os.path.getmtime, reverse=True)
    for old in newest_first[KEPT_FILES:]:
        old.unlink(missing_ok=True)

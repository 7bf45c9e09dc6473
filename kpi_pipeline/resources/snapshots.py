"""What assets hand to one another, as files: one immutable file a run and asset."""

import json
from abc import abstractmethod
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

from dagster import ConfigurableIOManager, Failure, InputContext, MetadataValue, OutputContext

from kpi_pipeline.atomic_files import PART_SUFFIX, modified_at, remove_abandoned, replacing
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.requests.fulfil import REFRESH_ALL_JOB
from kpi_pipeline.settings import current_settings

KEPT_FILES = 5
"""Files kept per asset: that of the newest run and those that runs still under way may read."""


def asset_folder(asset: str) -> Path:
    """Where the files of an asset are."""
    return current_settings().storage / asset


def newest_file(asset: str) -> Path | None:
    """The file that the newest run wrote of an asset; None where no run has."""
    folder = asset_folder(asset)
    pointer = folder / "latest"
    return folder / pointer.read_text() if pointer.exists() else None


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
        folder = asset_folder(context.asset_key.path[-1])
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{context.run_id}.{self.suffix}"
        part = path.with_suffix(PART_SUFFIX)
        metadata = self.write(part, obj)
        part.replace(path)
        with replacing(folder / "latest") as part:
            part.write_text(path.name)
        context.add_output_metadata({"path": MetadataValue.path(path), **metadata})
        self.prune(folder)

    def prune(self, folder: Path) -> None:
        """Remove the files of all but the newest runs."""
        written = {path: modified_at(path) for path in folder.glob(f"*.{self.suffix}")}
        there = [path for path, at in written.items() if isfinite(at)]
        for old in sorted(there, key=written.__getitem__, reverse=True)[KEPT_FILES:]:
            old.unlink(missing_ok=True)
        remove_abandoned(folder)

    def load_input(self, context: InputContext) -> Any:
        """Read an asset's value as the present run, or else the newest run, wrote it.

        Raises:
            Failure: If no run has written it yet.
        """
        name = context.asset_key.path[-1]
        path = asset_folder(name) / f"{context.step_context.run_id}.{self.suffix}"
        newest = path if path.exists() else newest_file(name)
        if newest is None:
            raise Failure(
                f"asset {name!r} has no snapshot yet: materialize it first, or run the job {REFRESH_ALL_JOB}",
                allow_retries=False,
            )
        return self.read(newest)


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

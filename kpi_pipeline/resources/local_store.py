"""The local store: all that is known of the source, so that the next reading reads only what has changed.

Its tables are files that never change; one small file names those that belong together. A crash leaves it at
the earlier or at the later reading.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

import orjson
import pyarrow as pa

from kpi_pipeline.atomic_files import modified_at, replacing
from kpi_pipeline.compute.ingest.costs import NormalisedCosts
from kpi_pipeline.compute.ingest.known_source import KnownSource, LogState
from kpi_pipeline.compute.ingest.lookups import FirstSpelling
from kpi_pipeline.model.readings import RowReport
from kpi_pipeline.resources.month_parts import MonthParts
from kpi_pipeline.resources.snapshots import asset_folder
from kpi_pipeline.resources.stored_tables import (
    TABLE_SUFFIX,
    read_part,
    read_table,
    write_part,
    write_table,
)

_FOLDER: Final = "source"
_STATE: Final = "state.json"
_CERTIFICATES: Final = "certificates"
_KEPT_S: Final = 3600.0
"""Files that nothing names are kept so long: another run may be about to name them."""


@dataclass(frozen=True, slots=True)
class StoredSource:
    """What the store holds.

    Attributes:
        known: All that is known of the source.
        token: Of `change_detection.change_token`, as it was read; None where that is not known.
        parts: The files of its certificates, by month of issue.
        files: Those of its other tables, by name.
        unseen_since: Of `LocalStore.unseen_since`.
    """

    known: KnownSource
    token: str | None
    parts: MonthParts
    files: dict[str, Path]
    unseen_since: float | None


@dataclass(frozen=True, slots=True)
class LocalStore:
    """The store in a folder.

    Attributes:
        folder: The folder.
        settings: Digest of all that decides how the source is read: what another gave is not used.
    """

    folder: Path
    settings: str

    @classmethod
    def of(cls, settings: str) -> Self:
        """The store of the chosen home.

        Args:
            settings: As the attribute.
        """
        return cls(asset_folder(_FOLDER), settings)

    def load(self) -> StoredSource | None:
        """What is known of the source; None where nothing is, or where it cannot be read."""
        try:
            state = orjson.loads((self.folder / _STATE).read_bytes())
            if state["settings"] != self.settings:
                return None
            parts = {int(month): asset_folder(_CERTIFICATES) / name for month, name in state["parts"].items()}
            files = {name: self.folder / file for name, file in state["files"].items()}
            known = _known(state, parts, files)
            return StoredSource(known, state["token"], parts, files, state["unseen_since"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
            return None

    def unseen_since(self) -> float | None:
        """Since when only the latest rows of the source were looked at, in seconds since the epoch.

        Returns:
            None where all were, or nothing is known of it.
        """
        try:
            state = orjson.loads((self.folder / _STATE).read_bytes())
        except (OSError, ValueError):
            return None
        found = state.get("unseen_since") if isinstance(state, dict) else None
        return found if isinstance(found, float) else None

    def save(
        self,
        known: KnownSource,
        token: str | None,
        parts: MonthParts,
        before: StoredSource | None,
        unseen_since: float | None,
    ) -> None:
        """Hold what is known of the source from now on: whole or not at all.

        Args:
            known: All that is known.
            token: Of `change_detection.change_token`.
            parts: The files of its certificates.
            before: What the store held; costs that are the same are not written again.
            unseen_since: Of the method of that name.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = uuid4().hex
        files = {
            "rows": self._path(name, f"rows{TABLE_SUFFIX}"),
            "refused": self._path(name, f"refused{TABLE_SUFFIX}"),
            "conflicts": self._path(name, f"conflicts{TABLE_SUFFIX}"),
            "costs": self._path(name, f"costs{TABLE_SUFFIX}"),
            "cost_quarantine": self._path(name, f"cost_quarantine{TABLE_SUFFIX}"),
        }
        write_part(known.rows, files["rows"])
        write_table(known.refused, files["refused"])
        write_table(known.conflicts, files["conflicts"])
        if before is not None and known.costs is before.known.costs:
            files |= {of: before.files[of] for of in ("costs", "cost_quarantine")}
        else:
            write_table(known.costs.costs, files["costs"])
            write_table(known.costs.quarantine, files["cost_quarantine"])
        state = _state(self.settings, known, token, parts, files) | {"unseen_since": unseen_since}
        with replacing(self.folder / _STATE) as part:
            part.write_bytes(orjson.dumps(state))
        self._prune(files)

    @staticmethod
    def drop() -> None:
        """Forget what is known: the next reading reads everything."""
        (asset_folder(_FOLDER) / _STATE).unlink(missing_ok=True)

    def _path(self, name: str, table: str) -> Path:
        return self.folder / f"{name}-{table}"

    def _prune(self, files: dict[str, Path]) -> None:
        oldest = time.time() - _KEPT_S
        for path in self.folder.iterdir():
            if path.name != _STATE and path not in files.values() and modified_at(path) < oldest:
                path.unlink(missing_ok=True)


def _state(
    settings: str, known: KnownSource, token: str | None, parts: MonthParts, files: dict[str, Path]
) -> dict[str, Any]:
    costs = known.costs
    return {
        "settings": settings,
        "token": token,
        "parts": {str(month): path.name for month, path in parts.items()},
        "files": {name: path.name for name, path in files.items()},
        "firsts": {
            column: {folded: asdict(first) for folded, first in firsts.items()}
            for column, firsts in known.firsts.items()
        },
        "has_nameless": known.has_nameless,
        "some_rejected": known.some_rejected,
        "log": None if known.log is None else asdict(known.log),
        "costs_digest": known.costs_digest,
        "watermark": known.watermark,
        "latest": known.latest,
        "costs": {
            "report": asdict(costs.report),
            "reason_counts": costs.reason_counts,
            "undetailed": costs.undetailed,
        },
    }


def _known(state: dict[str, Any], parts: MonthParts, files: dict[str, Path]) -> KnownSource:
    costs, log = state["costs"], state["log"]
    return KnownSource(
        rows=read_part(files["rows"]),
        certificates=pa.concat_tables([read_part(path) for path in parts.values()]),
        refused=read_table(files["refused"]),
        conflicts=read_table(files["conflicts"]),
        firsts={
            column: {folded: FirstSpelling(**first) for folded, first in firsts.items()}
            for column, firsts in state["firsts"].items()
        },
        has_nameless=state["has_nameless"],
        some_rejected=state["some_rejected"],
        log=None if log is None else LogState(**log),
        costs=NormalisedCosts(
            read_table(files["costs"]),
            read_table(files["cost_quarantine"]),
            costs["reason_counts"],
            RowReport(**costs["report"]),
            costs["undetailed"],
        ),
        costs_digest=state["costs_digest"],
        watermark=state["watermark"],
        latest=state["latest"],
    )

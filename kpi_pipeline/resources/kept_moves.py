"""What moved between two days, as files: where few certificates change, that of the others is taken again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import orjson
import pyarrow as pa

from kpi_pipeline.resources.kept_standings import MOVES_SUFFIX, KeptDay
from kpi_pipeline.resources.stored_tables import read_table, write_packed

_COMES_FROM: Final = b"kpi_comes_from"
"""In a file's metadata, what the moves come from."""


class EarlierMoves(NamedTuple):
    """What moved between two days as the last of them was known before.

    Attributes:
        rows: As of `moves.moved_rows`, without the column `pair`.
        closing: The files of the last day's standings then.
        arrived: Ids that were there on the last day alone.
        left: Folded ids that were there on the first day alone.
    """

    rows: pa.Table
    closing: frozenset[str]
    arrived: frozenset[str]
    left: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeptMoves:
    """The moves between days in the folder of their standings.

    Attributes:
        folder: The folder.
        definition: A digest of what else moves follow from than the standings.
        reads: Whether those that were kept are taken; they are kept all the same.
    """

    folder: Path
    definition: str
    reads: bool = True

    def load(self, opening: KeptDay, closing: KeptDay) -> EarlierMoves | None:
        """Those that were kept last of two days; None where nothing follows from them.

        Args:
            opening: The first day, as it must have been then.
            closing: The last, of which other parts may have been there.
        """
        if not self.reads:
            return None
        try:
            rows = read_table(self._path(opening, closing))
            known = orjson.loads(rows.schema.metadata[_COMES_FROM])
            comes_from = known["comes_from"]
            ids = [frozenset(known[name]) for name in ("closing", "arrived", "left")]
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            return None
        if comes_from != self._comes_from(opening, closing):
            return None
        return EarlierMoves(rows.replace_schema_metadata(), *ids)

    def save(self, opening: KeptDay, closing: KeptDay, moves: EarlierMoves) -> None:
        """Keep moves in place of those that were kept of the two days.

        Args:
            opening: The first day.
            closing: The last.
            moves: What moved, as the last day is known now.

        Raises:
            OSError: If they cannot be written.
        """
        known = {
            "comes_from": self._comes_from(opening, closing),
            **{name: sorted(getattr(moves, name)) for name in ("closing", "arrived", "left")},
        }
        marked = moves.rows.replace_schema_metadata({_COMES_FROM: orjson.dumps(known)})
        write_packed(marked.combine_chunks(), self._path(opening, closing))

    def _path(self, opening: KeptDay, closing: KeptDay) -> Path:
        return self.folder / f"{opening.day}-to-{closing.day}{MOVES_SUFFIX}"

    def _comes_from(self, opening: KeptDay, closing: KeptDay) -> list[str | int]:
        return [self.definition, opening.digest, closing.payment_term_days]

"""How certificates stood on days that are over, as files: what two days share is stored once.

<storage>/standings/<source>/<day>.json               which parts a day has
<storage>/standings/<source>/<month>-<digest>.arrow   rows of one month of issue, named by what they hold
<storage>/standings/<source>/<digest>.sums            what the rows of a day sum to, within a window
<storage>/standings/<source>/<day>-to-<day>.moves     what moved between two days: see `kept_moves`
"""

import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

import orjson
import pyarrow as pa

from kpi_pipeline.atomic_files import modified_at, remove_abandoned, replacing
from kpi_pipeline.compute.bridge.standings import STANDING_SCHEMA, DaySums, StandingDay, standing_sums
from kpi_pipeline.compute.rollup.shards import BATCH_ROWS
from kpi_pipeline.model.bridge import KEPT_DAYS
from kpi_pipeline.resources.month_parts import content_digest
from kpi_pipeline.resources.snapshots import asset_folder
from kpi_pipeline.resources.stored_tables import (
    TABLE_SUFFIX,
    read_table,
    still_there,
    write_packed,
)

_FOLDER: Final = "standings"
_DAY_SUFFIX: Final = ".json"
_SUMS_SUFFIX: Final = ".sums"
MOVES_SUFFIX: Final = ".moves"
"""Of the files of `kept_moves`."""
_UNUSED_S: Final = 3600.0
_LAYOUT: Final = blake2b(str(STANDING_SCHEMA).encode(), digest_size=8).hexdigest()
"""Days of which rows were kept with other columns are as those that were not kept."""


@dataclass(frozen=True, slots=True)
class StandingPart:
    """The standings of one month of issue on a day.

    Attributes:
        month: Its number.
        source: A digest of all that they come from.
        name: Of its file; empty where the month has no certificate by that day.
    """

    month: int
    source: str
    name: str


@dataclass(frozen=True, slots=True)
class KeptDay:
    """The standings of one day.

    Attributes:
        day: The day.
        payment_term_days: The payment term by which due dates were assumed.
        parts: By month of issue.
        known_on: The later day on whose certificates they rest, by dates and log; None where they were read
            on the day itself.
    """

    day: date
    payment_term_days: int
    parts: tuple[StandingPart, ...]
    known_on: date | None = None

    @property
    def names(self) -> frozenset[str]:
        """The files of its parts."""
        return frozenset(part.name for part in self.parts if part.name)

    def names_of(self, months: Collection[int]) -> frozenset[str]:
        """The files of the parts of some months."""
        return frozenset(part.name for part in self.parts if part.name and part.month in months)

    @property
    def digest(self) -> str:
        """Of all that it holds."""
        content = orjson.dumps([sorted(self.names), self.payment_term_days])
        return blake2b(content, digest_size=16).hexdigest()

    def sums_name(self, window_months: int) -> str:
        """The file of what it sums to, within a window of so many months."""
        return f"{self.digest}-{self.day}-{window_months}{_SUMS_SUFFIX}"


@dataclass(frozen=True, slots=True)
class KeptStandings:
    """The standings of days in a folder.

    Attributes:
        folder: The folder.
    """

    folder: Path
    _held: dict[str, pa.Table] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Parts that were written or read last: days that follow one another have most of them in common."""

    @classmethod
    def of(cls, source: str) -> Self:
        """Those of a source.

        Args:
            source: Names it, as a name of a folder.
        """
        return cls(asset_folder(_FOLDER) / source)

    def days(self) -> list[date]:
        """The days that are kept, the earliest first."""
        return sorted(date.fromisoformat(path.stem) for path in self.folder.glob(f"*{_DAY_SUFFIX}"))

    def load(self, day: date) -> KeptDay | None:
        """The standings of a day; None where they are not kept, or some of them are gone."""
        found = self._read(day)
        is_whole = found is not None and all((self.folder / name).exists() for name in found.names)
        return found if is_whole else None

    def store_part(self, month: int, rows: pa.Table) -> str:
        """Keep the rows of a month of issue, unless equal ones are.

        Returns:
            The name of their file.

        Raises:
            OSError: If they cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{month}-{content_digest(rows)}{TABLE_SUFFIX}"
        if not still_there(path):
            write_packed(rows, path)
        self._hold(path.name, rows)
        return path.name

    def save(self, kept: KeptDay) -> None:
        """Keep the standings of a day, in place of those that were kept of it.

        Raises:
            OSError: If they cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in kept.names:
            still_there(self.folder / name)
        with replacing(self._day_path(kept.day)) as part:
            part.write_bytes(orjson.dumps({"layout": _LAYOUT, "kept": kept}))

    def rows(self, names: Iterable[str]) -> pa.Table:
        """The rows of some parts, in `STANDING_SCHEMA`."""
        tables = [self._part(name) for name in sorted(names)]
        return pa.concat_tables(tables) if tables else STANDING_SCHEMA.empty_table()

    def sums(
        self, days: Sequence[KeptDay], window_months: int, definition: str, *, follows: bool = True
    ) -> list[DaySums]:
        """What the certificates of days sum to; computed once.

        Args:
            days: The days.
            window_months: Months of the window of billing.
            definition: A digest of what else sums follow from than the standings.
            follows: Whether sums that were kept are taken, and others follow from them.

        Raises:
            SumTooLarge: If amounts sum to more than 64 bits.
            OSError: If standings cannot be read.
        """
        held: dict[KeptDay, DaySums | None] = dict.fromkeys(days)
        if follows:
            held = {kept: self._held_sums(kept, window_months, definition) for kept in days}
        missing = [kept for kept, sums in held.items() if sums is None]
        for kept in missing if follows else ():
            held[kept] = self._followed_sums(kept, window_months, definition)
        for batch in self._batches([kept for kept in missing if held[kept] is None], window_months):
            held |= dict(zip(batch, standing_sums(list(batch.values())), strict=True))
        found = {kept: sums for kept, sums in held.items() if sums is not None}
        for kept in missing:
            # Without them the next publication takes longer.
            with suppress(OSError), replacing(self.folder / kept.sums_name(window_months)) as part:
                part.write_bytes(_written(kept, definition, found[kept]))
        return [found[kept] for kept in days]

    def prune(self, kept: Collection[date], last: date, replaced: KeptDay | None = None) -> None:
        """Remove all other days, and what none names any more.

        Args:
            kept: The days that stay.
            last: The day of the last reading: of it alone what moved until then is kept.
            replaced: One whose standings were replaced a moment ago, of which the files stay too: what
                changed since follows from them.
        """
        for day in set(self.days()).difference(kept):
            self._day_path(day).unlink(missing_ok=True)
        named = {name for day in self.days() for name in _files_of(self._read(day))} | _files_of(replaced)
        oldest = time.time() - _UNUSED_S
        for path in self.folder.iterdir():
            name = path.stem.rpartition("-")[0] if path.suffix == _SUMS_SUFFIX else path.name
            is_part = path.suffix in (TABLE_SUFFIX, _SUMS_SUFFIX)
            if is_part and name not in named and modified_at(path) < oldest:
                path.unlink(missing_ok=True)
            if path.suffix == MOVES_SUFFIX and not path.stem.endswith(f"-to-{last}"):
                path.unlink(missing_ok=True)
        remove_abandoned(self.folder)
        oldest = time.time() - KEPT_DAYS * 86400.0
        for other in self.folder.parent.iterdir():
            if other != self.folder and modified_at(other) < oldest:
                shutil.rmtree(other, ignore_errors=True)

    def _part(self, name: str) -> pa.Table:
        """The rows of a part; a damaged file goes, so that the day counts as one that was not kept.

        Raises:
            FileNotFoundError: If it is gone or damaged.
            OSError: If it cannot be read.
        """
        if name not in self._held:
            path = self.folder / name
            try:
                rows = read_table(path)
            except (OSError, pa.ArrowException) as error:
                # An error of the system, such as too many open files, says nothing of the file.
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                path.unlink(missing_ok=True)
                raise FileNotFoundError(f"{path} is damaged, and removed: {error}") from error
            self._hold(name, rows)
        return self._held[name]

    def _hold(self, name: str, rows: pa.Table) -> None:
        if sum(table.num_rows for table in self._held.values()) >= BATCH_ROWS:
            self._held.clear()
        self._held[name] = rows

    def _read(self, day: date) -> KeptDay | None:
        try:
            stored = orjson.loads(self._day_path(day).read_bytes())
            if stored["layout"] != _LAYOUT:
                return None
            held = stored["kept"]
            parts = tuple(StandingPart(**part) for part in held["parts"])
            known_on = held["known_on"]
            return KeptDay(
                day,
                held["payment_term_days"],
                parts,
                None if known_on is None else date.fromisoformat(known_on),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _batches(self, days: Iterable[KeptDay], window_months: int) -> Iterator[dict[KeptDay, StandingDay]]:
        """The rows of some days, of as many as are summed at once."""
        batch: dict[KeptDay, StandingDay] = {}
        for kept in days:
            batch[kept] = StandingDay(self.rows(kept.names), kept.day, window_months)
            if sum(one.rows.num_rows for one in batch.values()) >= BATCH_ROWS:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _held_sums(self, kept: KeptDay, window_months: int, definition: str) -> DaySums | None:
        path = self.folder / kept.sums_name(window_months)
        found = _read_sums(path, kept.day, window_months, definition)
        return None if found is None or not still_there(path) else found[1]

    def _followed_sums(self, kept: KeptDay, window_months: int, definition: str) -> DaySums | None:
        """The sums of a day that follow from those which it had before few of its parts changed."""
        others = self.folder.glob(f"*-{kept.day}-{window_months}{_SUMS_SUFFIX}")
        path = max(others, key=modified_at, default=None)
        found = _read_sums(path, kept.day, window_months, definition)
        if found is None:
            return None
        names, before = found
        gone, come = names - kept.names, kept.names - names
        if len(gone) + len(come) > len(kept.names & names):
            return None
        try:
            days = [StandingDay(self.rows(own), kept.day, window_months) for own in (gone, come)]
        except FileNotFoundError:
            return None
        return before.changed(*standing_sums(days))

    def _day_path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}{_DAY_SUFFIX}"


def _files_of(kept: KeptDay | None) -> set[str]:
    """The files that belong to a day, those of sums without the window."""
    return set() if kept is None else {*kept.names, f"{kept.digest}-{kept.day}"}


def _written(kept: KeptDay, definition: str, sums: DaySums) -> bytes:
    items = (list(one.items()) for one in (sums.figures, sums.issued))
    return orjson.dumps([definition, sorted(kept.names), *items])


def _read_sums(
    path: Path | None, day: date, window_months: int, definition: str
) -> tuple[frozenset[str], DaySums] | None:
    """The parts of a day that were summed, and their sums; None where these are not kept."""
    if path is None:
        return None
    window = StandingDay(STANDING_SCHEMA.empty_table(), day, window_months)
    try:
        of, names, figures, issued = orjson.loads(path.read_bytes())
        if of != definition:
            return None
        sums = DaySums(
            {tuple(key): tuple(value) for key, value in figures},
            {tuple(key): value for key, value in issued},
            window.first,
            window.last,
        )
    except (OSError, ValueError, TypeError):
        return None
    return frozenset(names), sums

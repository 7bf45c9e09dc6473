"""A probe: whether a source has changed since it was last looked at, for much less than reading it."""

import hashlib
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import parse_address, read_database
from kpi_pipeline.sources.relations import Part, Relation, relations
from kpi_pipeline.sources.selection import is_csv

_SIDE_FILES: Final = ("", "-wal", "-journal")
"""What follows an SQLite file's name where changes may be that are not in the file itself yet."""


_SETTLED_S: Final = 2.0
"""A file changed as lately as this may change again without another time of change: clocks are coarse."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look at a source found.

    Attributes:
        mark: Equal marks mean that nothing changed, inserts and deletes included. A change of a row
            that leaves its `updated_at` as it was shows only where the mapping names no such column.
            Costs have no such column: each of their cells counts.
        stamp: Sizes and times of the source's files, by which an unchanged file is not read again;
            None of a server.
    """

    mark: str
    stamp: str | None


def probe(url: str, mapping: SourceMapping, before: Probe | None = None) -> Probe:
    """Look at a source.

    Args:
        url: Path of a .csv file, or SQLAlchemy URL.
        mapping: What would be read.
        before: The probe before this one, of the same source and mapping.

    Raises:
        SourceError: If the source cannot be read or lacks what the mapping names.
    """
    stamp = _stamp(url)
    if before is not None and stamp is not None and before.stamp == stamp:
        return before
    return Probe(_file_digest(Path(url).expanduser()) if is_csv(url) else _database_mark(url, mapping), stamp)


def _stamp(url: str) -> str | None:
    if is_csv(url):
        files = [Path(url).expanduser()]
    else:
        address = parse_address(url)
        if address.get_backend_name() != "sqlite" or not address.database:
            return None
        files = [Path(address.database + suffix) for suffix in _SIDE_FILES]
    try:
        states = [file.stat() for file in files if file.exists()]
    except OSError:
        # Reading it tells what is wrong. So does reading a file that is not there: it has no stamp.
        return None
    if any(one.st_mtime > time.time() - _SETTLED_S for one in states):
        return None
    return (
        ";".join(f"{one.st_ino}:{one.st_size}:{one.st_mtime_ns}:{one.st_ctime_ns}" for one in states) or None
    )


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return f"blake2b:{hashlib.file_digest(file, 'blake2b').hexdigest()[:32]}"
    except FileNotFoundError:
        raise SourceError(f"there is no file {path}; check the path") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check its rights") from None


def _database_mark(url: str, mapping: SourceMapping) -> str:
    looks = {part: _look(part, relation, mapping) for part, relation in relations(mapping).items()}
    marks = []
    for part, table in read_database(url, looks, mapping).items():
        if part == "log":
            marks += [str(value) for value in table.to_pylist()[0].values()]
        else:
            marks += [str(table.num_rows), _digest(table)]
    return ":".join(marks)


def _look(part: Part, relation: Relation, mapping: SourceMapping) -> Relation:
    """What of a part is read to tell whether it has changed."""
    if part == "certificates":
        return _narrowed(relation, mapping)
    if part == "log" and mapping.log is not None:
        return _summary(relation, mapping.log.at)
    return relation


def _narrowed(rows: Relation, mapping: SourceMapping) -> Relation:
    """The columns that tell which rows there are and when each changed; all where none tells when."""
    changed, identity = mapping.columns.get("updated_at"), mapping.columns["certificate_id"]
    if not isinstance(changed, str):
        return rows
    keys = (identity,) if isinstance(identity, str) else tuple(identity)
    return replace(rows, columns=tuple(dict.fromkeys((*keys, changed))))


def _summary(log: Relation, at: str) -> Relation:
    """How many changes the log holds, and the latest: it only grows."""
    figures: sa.Select[*tuple[Any, ...]] = sa.select(
        sa.func.count().label("changes"), sa.func.max(sa.column(at)).label("latest")
    ).select_from(log.clause)
    return replace(log, clause=figures.subquery("log_summary"), columns=("changes", "latest"))


def _digest(table: pa.Table) -> str:
    """The same for the same rows, in whatever order a server gives them."""
    with _engine().cursor() as engine:
        engine.register("probed", table)
        columns = ", ".join(f"probed.{_quoted(name)}" for name in table.column_names)
        row = engine.execute(f"SELECT sum(hash({columns})::HUGEINT) FROM probed").fetchone()  # noqa: S608
    return str(row[0] if row else None)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One for all probes: opening it costs more than a digest."""
    return duckdb.connect()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""Change detection: whether a source has changed since the last probe, much cheaper than reading it."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.csv_paths import CsvPath, csv_paths, is_csv
from kpi_pipeline.sources.databases import parse_address, read_database
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import Relation, RelationName, relations_of

_SIDE_FILES: Final = ("", "-wal", "-journal")
"""Suffixes of the files that hold changes before SQLite merges them into its database."""

_SETTLED_S: Final = 2.0
"""A file modified within this time may change again with the same modification time: clocks are coarse."""

_SQLITE_MAGIC: Final = b"SQLite format 3\0"
_ROLLBACK_JOURNAL: Final = b"\1\1"
"""Bytes 18 and 19 of an SQLite file whose changes are written into it, and not first to a log beside it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Result of a probe.

    Attributes:
        token: Equal tokens mean that nothing changed, inserts and deletes included. A change of a row
            that leaves its `updated_at` as it was shows only where the mapping names no such column.
            Costs have no such column: each of their cells counts.
        file_state: Sizes and times of the source's files; while it stays the same, the files are not
            read again. None for a server and for files that have just been modified.
    """

    token: str
    file_state: str | None


def probe(url: str, mapping: SourceMapping, before: Probe | None = None) -> Probe:
    """Probe a source.

    Args:
        url: Path of a .csv file, pattern of such paths, or SQLAlchemy URL.
        mapping: Its mapping.
        before: The previous probe of the same source and mapping.

    Raises:
        SourceError: If the source cannot be read or lacks what the mapping names.
    """
    file_state = _file_state(url)
    if before is not None and file_state is not None and before.file_state == file_state:
        return before
    token = _files_digest(csv_paths(url)) if is_csv(url) else _database_token(url, mapping)
    return Probe(token, file_state)


def change_token(url: str, mapping: SourceMapping) -> str | None:
    """A text that stays the same only while a source holds the same.

    Of files their sizes and times; of a database server what `Probe.token` says.

    Args:
        url: As of `probe`.
        mapping: The source's mapping.

    Returns:
        The text; None for files that are missing or have just been modified.

    Raises:
        SourceError: If a database cannot be read or lacks what the mapping names.
    """
    return _file_state(url) if is_of_files(url) else _database_token(url, mapping)


def is_of_files(url: str) -> bool:
    """Whether a source is of files, whose times show whether they have changed."""
    return is_csv(url) or parse_address(url).get_backend_name() == "sqlite"


def _file_state(url: str) -> str | None:
    if is_csv(url):
        files = [file.path for file in csv_paths(url)]
    else:
        address = parse_address(url)
        if address.get_backend_name() != "sqlite" or not address.database:
            return None
        files = [Path(address.database + suffix) for suffix in _SIDE_FILES]
    try:
        states = [(file, file.stat()) for file in files if file.exists()]
    except OSError:
        # Reading the file reports what is wrong, as for a missing file.
        return None
    counter = None if is_csv(url) else _change_counter(files[0])
    if counter is None and any(state.st_mtime > time.time() - _SETTLED_S for _, state in states):
        return None
    texts = [] if counter is None else [counter]
    texts += [
        f"{file}:{state.st_ino}:{state.st_size}:{state.st_mtime_ns}:{state.st_ctime_ns}"
        for file, state in states
    ]
    return ";".join(texts) or None


def _change_counter(path: Path) -> str | None:
    """What SQLite counts up with each change of its file; None where changes are in a log beside it."""
    try:
        with path.open("rb") as file:
            header = file.read(28)
    except OSError:
        return None
    is_counted = header[:16] == _SQLITE_MAGIC and header[18:20] == _ROLLBACK_JOURNAL
    return header[24:28].hex() if is_counted else None


def _files_digest(files: Sequence[CsvPath]) -> str:
    """A digest of what files hold and of their names."""
    digest = hashlib.blake2b(digest_size=16)
    for path, name in ((file.path, file.name) for file in files):
        try:
            with path.open("rb") as file:
                held = hashlib.file_digest(file, "blake2b").digest()
        except FileNotFoundError:
            raise SourceError(f"there is no file {path}; check the path") from None
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}; check its permissions") from None
        # The digest before has a fixed length, and no name holds a zero byte.
        digest.update(os.fsencode(name) + b"\0" + held)
    return f"blake2b:{digest.hexdigest()}"


def _database_token(url: str, mapping: SourceMapping) -> str:
    return token_of(read_database(url, probed_relations(mapping)))


def probed_relations(mapping: SourceMapping) -> dict[RelationName, Relation]:
    """The part of each relation that shows whether it has changed.

    Raises:
        SourceError: As `relations_of`.
    """
    return {name: _reduced(name, relation, mapping) for name, relation in relations_of(mapping).items()}


def token_of(probed: Mapping[RelationName, pa.Table]) -> str:
    """The token of what was read of `probed_relations`."""
    parts = []
    for name, table in probed.items():
        if name == "log":
            parts += [str(value) for value in table.to_pylist()[0].values()]
        else:
            parts += [str(table.num_rows), digest_of_rows(table)]
    return ":".join(parts)


def _reduced(name: RelationName, relation: Relation, mapping: SourceMapping) -> Relation:
    """The part of a relation that shows whether it has changed."""
    if name == "certificates":
        return _keys_and_times(relation, mapping)
    if name == "log" and mapping.log is not None:
        return _summary(relation, mapping.log.at)
    return relation


def _keys_and_times(rows: Relation, mapping: SourceMapping) -> Relation:
    """The columns of the key and of the latest change; every column where none records changes."""
    changed, identity = mapping.columns.get("updated_at"), mapping.columns["certificate_id"]
    if not isinstance(changed, str):
        return rows
    keys = (identity,) if isinstance(identity, str) else tuple(identity)
    return replace(rows, columns=tuple(dict.fromkeys((*keys, changed))))


def _summary(log: Relation, at: str) -> Relation:
    """Number and latest time of the log's changes: rows are only appended."""
    # Each by itself: so an index, where there is one, gives it without reading the rows.
    numbers: tuple[sa.ColumnElement[Any], ...] = (sa.func.count(), sa.func.max(sa.column(at)))
    counted, latest = (sa.select(number).select_from(log.clause).scalar_subquery() for number in numbers)
    figures: sa.Select[*tuple[Any, ...]] = sa.select(counted.label("changes"), latest.label("latest"))
    return replace(log, clause=figures.subquery("log_summary"), columns=("changes", "latest"))


def counted_rows(relation: Relation) -> Relation:
    """How many rows a relation has: one row of one column."""
    counted: sa.Select[*tuple[Any, ...]] = sa.select(sa.func.count().label("rows")).select_from(
        relation.clause
    )
    return replace(relation, clause=counted.subquery("counted"), columns=("rows",), amounts=frozenset())


def digest_of_rows(table: pa.Table) -> str:
    """A digest of rows that does not depend on their order."""
    with _hashed(table) as engine:
        row = engine.execute("SELECT sum(hash::HUGEINT) FROM hashes").fetchone()
    return str(row[0] if row else None)


def row_hashes(table: pa.Table) -> pa.Array:
    """A hash of each row, in order: 64 bits."""
    with _hashed(table) as engine:
        hashes = engine.sql("SELECT hash FROM hashes").to_arrow_table()
    return hashes["hash"].combine_chunks()


@contextmanager
def _hashed(table: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with `hashes`, a hash of each row in order."""
    with _engine().cursor() as engine:
        engine.register("probed", table)
        columns = ", ".join(f"probed.{_quoted(name)}" for name in table.column_names)
        engine.execute(f"CREATE TEMP VIEW hashes AS SELECT hash({columns}) AS hash FROM probed")  # noqa: S608
        yield engine


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One engine for all probes: opening it costs more than a digest."""
    return duckdb.connect()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

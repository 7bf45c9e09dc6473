# ruff: noqa: S608 - names in SQL are our own
"""Lookup tables of the distinct texts in a source and their meanings.

Distinct names, states and currencies are few: each text is interpreted once, in Python, and the rows join
its meaning.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa
from babel.numbers import get_currency_precision, list_currencies

from kpi_pipeline.compute.ingest.cells import literal
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.model.mapping.currencies import may_stand_beside


@dataclass(frozen=True, slots=True)
class FirstSpelling:
    """By which row a name is spelled.

    Attributes:
        key: That row's, the smallest of all rows with the name; None where only rows without a key have it.
        written: What that row holds.
        spelling: What is shown.
    """

    key: str | None
    written: str
    spelling: str

    @property
    def order(self) -> tuple[bool, str | None, str]:
        """What orders the rows of a name: the first decides."""
        return self.key is None, self.key, self.written


FirstSpellings = dict[str, dict[str, FirstSpelling]]
"""By column, by folded name."""


@dataclass(frozen=True, slots=True)
class Spellings:
    """How the names in a table's columns are spelled.

    Attributes:
        names: Column to SQL of its name in the one spelling.
        joins: SQL of the joins that this needs.
        firsts: Of every name in the table, by which row it is spelled.
        has_nameless: Whether there is a name of which folding leaves nothing.
    """

    names: dict[str, str]
    joins: str
    firsts: FirstSpellings
    has_nameless: bool


def unify_spellings(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    key: str,
    nameless: Mapping[str, str | None],
    known: Mapping[str, Mapping[str, str]] | None = None,
) -> Spellings:
    """Find one spelling for the names of a table that fold alike.

    It is the known one, else the first: that of the row with the smallest key (ties: the smallest), with
    single spaces and composed accents.

    Args:
        connection: Where what is written otherwise is registered, as `spelling_<column>`.
        table: The table that holds the names.
        key: Its column by which rows are in order.
        nameless: Column to what stands for a name of which folding leaves nothing (a lone accent).
        known: Column to folded name to the spelling that goes before any other.
    """
    columns = list(nameless)
    sets = ", ".join(f"({column})" for column in columns)
    keyed = connection.execute(
        f"SELECT {', '.join(columns)}, min({key}) FROM {table} GROUP BY GROUPING SETS ({sets})"
    ).fetchall()
    names, joins, firsts, has_nameless = {}, [], FirstSpellings(), False
    for at, column in enumerate(columns):
        written = [(str(row[at]), row[-1]) for row in keyed if row[at] is not None]
        firsts[column], folds, without = _first_spellings(written, (known or {}).get(column, {}))
        has_nameless |= bool(without)
        spellings: dict[str, str | None] = {
            name: firsts[column][folded].spelling for name, folded in folds.items()
        }
        if without:
            fallback = nameless[column]
            stand_in = None if fallback is None else spellings.get(fallback, fallback)
            spellings |= dict.fromkeys(without, stand_in)
        others = {name: spelling for name, spelling in spellings.items() if spelling != name}
        names[column] = f"{table}.{column}"
        # A join costs more than this check, and most names have one spelling.
        if others:
            spelling = f"spelling_{column}"
            _lookup(connection, spelling, others, spelling=list(others.values()))
            names[column] = (
                f"CASE WHEN {spelling}.written IS NULL THEN {table}.{column} ELSE {spelling}.spelling END"
            )
            joins.append(f"LEFT JOIN {spelling} ON {spelling}.written = {table}.{column}")
    return Spellings(names, " ".join(joins), firsts, has_nameless)


def map_texts(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, meanings: Mapping[str, str]
) -> None:
    """Make a table `known_<name>s` of the texts (`written`) in `<name>_text` and their meaning (`<name>`).

    Args:
        connection: Where the table is made.
        table: The table that holds the texts.
        name: The column that they describe.
        meanings: Meaning by folded text.
    """
    known = {
        text: str(meanings[fold(text)])
        for text in _distinct(connection, table, f"{name}_text")
        if fold(text) in meanings
    }
    _lookup(connection, f"known_{name}s", known, **{name: list(known.values())})


def map_currencies(
    connection: duckdb.DuckDBPyConnection, table: str, spellings: Mapping[str, str]
) -> list[int]:
    """Make a table `known_currencies` of the texts in `currency_text` that are currencies.

    Its columns are `written`, `currency` and `decimals`, those of Unicode CLDR through Babel.

    Args:
        connection: Where the table is made.
        table: The table that holds the texts.
        spellings: Folded word to ISO code, of the mapping; goes before the codes themselves.

    Returns:
        Every value of `decimals`, at least one.
    """
    existing = list_currencies()
    texts = _distinct(connection, table, "currency_text")
    meant = {text: spellings.get(fold(text), text.upper()) for text in texts}
    codes = {text: code for text, code in meant.items() if code in existing}
    decimals = [get_currency_precision(code) for code in codes.values()]
    _lookup(connection, "known_currencies", codes, currency=list(codes.values()), decimals=decimals)
    return sorted(set(decimals)) or [0]


def agreeing_words(
    connection: duckdb.DuckDBPyConnection, table: str, word: str, currency: str, spellings: Mapping[str, str]
) -> str:
    """SQL: whether there is no word beside an amount, or one of its row's currency.

    Args:
        connection: Holds the table, and `known_currencies`.
        table: The table that holds the words.
        word: Column of the words beside amounts.
        currency: SQL of the row's currency.
        spellings: Folded word to ISO code, of the mapping.
    """
    codes = [
        code for (code,) in connection.execute("SELECT DISTINCT currency FROM known_currencies").fetchall()
    ]
    pairs = [
        f"({literal(written)}, {literal(code)})"
        for written in _distinct(connection, table, word)
        for code in codes
        if may_stand_beside(written, code, spellings)
    ]
    agrees = f"({word}, {currency}) IN ({', '.join(pairs)})" if pairs else "false"
    return f"({word} IS NULL OR {agrees})"


def _distinct(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[str]:
    rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
    return [text for (text,) in rows.fetchall()]


def natural_spelling(written: str) -> str:
    """A name as written, with single spaces and composed accents."""
    return unicodedata.normalize("NFC", " ".join(written.split()))


def _first_spellings(
    keyed: Iterable[tuple[str, str | None]], known: Mapping[str, str]
) -> tuple[dict[str, FirstSpelling], dict[str, str], list[str]]:
    """The first spelling by folded name, the folded name of each written one, and what folds to nothing."""
    firsts: dict[str, FirstSpelling] = {}
    folds, nameless = {}, []
    for written, key in keyed:
        folded = fold(written)
        if not folded:
            nameless.append(written)
            continue
        folds[written] = folded
        first = FirstSpelling(key, written, natural_spelling(written))
        if folded not in firsts or first.order < firsts[folded].order:
            firsts[folded] = first
    for folded, first in firsts.items():
        best = UNASSIGNED if folded == fold(UNASSIGNED) else known.get(folded) or first.spelling
        firsts[folded] = replace(first, spelling=best)
    return firsts, folds, nameless


def _lookup(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    texts: Iterable[str],
    **values: Sequence[str | None] | Sequence[int],
) -> None:
    """Register a small table of texts and their meanings."""
    columns = {"written": pa.array(list(texts), pa.string())}
    for column, given in values.items():
        columns[column] = pa.array(given, pa.int64() if column == "decimals" else pa.string())
    connection.register(name, pa.table(columns))

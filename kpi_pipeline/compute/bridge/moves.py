"""What moved between two days: each certificate in exactly one part of each figure that it changed."""
# ruff: noqa: S608 - the statements are built from the model's own names

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.bridge.standings import (
    EVERYTHING,
    NUMBER,
    STANDING_SCHEMA,
    StandingDay,
    figure_values,
    numbered,
)
from kpi_pipeline.compute.database import arrow_table, summation
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS, BRIDGE_FIGURES, BridgeFigure

_COLUMNS: Final = tuple(STANDING_SCHEMA.names)
_TEXTS: Final = ("certificate_id", "number", *BRIDGE_DIMENSIONS, "currency")


@dataclass(frozen=True, slots=True)
class DayPair:
    """Two days whose standings are compared.

    Attributes:
        opening: The first, with the rows that may add something else to figures than on the last.
        closing: The last, with these.
        term_change: By how many days the payment term is longer on the last day.
    """

    opening: StandingDay
    closing: StandingDay
    term_change: int = 0


PartSums = dict[tuple[str, str, str, str], dict[str, tuple[int, int, int]]]
"""By dimension (`EVERYTHING` for none), its value, currency and figure, of each part: by how much the amount
changed and by how many the certificates, and how many certificates are in it."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What moved between two days.

    Attributes:
        sums: What parts sum to.
        rows: By figure, a row for each certificate that changed it, the largest change first: `part`,
            `number`, the dimensions and the currency; `before` and `after`, its amounts;
            `standing_before` and `standing_after`, `due_before` and `due_after`, null where it was not there.
            `not_in` names the dimensions by which it came to another value, a space between each: it is not
            in the sums of these. Its rows there name that dimension in `only_in`, which is empty otherwise.
    """

    sums: PartSums
    rows: Mapping[str, pa.Table]


def moved_rows(pairs: Sequence[DayPair]) -> pa.Table:
    """A row for each certificate and figure that it changed between the days of a pair.

    A certificate is known by its id, without regard to case and accents: what moved of one follows from its
    own rows alone. What differs in no figure is left out.

    Args:
        pairs: At least one.

    Raises:
        SumTooLarge: If amounts sum to more than 64 bits.
    """
    with summation() as connection:
        connection.register("opening", _of_pairs([pair.opening.rows for pair in pairs]))
        connection.register("closing", _of_pairs([pair.closing.rows for pair in pairs]))
        connection.register("days", _days(pairs))
        return arrow_table(connection, _MOVES)


def changed_ids(before: pa.Table, after: pa.Table) -> pa.Array:
    """The ids of the certificates of which standings differ.

    Args:
        before: Rows in `STANDING_SCHEMA`, of each id one.
        after: Those in their place.
    """
    gone, come = ids_beyond(before, after), ids_beyond(after, before)
    first, last = (
        rows.filter(pc.invert(pc.is_in(rows["certificate_id"], beyond))).sort_by("certificate_id")
        for rows, beyond in ((before, gone), (after, come))
    )
    differs = np.zeros(first.num_rows, np.bool_)
    for was, now in zip(first.columns, last.columns, strict=True):
        is_equal = pc.fill_null(pc.equal(was, now), False)
        are_null = pc.and_(pc.is_null(was), pc.is_null(now))
        differs |= ~pc.or_(is_equal, are_null).to_numpy()
    changed = first["certificate_id"].filter(pa.array(differs)).combine_chunks()
    return pa.concat_arrays([changed, gone, come])


def ids_beyond(rows: pa.Table, others: pa.Table) -> pa.Array:
    """The ids of the certificates of some rows that others do not have."""
    ids = rows["certificate_id"]
    return ids.filter(pc.invert(pc.is_in(ids, others["certificate_id"]))).combine_chunks()


def moves_of(rows: pa.Table, pairs: int) -> list[Moves]:
    """What rows of some pairs are together.

    Args:
        rows: As of `moved_rows`.
        pairs: How many pairs there are.

    Raises:
        SumTooLarge: If amounts sum to more than 64 bits.
    """
    if not pairs:
        return []
    with summation() as connection:
        connection.register("moves", rows)
        found = connection.execute(_SUMS).fetchall()
        ordered = arrow_table(connection, _ROWS)
    sums: list[PartSums] = [{} for _ in range(pairs)]
    for pair, dimension, value, currency, figure, part, amount, count, certificates in found:
        own = sums[pair].setdefault((dimension, value, currency, figure), {})
        own[part] = (int(amount), int(count), int(certificates))
    return [Moves(own, _rows_of(ordered, pair)) for pair, own in enumerate(sums)]


def _days(pairs: Sequence[DayPair]) -> pa.Table:
    """A row for each pair: what conditions say of its days, as numbers from `listing.FIRST_DAY`."""
    columns = {
        "o_window_first": [pair.opening.first for pair in pairs],
        "o_day": [pair.opening.last for pair in pairs],
        "c_window_first": [pair.closing.first for pair in pairs],
        "c_day": [pair.closing.last for pair in pairs],
        "term_change": [pair.term_change for pair in pairs],
    }
    numbers = pa.array(range(len(pairs)), pa.int32())
    return pa.table({"pair": numbers, **{name: pa.array(own, pa.int64()) for name, own in columns.items()}})


def _of_pairs(tables: list[pa.Table]) -> pa.Table:
    return numbered(tables).rename_columns({NUMBER: "pair"})


def _rows_of(rows: pa.Table, pair: int) -> dict[str, pa.Table]:
    own = rows.filter(pc.equal(rows["pair"], pair)).drop_columns(["pair"])
    return {
        figure.name: own.filter(pc.equal(own["figure"], figure.name)).drop_columns(["figure"])
        for figure in BRIDGE_FIGURES
    }


def _side(name: str, *, is_there: bool = True) -> str:
    """SQL: the columns of one side of a certificate; nulls where it is not there."""
    letter = name[0]
    return ", ".join(
        f"{letter}_{column}" if is_there else f"NULL AS {letter}_{column}" for column in _COLUMNS
    )


def _expanded() -> str:
    """SQL: a row for each certificate, and for each dimension by which it came to another value one of its
    leaving and one of its coming. One whose currency changed leaves and comes for everybody.
    """
    both = "o_certificate_id IS NOT NULL AND c_certificate_id IS NOT NULL"
    is_same = "o_currency = c_currency"
    left = ", ".join(
        f"CASE WHEN {both} AND o_{name} <> c_{name} THEN '{name}' END" for name in BRIDGE_DIMENSIONS
    )
    opening, closing = (
        f"{_side('opening')}, {_side('closing', is_there=False)}",
        (f"{_side('opening', is_there=False)}, {_side('closing')}"),
    )
    found = [
        f"SELECT pair, {_side('opening')}, {_side('closing')}, '' AS only_in, "
        f"concat_ws(' ', {left}) AS not_in, false AS is_moved FROM sides WHERE NOT ({both}) OR {is_same}"
    ]
    for only, differs in (
        ("", "o_currency <> c_currency"),
        *((name, f"{is_same} AND o_{name} <> c_{name}") for name in BRIDGE_DIMENSIONS),
    ):
        found += [
            f"SELECT pair, {columns}, '{only}', '', true FROM sides WHERE {both} AND {differs}"
            for columns in (opening, closing)
        ]
    return " UNION ALL ".join(found)


def _of_figure(figure: BridgeFigure) -> str:
    """SQL: the rows that change a figure, each with its part."""
    (before, count_before), (after, count_after) = (figure_values(figure.name, side) for side in ("o_", "c_"))
    cases = " ".join(f"WHEN {when} THEN '{part}'" for when, part in figure.moves)
    opening, closing = (f"coalesce({figure.when.replace('{}', side)}, false)" for side in ("o_", "c_"))
    return f"""
        SELECT *, '{figure.name}' AS figure,
            CASE WHEN is_moved THEN 'corrected' {cases} ELSE 'corrected' END AS part
        FROM (
            SELECT *, coalesce({before}, 0) AS before, coalesce({after}, 0) AS after,
                coalesce({count_before}, 0) AS count_before, coalesce({count_after}, 0) AS count_after,
                {opening} AS o_is_in, {closing} AS c_is_in
            FROM expanded JOIN days USING (pair)
        ) WHERE before <> after OR count_before <> count_after
    """


_OPENING, _CLOSING = _side("opening"), _side("closing")
_SIDES: Final = ", ".join(
    f"{side}.{column} AS {side[0]}_{column}" for side in ("opening", "closing") for column in _COLUMNS
)
_DIFFERS: Final = (
    f"({', '.join(f'opening.{name}' for name in _COLUMNS)}) "
    f"IS DISTINCT FROM ({', '.join(f'closing.{name}' for name in _COLUMNS)})"
)
_IN_WINDOW: Final = " <> ".join(
    f"({side}.issued_on BETWEEN {side[0]}_window_first AND {side[0]}_day)" for side in ("opening", "closing")
)
_MOVES: Final = f"""
    WITH matched AS MATERIALIZED (
        SELECT days.pair, {_SIDES}
        FROM opening FULL JOIN closing USING (pair, certificate_id)
        JOIN days ON days.pair = coalesce(opening.pair, closing.pair) WHERE {_DIFFERS} OR {_IN_WINDOW}
    ), sides AS MATERIALIZED (
        SELECT * FROM matched WHERE o_certificate_id IS NOT NULL AND c_certificate_id IS NOT NULL
        UNION ALL BY NAME
        SELECT coalesce(opening.pair, closing.pair) AS pair, {_OPENING}, {_CLOSING}
        FROM (
            SELECT pair, {_OPENING}, fold(o_certificate_id) AS key FROM matched WHERE c_certificate_id IS NULL
        ) AS opening FULL JOIN (
            SELECT pair, {_CLOSING}, fold(c_certificate_id) AS key FROM matched WHERE o_certificate_id IS NULL
        ) AS closing ON opening.pair = closing.pair AND opening.key = closing.key
    ), expanded AS MATERIALIZED ({_expanded()}),
    moved AS ({" UNION ALL ".join(map(_of_figure, BRIDGE_FIGURES))})
    SELECT pair, figure, part, {", ".join(f"coalesce(c_{name}, o_{name}) AS {name}" for name in _TEXTS)},
        before, after, count_after - count_before AS count_change,
        o_standing AS standing_before, c_standing AS standing_after, o_due_on AS due_before,
        c_due_on AS due_after, only_in, not_in
    FROM moved
"""


def _summed(dimension: str) -> str:
    is_in = "only_in = ''"
    if dimension:
        is_in = f"""(only_in = '{dimension}'
            OR only_in = '' AND NOT list_contains(string_split(not_in, ' '), '{dimension}'))"""
    return (
        f"SELECT pair, '{dimension}', {dimension or repr(EVERYTHING)}, currency, figure, part, "
        f"sum(after - before), sum(count_change), count(*) FROM moves WHERE {is_in} GROUP BY ALL"
    )


_SUMS: Final = " UNION ALL ".join(map(_summed, (EVERYTHING, *BRIDGE_DIMENSIONS)))
_ROWS: Final = f"""
    SELECT pair, figure, part, {", ".join(_TEXTS[1:])}, before, after, standing_before, standing_after,
        due_before, due_after, only_in, not_in
    FROM moves ORDER BY pair, figure, abs(after::HUGEINT - before) DESC, certificate_id, only_in, after,
        count_change
"""

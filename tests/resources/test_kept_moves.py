"""Moves between days as files: taken again where they come from the same, and gone with their last day."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from kpi_pipeline.resources.kept_moves import EarlierMoves, KeptMoves
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings, StandingPart

OPENING, CLOSING = (
    KeptDay(date(2024, 5, day), 30, (StandingPart(24_292, "s", f"24292-{day}.arrow"),)) for day in (1, 2)
)
MOVES = EarlierMoves(
    pa.table({"certificate_id": ["Ñ/1", "a/2"], "after": [1, 2]}),
    CLOSING.names,
    frozenset(["a/2"]),
    frozenset(["n/1"]),
)


@pytest.fixture
def moves(tmp_path: Path) -> KeptMoves:
    return KeptMoves(tmp_path, "definition")


def test_they_are_as_they_were_kept(moves: KeptMoves) -> None:
    assert moves.load(OPENING, CLOSING) is None
    moves.save(OPENING, CLOSING, MOVES)
    found = moves.load(OPENING, replace(CLOSING, parts=()))
    assert found is not None
    assert found.rows.equals(MOVES.rows)
    assert found[1:] == MOVES[1:]


def test_of_another_first_day_definition_or_term_they_are_none(moves: KeptMoves) -> None:
    moves.save(OPENING, CLOSING, MOVES)
    assert moves.load(replace(OPENING, parts=()), CLOSING) is None
    assert moves.load(OPENING, replace(CLOSING, payment_term_days=45)) is None
    assert KeptMoves(moves.folder, "another").load(OPENING, CLOSING) is None


def test_where_none_are_read_they_are_kept_all_the_same(moves: KeptMoves) -> None:
    unread = KeptMoves(moves.folder, moves.definition, reads=False)
    unread.save(OPENING, CLOSING, MOVES)
    assert unread.load(OPENING, CLOSING) is None
    assert moves.load(OPENING, CLOSING) is not None


def test_damaged_ones_are_none(moves: KeptMoves) -> None:
    moves.save(OPENING, CLOSING, MOVES)
    (path,) = moves.folder.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert moves.load(OPENING, CLOSING) is None


def test_they_go_once_their_last_day_is_not_the_last(moves: KeptMoves) -> None:
    moves.save(OPENING, CLOSING, MOVES)
    kept = KeptStandings(moves.folder)
    later = date(2024, 5, 3)
    # Also while a later day is kept, as where the business date was set back.
    kept.prune([OPENING.day, CLOSING.day, later], CLOSING.day)
    assert moves.load(OPENING, CLOSING) is not None
    kept.prune([OPENING.day, CLOSING.day, later], later)
    assert moves.load(OPENING, CLOSING) is None

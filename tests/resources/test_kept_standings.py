"""Standings of days as files: what two days share is stored once, and what none needs goes."""

import os
import time
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from kpi_pipeline.compute.bridge.standings import STANDING_SCHEMA
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings, StandingPart

DAYS = [date(2024, 5, day) for day in (1, 2, 3)]


def rows(*amounts: int) -> pa.Table:
    """Certificates that are receivable."""
    return pa.Table.from_pylist(
        [
            {
                **dict.fromkeys(STANDING_SCHEMA.names, "x"),
                **{"certificate_id": str(at), "currency": "CLP", "standing": "awaiting"},
                **{
                    "open": amount,
                    "approved": 0,
                    "collected": 0,
                    "billed": 5,
                    "issued_on": 12_500,
                    "due_on": None,
                },
                **dict.fromkeys(("is_due_assumed", "is_overdue", "is_credit_note"), False),
            }
            for at, amount in enumerate(amounts)
        ],
        schema=STANDING_SCHEMA,
    )


@pytest.fixture
def kept(tmp_path: Path) -> KeptStandings:
    return KeptStandings(tmp_path / "standings" / "here")


def keep(kept: KeptStandings, day: date, **parts: pa.Table) -> KeptDay:
    """Keep a day of some months."""
    stored = tuple(
        StandingPart(month, "s", kept.store_part(month, held)) for month, held in enumerate(parts.values())
    )
    made = KeptDay(day, 30, stored)
    kept.save(made)
    return made


def test_equal_months_are_one_file_and_sums_are_exact(kept: KeptStandings) -> None:
    first = keep(kept, DAYS[0], a=rows(1, 2), b=rows(3))
    second = keep(kept, DAYS[1], a=rows(1, 2), b=rows(4))
    assert kept.days() == DAYS[:2]
    assert kept.load(DAYS[1]) == second
    assert len(list(kept.folder.glob("*.arrow"))) == 3
    assert kept.rows(first.names - second.names).equals(rows(3))
    for _ in range(2):  # computed, and then kept
        sums = kept.sums([first, second], 12, "definition")
        assert [one.figures["", "", "CLP", "receivable"] for one in sums] == [(6, 3), (7, 3)]
        assert [one.figures["", "", "CLP", "billed"] for one in sums] == [(3 * 5, 3), (3 * 5, 3)]
        assert [one.billing_days("", "") for one in sums] == [40, 41]


def test_sums_of_another_definition_are_not_taken(kept: KeptStandings) -> None:
    day = keep(kept, DAYS[0], a=rows(1, 2))
    kept.sums([day], 12, "definition")
    (path,) = kept.folder.glob("*.sums")
    wrong = path.read_bytes().replace(b"[3,2]", b"[9,2]")
    for definition, follows, amount in (
        ("definition", True, 9),
        ("other", True, 3),
        ("definition", False, 3),
    ):
        path.write_bytes(wrong)
        (sums,) = kept.sums([day], 12, definition, follows=follows)
        assert sums.figures["", "", "CLP", "receivable"] == (amount, 2)


def test_a_damaged_part_makes_its_day_one_that_was_not_kept(kept: KeptStandings) -> None:
    day = keep(kept, DAYS[0], a=rows(1))
    (name,) = day.names
    (kept.folder / name).write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="damaged"):
        KeptStandings(kept.folder).rows([name])
    assert kept.load(DAYS[0]) is None
    assert keep(KeptStandings(kept.folder), DAYS[0], a=rows(1)) == day


def test_what_no_day_names_goes_after_an_hour(kept: KeptStandings) -> None:
    for day, amount in zip(DAYS, (1, 2, 3), strict=True):
        kept.sums([keep(kept, day, a=rows(amount))], 12, "definition")
    kept.prune(DAYS[1:], DAYS[-1])
    assert kept.days() == DAYS[1:]
    assert len(list(kept.folder.glob("*.arrow"))) == 3
    for path in kept.folder.iterdir():
        os.utime(path, (time.time() - 7200,) * 2)
    kept.prune(DAYS[1:], DAYS[-1])
    assert len(list(kept.folder.glob("*.arrow"))) == len(list(kept.folder.glob("*.sums"))) == 2


def test_a_day_that_lost_a_file_or_is_malformed_is_not_kept(kept: KeptStandings) -> None:
    lost = keep(kept, DAYS[0], a=rows(1))
    (kept.folder / next(iter(lost.names))).unlink()
    assert kept.load(DAYS[0]) is None
    (kept.folder / f"{DAYS[1]}.json").write_text("{")
    assert kept.load(DAYS[1]) is None


def test_a_day_whose_rows_had_other_columns_is_not_kept(
    kept: KeptStandings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi_pipeline.resources.kept_standings._LAYOUT", "of another version")
    keep(kept, DAYS[0], a=rows(1))
    monkeypatch.undo()
    assert kept.load(DAYS[0]) is None
    assert keep(kept, DAYS[0], a=rows(1)) == kept.load(DAYS[0])

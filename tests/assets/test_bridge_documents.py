"""Documents of bridges: those of a day that is known otherwise since follow from what they were before."""

import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.assets import bridge_documents as documents
from kpi_pipeline.assets.bridge_documents import KeptPair, _followed, bridge_documents
from kpi_pipeline.compute.bridge.standings import STANDING_SCHEMA
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS
from kpi_pipeline.resources.kept_standings import KeptDay, KeptStandings, StandingPart

OPENS_ON, CLOSES_ON = date(2024, 5, 31), date(2024, 6, 28)
MONTHS = {24_290: 19_700, 24_292: 19_760, 24_293: 19_790}
"""By month of issue, the number of one of its days."""

Certificates = dict[str, dict[str, Any]]


def certificate(draw: random.Random, name: str) -> dict[str, Any]:
    standing = draw.choice(["unsent", "awaiting", "accepted", "returned", "paid", "cancelled"])
    amount = draw.choice([0, 100, 250, 7_000])
    month = draw.choice(list(MONTHS))
    return {
        **{dimension: draw.choice("ab") for dimension in BRIDGE_DIMENSIONS},
        **{"certificate_id": name, "number": name[-1], "currency": draw.choice(["CLP", "USD"])},
        **{"standing": standing, "open": amount if standing in ("awaiting", "accepted") else 0},
        **{"approved": amount, "collected": amount if standing == "paid" else 0, "billed": amount},
        **{"issued_on": MONTHS[month] + draw.randrange(3), "due_on": draw.choice([None, 19_800])},
        **{"is_due_assumed": draw.random() < 0.5, "is_overdue": standing == "awaiting"},
        **{"is_credit_note": draw.random() < 0.1, "month": month},
    }


def keep(kept: KeptStandings, day: date, certificates: Certificates) -> KeptDay:
    parts = []
    for month in MONTHS:
        rows = [own for _, own in sorted(certificates.items()) if own["month"] == month]
        table = pa.Table.from_pylist(rows, schema=STANDING_SCHEMA)
        parts.append(StandingPart(month, "s", kept.store_part(month, table) if rows else ""))
    made = KeptDay(day, 30, tuple(parts))
    kept.save(made)
    return made


@pytest.fixture
def readings() -> Iterator[tuple[Certificates, Certificates]]:
    """A first day, and readings of the last one that differ in few certificates, one after another."""

    def following() -> Iterator[tuple[Certificates, Certificates]]:
        draw = random.Random(3)
        names = [f"EDP-{at}" for at in range(40)]
        first = {name: certificate(draw, name) for name in names}
        last = {**first, **{name: certificate(draw, name) for name in names[:10]}}
        last |= {f"NUEVO-{at}": certificate(draw, f"NUEVO-{at}") for at in range(10)}
        for at in range(20):
            yield first, last
            changed = draw.choice([*last, "NUEVO-A", "NUEVO-B"])
            last = {**last, changed: certificate(draw, changed)}
            if at % 4 == 1:
                # It is spelled otherwise, or gone.
                held = last.pop(changed)
                if at % 8 == 1:
                    name = changed.swapcase()
                    last[name] = {**held, "certificate_id": name}

    return following()


def test_documents_follow_from_those_of_another_reading(
    tmp_path: Path, readings: Iterator[tuple[Certificates, Certificates]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def noting(*given: Any) -> Any:
        found.append(_followed(*given))
        return found[-1]

    monkeypatch.setattr(documents, "_followed", noting)
    kept = KeptStandings(tmp_path / "standings" / "here")
    for number, (first, last) in enumerate(readings):
        pair = KeptPair("s", keep(kept, OPENS_ON, first), keep(kept, CLOSES_ON, last), changes=True)
        followed = dict(bridge_documents(kept, [pair], 12))
        alone = KeptStandings(tmp_path / f"alone{number}" / "here")
        pair = KeptPair("s", keep(alone, OPENS_ON, first), keep(alone, CLOSES_ON, last))
        assert followed == dict(bridge_documents(alone, [pair], 12))
    assert len(found) == 19
    assert {rows is None for rows in found} == {True, False}


def test_certificates_of_no_amount_that_move_are_always_in_one_order(tmp_path: Path) -> None:
    draw = random.Random(5)
    names = [f"EDP-{at}" for at in range(60)]
    nothing = {"standing": "awaiting", "open": 0, "approved": 0, "collected": 0, "billed": 0}
    nothing |= {"is_credit_note": False, "is_overdue": False, "currency": "CLP"}
    first = {name: certificate(draw, name) | nothing | {"client": "a"} for name in names}
    last = {name: {**own, "client": "b"} for name, own in first.items()}
    found = set()
    for at in range(4):
        kept = KeptStandings(tmp_path / f"standings{at}" / "here")
        pair = KeptPair("s", keep(kept, OPENS_ON, first), keep(kept, CLOSES_ON, last), changes=True)
        found.add(tuple(bridge_documents(kept, [pair], 12)))
        # All but a few follow from what moved before.
        spelled = {**last, names[at]: {**last[names[at]], "due_on": 19_801}}
        pair = KeptPair("s", pair.opening, keep(kept, CLOSES_ON, spelled), changes=True)
        dict(bridge_documents(kept, [pair], 12))
        pair = KeptPair("s", pair.opening, keep(kept, CLOSES_ON, last), changes=True)
        found.add(tuple(bridge_documents(kept, [pair], 12)))
    assert len(found) == 1


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "empty"])
def test_where_parts_are_gone_or_damaged_all_is_compared(
    tmp_path: Path, readings: Iterator[tuple[Certificates, Certificates]], damage: Callable[[Path], object]
) -> None:
    kept = KeptStandings(tmp_path / "standings" / "here")
    first, last = next(readings)
    opening, before = keep(kept, OPENS_ON, first), keep(kept, CLOSES_ON, last)
    dict(bridge_documents(kept, [KeptPair("s", opening, before, changes=True)], 12))
    first, last = next(readings)
    closing = keep(kept, CLOSES_ON, last)
    for name in before.names - closing.names - opening.names:
        damage(kept.folder / name)
    again = KeptStandings(kept.folder)
    followed = dict(bridge_documents(again, [KeptPair("s", opening, closing, changes=True)], 12))
    assert followed == dict(bridge_documents(kept, [KeptPair("s", opening, closing)], 12))

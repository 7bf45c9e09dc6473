"""What commands did is kept in a file: in order, by several at once, the newest ones."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.resources import operation_journal
from kpi_pipeline.resources.operation_journal import OperationJournal


def details(journal: OperationJournal) -> list[str]:
    return [one.detail for one in journal.read()]


def test_operations_are_kept_in_order_whatever_the_clock_shows(tmp_path: Path) -> None:
    times = [1000.0, 1000.0, 500.0, 2000.0]
    clock = iter(times)
    journal = OperationJournal(tmp_path / "home", lambda: next(clock))
    assert journal.read() == []
    for detail in "abcd":
        kept = journal.write("console:ana", AuditAction.ROLLBACK, detail)
    assert kept == journal.read()
    assert details(journal) == ["a", "b", "c", "d"]
    orders = [one.order for one in kept]
    assert orders == sorted(set(orders))
    assert [one.at for one in kept] == times
    assert (tmp_path / "home" / "operations").stat().st_mode & 0o777 == 0o600


def test_the_newest_ones_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation_journal, "MOST_OPERATIONS", 3)
    journal = OperationJournal(tmp_path)
    for number in range(5):
        journal.write("console:ana", AuditAction.REFRESH, str(number))
    assert details(journal) == ["2", "3", "4"]


def test_several_write_at_once(tmp_path: Path) -> None:
    journal = OperationJournal(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: journal.write("console:x", AuditAction.REFRESH, str(one)), range(40)))
    assert sorted(details(journal), key=int) == [str(number) for number in range(40)]
    assert len({one.order for one in journal.read()}) == 40


def test_a_damaged_line_takes_no_other_one_along(tmp_path: Path) -> None:
    journal = OperationJournal(tmp_path)
    journal.write("console:x", AuditAction.REFRESH, "a")
    with (tmp_path / "operations").open("ab") as file:
        file.write(b'["half\n[1]\n["i",1,2.0,"console:x","no-action","d"]\n')
    journal.write("console:x", AuditAction.REFRESH, "b")
    assert details(journal) == ["a", "b"]

"""The audit log: what is written can be found, the newest first."""

from concurrent.futures import ThreadPoolExecutor

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import Operation


def test_entries_are_found_by_who_what_and_when(database, clock) -> None:
    log = AuditLog(database, clock)
    log.write("ana", AuditAction.SIGN_IN, address="192.0.2.1")
    clock.now += 10
    log.write("eva", AuditAction.SIGN_IN)
    log.write("ana", AuditAction.DOWNLOAD, "/manager/download/manager.xlsx?client=" + "x" * 600)
    entries = log.read()
    assert [(entry.who, entry.action) for entry in entries] == [
        ("ana", AuditAction.DOWNLOAD),
        ("eva", AuditAction.SIGN_IN),
        ("ana", AuditAction.SIGN_IN),
    ]
    assert len(entries[0].detail) == 512
    assert [entry.at for entry in log.read(who="ana")] == [1_000_010, 1_000_000]
    assert [entry.who for entry in log.read(action=AuditAction.SIGN_IN)] == ["eva", "ana"]
    assert len(log.read(since=1_000_010)) == 2
    assert log.read(most=1) == entries[:1]


def test_what_a_command_did_is_written_once_by_however_many(database, clock) -> None:
    log = AuditLog(database, clock)
    log.write("ana", AuditAction.SIGN_IN)
    operations = [
        Operation(
            str(number), number, clock.now - 10 + number, "console:eva", AuditAction.ROLLBACK, str(number)
        )
        for number in range(3)
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(log.write_operations, [operations[:2], operations, operations, operations[1:]]))
    # It stands at its time, although it was written down later.
    assert [entry.detail for entry in log.read()] == ["", "2", "1", "0"]
    assert [entry.at for entry in log.read(who="console:eva")] == [one.at for one in operations[::-1]]


def test_what_holds_is_written_when_it_changes_by_however_many(database) -> None:
    log = AuditLog(database)
    log.write_change("pipeline", AuditAction.POLICY, "none", "none")
    assert log.read() == []
    for detail in ("north", "none", "none", "x" * 600, "x" * 600):
        with ThreadPoolExecutor(4) as threads:
            writing = [
                threads.submit(log.write_change, "pipeline", AuditAction.POLICY, detail, "none")
                for _ in range(4)
            ]
        for written in writing:
            written.result()
    assert [entry.detail for entry in log.read()] == ["x" * 512, "none", "north"]

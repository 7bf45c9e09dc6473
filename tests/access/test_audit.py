"""The audit log: what is written can be found, the newest first."""

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.model.access import AuditAction


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

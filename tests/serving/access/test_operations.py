"""What commands of the pipeline did is written into the audit log: once, whatever fails in between."""

import logging
from pathlib import Path

import pytest
import redis

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AccessDatabase
from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.connection import NoRedis, connect_reader
from kpi_pipeline.cache.keys import OPERATIONS_KEY
from kpi_pipeline.cache.operations import publish_operations
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.resources.operation_journal import OperationJournal
from serving.access.operations import OperationRecorder
from tests.waiting import wait_until


@pytest.fixture
def journal(tmp_path: Path) -> OperationJournal:
    return OperationJournal(tmp_path / "pipeline")


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(AccessDatabase(f"sqlite:///{tmp_path / 'access.db'}"))


def done(client: redis.Redis, journal: OperationJournal, detail: str) -> None:
    publish_operations(client, journal.write("console:ana", AuditAction.ROLLBACK, detail))


def details(audit: AuditLog) -> list[str]:
    return [one.detail for one in audit.read(action=AuditAction.ROLLBACK)][::-1]


def test_several_processes_write_each_operation_once(client, journal, audit) -> None:
    first, second = (OperationRecorder(lambda: client, audit) for _ in range(2))
    first.look()
    assert details(audit) == []
    done(client, journal, "a")
    done(client, journal, "b")
    for recorder in (first, second, first, second):
        recorder.look()
    assert details(audit) == ["a", "b"]
    done(client, journal, "c")
    # One that starts later knows it from the database.
    OperationRecorder(lambda: client, audit).look()
    for recorder in (first, second):
        recorder.look()
    (entry, *_) = audit.read()
    assert details(audit) == ["a", "b", "c"]
    assert (entry.who, entry.address, entry.at) == ("console:ana", "", journal.read()[-1].at)


def test_a_flush_loses_nothing_and_writes_nothing_twice(client, journal, audit) -> None:
    recorder = OperationRecorder(lambda: client, audit)
    done(client, journal, "written before")
    recorder.look()
    done(client, journal, "lost by Redis")
    client.flushdb()
    recorder.look()
    assert details(audit) == ["written before"]
    # As the sensor of the source does within seconds.
    publish_operations(client, journal.read())
    recorder.look()
    assert details(audit) == ["written before", "lost by Redis"]


def test_what_a_dashboard_missed_stands_at_its_time(client, journal, audit) -> None:
    done(client, journal, "while it was down")
    audit.write("ana", AuditAction.SIGN_IN)
    OperationRecorder(lambda: client, audit).look()
    assert [one.action for one in audit.read()] == [AuditAction.SIGN_IN, AuditAction.ROLLBACK]


def test_without_redis_or_a_database_a_later_look_writes_it(
    client, journal, audit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done(client, journal, "a")

    def no_redis() -> redis.Redis:
        raise NoRedis("none yet")

    for away in (no_redis, lambda: connect_reader("redis://127.0.0.1:1/0")):
        OperationRecorder(away, audit).look()
    (tmp_path / "a file").touch()
    unusable = AuditLog(AccessDatabase(f"sqlite:///{tmp_path / 'a file' / 'access.db'}"))
    recorder = OperationRecorder(lambda: client, unusable)
    with caplog.at_level(logging.ERROR):
        recorder.look()
        recorder.look()
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "what commands did is not in the audit log yet"
    ]
    (tmp_path / "a file").unlink()
    recorder.look()
    assert details(unusable) == ["a"]


def test_what_cannot_be_read_keeps_nothing_else_out(client, journal, audit) -> None:
    client.zadd(OPERATIONS_KEY, {"[1]": 1})
    done(client, journal, "a")
    OperationRecorder(lambda: client, audit).look()
    assert details(audit) == ["a"]


def test_serving_has_the_rights_to_read_them_and_none_to_write_them(
    client, journal, audit, cache_url: str
) -> None:
    done(client, journal, "a")
    apply_acl(client, "pipe-pw", "serve-pw")
    reader = connect_reader(cache_url.replace("redis://", "redis://serving:serve-pw@"))
    try:
        OperationRecorder(lambda: reader, audit).look()
        with pytest.raises(redis.exceptions.NoPermissionError):
            reader.zadd(OPERATIONS_KEY, {"forged": 1})
    finally:
        client.execute_command("ACL", "DELUSER", "pipeline", "serving")
    assert details(audit) == ["a"]


def test_the_application_writes_them_down_from_its_start(controlled, client, journal) -> None:
    done(client, journal, "a")
    recorder = controlled.app.extensions["kpi_access"].accounts.record_operations(lambda: client)
    try:
        wait_until(lambda: details(controlled.audit) == ["a"])
    finally:
        recorder.stop()

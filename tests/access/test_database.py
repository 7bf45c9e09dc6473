"""The database: what it is created as, and how it fails."""

import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AUDIT, AccessDatabase, AccessUnavailable
from kpi_pipeline.access.users import UserExists, Users
from kpi_pipeline.model.access import AuditAction, Role


def test_a_second_process_finds_what_the_first_has_written(url) -> None:
    first, second = AccessDatabase(url), AccessDatabase(url)
    Users(first).add("ana", Role.VIEWER, "correct horse battery")
    assert [user.name for user in Users(second).all()] == ["ana"]
    first.close()
    second.close()


def test_a_transaction_within_another_is_part_of_it(database) -> None:
    users, log = Users(database), AuditLog(database)
    with pytest.raises(UserExists), database.begin():
        log.write("root", AuditAction.USER_ADDED, "ana")
        for _ in range(2):
            users.add("ana", Role.VIEWER, None)
    assert (users.all(), log.read()) == ([], [])
    with database.begin():
        log.write("root", AuditAction.USER_ADDED, "ana")
        users.add("ana", Role.VIEWER, None)
    assert (len(users.all()), len(log.read())) == (1, 1)
    with pytest.raises(AccessUnavailable), database.begin() as connection:
        users.remove("ana")
        connection.execute(sa.text("no statement"))
    assert len(users.all()) == 1


def test_where_a_part_has_failed_nothing_is_done(database) -> None:
    users, log = Users(database), AuditLog(database)
    users.add("ana", Role.VIEWER, None)
    with pytest.raises(AccessUnavailable, match="a part"), database.begin():
        log.write("root", AuditAction.USER_ADDED, "ana")
        with suppress(UserExists):
            users.add("ana", Role.VIEWER, None)
    assert log.read() == []


def test_several_processes_make_it_at_once(url) -> None:
    databases, begin = [AccessDatabase(url) for _ in range(4)], Barrier(4)

    def first_use(database: AccessDatabase) -> int:
        begin.wait(30)
        return len(Users(database).all())

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(first_use, databases)) == [0] * 4
    for database in databases:
        database.close()


def test_what_is_read_of_a_locked_table_stays_so(database) -> None:
    log = AuditLog(database)

    def write_after_reading(number: int) -> None:
        with database.begin() as connection:
            database.lock(connection, AUDIT)
            log.write("root", AuditAction.CLEAR, f"{len(log.read())}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write_after_reading, range(8)))
    assert sorted(int(entry.detail) for entry in log.read()) == list(range(8))


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = AccessDatabase(f"sqlite:///{tmp_path / 'new' / 'access.db'}")
    Users(database).all()
    assert stat.S_IMODE((tmp_path / "new" / "access.db").stat().st_mode) == 0o600
    database.close()


def test_a_database_of_an_earlier_version_learns_of_scopes_and_groups(tmp_path: Path) -> None:
    database = AccessDatabase(f"sqlite:///{tmp_path / 'access.db'}")
    Users(database).add("ana", Role.VIEWER, None)
    with database.begin() as connection:
        for table in ("kpi_users", "kpi_tokens"):
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN scope"))
        connection.execute(sa.text("ALTER TABLE kpi_users DROP COLUMN by_group"))
    database.close()
    again = AccessDatabase(f"sqlite:///{tmp_path / 'access.db'}")
    assert Users(again).named("ana").scope is None
    assert not Users(again).named("ana").by_group
    Users(again).set_scope("ana", "north")
    assert Users(again).named("ana").scope == "north"
    again.close()


@pytest.mark.parametrize("statement", ["UPDATE kpi_audit SET who = 'x'", "DELETE FROM kpi_audit"])
def test_what_is_written_down_cannot_be_changed(database, statement) -> None:
    log = AuditLog(database)
    log.write("ana", AuditAction.SIGN_IN)
    with pytest.raises(AccessUnavailable), database.begin() as connection:
        connection.execute(sa.text(statement))
    assert [entry.who for entry in log.read()] == ["ana"]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has no such statement
def test_what_is_written_down_cannot_be_emptied_at_once(url) -> None:
    # Also where an earlier version has made the table, without that guard.
    for has_guard in (True, False):
        database = AccessDatabase(url)
        log = AuditLog(database)
        log.write("ana", AuditAction.SIGN_IN)
        with pytest.raises(AccessUnavailable) as refused, database.begin() as connection:
            connection.execute(sa.text("TRUNCATE kpi_audit"))
        assert "only grows" in str(refused.value.__cause__)
        assert {entry.who for entry in log.read()} == {"ana"}
        if has_guard:
            with database.begin() as connection:
                connection.execute(sa.text("DROP TRIGGER kpi_audit_no_truncate ON kpi_audit"))
        database.close()


@pytest.mark.parametrize("address", ["mysql://user:hidden@host/name", "no address", "redis://:hidden@host"])
def test_another_address_is_refused_without_its_password(address) -> None:
    with pytest.raises(AccessUnavailable, match="KPI_ACCESS_URL") as refused:
        AccessDatabase(address)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["sqlite:////dev/null/access.db", "postgresql://user:hidden@127.0.0.1:1/name"]
)
def test_one_that_cannot_be_used_says_what_to_check(address) -> None:
    with pytest.raises(AccessUnavailable, match="KPI_ACCESS_URL") as failed:
        Users(AccessDatabase(address)).all()
    assert "hidden" not in str(failed.value)
